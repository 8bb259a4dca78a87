"""In what the exchanges' order desks differ; a dialect fills one in.

Guide for the author of a dialect (`apps/feeds/simulator/binance/` is the pattern).

1. On your `Exchange` class set `rules = Rules(...)` (trading/rules.py): for how long client ids are taken, where
   expiry is looked at, post-only and reduce-only manners, fee asset and rates, wallets (one name for both market
   types where the exchange has one unified wallet), smallest orders, the form of order ids; other kinds of accounts
   have rules of their own in `Rules.kinds`, and `Account.kind` tells them apart. `self.desk` and `self.gateway` are
   there.
2. Private REST: find account and key with `self.desk.by_key(text)`, check signature, timestamp (against
   `self.desk.now_ms()`, which drifts by fault), permissions and `ip_allowed` as strictly as the exchange. Then
   `return await self.gateway.act(account, request, do, kind=...)`: kind is "place", "cancel" or "read"; `do` is a
   plain function without await that makes the `web.Response`, refusals included. All faults but the pushes' happen in
   there. Where `Rules.expiry` is "matcher", give the ticket `expires_ms`; with "gateway" you check it before `act`.
3. Orders: translate parameters to a `Ticket` (trading/tickets.py; price and size as Decimal, as the exchange counts)
   and call `desk.place(account, ticket)`, `desk.cancel(account, order)`, `desk.cancel_all(...)`. `desk.find(...)`,
   `desk.open_orders(...)`, `desk.executions(...)` read back: they hide what the fault `not_found` hides. All of them
   raise `Refused` with a `Reason`: keep one table from reason to your exchange's code, text and status.
4. An `Order` (trading/accounts.py) counts price in ticks and size in lots: `order.listing.price.text(order.price)`,
   `order.listing.size.text(order.filled)`; `order.status` is open, partial, filled or cancelled, and `order.ended`
   says why one was cancelled (an IOC's rest, self-trade, ...): your exchange may call that EXPIRED. `order.value` is
   the money traded, `order.average` the mean price, `order.ticket.words` whatever you put there, of
   what JSON carries: orders are kept in a file (trading/keeping.py). Executions, holdings, positions: the same file
   as orders; `desk.mark(listing)` is the mark price.
5. Private sockets: when the login or the token is right call `desk.listen(account, socket, translate)`;
   `translate(event)` returns the messages (objects; text; bytes for binary frames) of one `OrderEvent` or
   `AccountEvent` (trading/events.py), an empty list for channels that are not subscribed. Sockets that end leave by
   themselves. Pushes of a request leave after its answer, unless the fault `early_fill` says otherwise; duplicate,
   reorder, drop and mute need no code.
6. Override `Exchange.fault_answer(request, op, seconds)` with your exchange's bodies for 503 (`error_placed`: outcome
   unknown; `error_not_placed`), `reject`, `rate_limit` and `ban`; use `desk.now_ms()` for your server-time endpoint
   too.
7. In tests: `POST /_sim/accounts` makes an account, `POST /_sim/fill` executes a resting order by so much, `POST
   /_sim/trade` lets an anonymous taker trade, `POST /_sim/account_fault` scripts faults (trading/faults.py), `POST
   /_sim/funding` pays funding, `GET /_sim/orders` is the accept log, `GET /_sim/accounts` the truth of wallets.
   `apps/feeds/tests/plain_accounts.py` has these handles. Your foreign judge is a line in
   tests/foreign/test_ccxt_trading.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading import issuing
from apps.feeds.simulator.trading.tickets import Mode

Unique = Literal["never", "open", "day", "forever"]


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the traded value; a negative one is a rebate."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest order: in size as the exchange counts, and in quote money."""

    size: Decimal = Decimal(0)
    value: Decimal = Decimal(0)


def nothing_least(listing: Listing) -> Least:
    return Least()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`expiry`: who looks at a request's own expiry. Where it is the gateway, an order that was in time there is
    accepted however late it reaches the matcher."""

    unique: Unique = "open"  # for how long a client id is taken
    futures_unique: Unique | None = None  # where futures are otherwise
    expiry: Literal["matcher", "gateway"] = "gateway"
    post_only: Literal["refuse", "cancel"] = "refuse"  # one that would take: refused, or accepted and cancelled
    reduce_only: Literal["refuse", "trim"] = "refuse"  # one that is larger than the position
    fee_in: Literal["received", "quote"] = "received"  # on spot; on futures it is the settle asset
    rates: dict[str, Rates] = field(
        default_factory=lambda: {
            "spot": Rates(Decimal("0.001"), Decimal("0.001")),
            "futures": Rates(Decimal("0.0002"), Decimal("0.0005")),
        }
    )
    wallets: dict[str, str] = field(default_factory=lambda: {"spot": "spot", "futures": "futures"})
    leverage: int = 20
    most_leverage: int = 125
    mode: Mode = "cross"
    least: Callable[[Listing], Least] = nothing_least
    order_id: Callable[[int], str] = str  # from the number of the order, in order of acceptance
    futures_order_id: Callable[[int], str] | None = None  # where futures are otherwise
    new_key: issuing.Issue = issuing.api_key
    kinds: dict[str, "Rules"] = field(default_factory=dict)  # of other accounts than the usual, by what they are called

    def uniqueness(self, market_type: str) -> Unique:
        return (self.futures_unique if market_type == "futures" else None) or self.unique

    def identify(self, market_type: str, number: int) -> str:
        return ((self.futures_order_id if market_type == "futures" else None) or self.order_id)(number)
