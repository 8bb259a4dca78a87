"""One exchange's order desk: checks, matches, books, and tells the accounts. How it is used: rules.py."""

import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Literal

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading import checks, issuing
from apps.feeds.simulator.trading.accounts import Account, Execution, Key, Order, worth
from apps.feeds.simulator.trading.faults import AccountFaults
from apps.feeds.simulator.trading.floor import Accepted, Floor, Stage, funding_of
from apps.feeds.simulator.trading.ledger import Ledger
from apps.feeds.simulator.trading.outbox import Outbox, Translate
from apps.feeds.simulator.trading.rules import Rules
from apps.feeds.simulator.trading.tickets import Ended, Mode, Reason, Refused, Ticket

DAY_MS = 86_400_000
TRADES_APART = 1_000_000  # numbers that trades of others may have taken after the last one that is known


class Desk:
    def __init__(
        self,
        exchange: str,
        *,
        rules: Rules,
        listings: Mapping[tuple[str, str], Listing],
        market: Callable[[str, str], Market | None],
        stage: Stage,
        faults: AccountFaults,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`market(market_type, symbol)`: None where there is no trading."""
        self.exchange = exchange
        self.rules = rules
        self.ledger = Ledger(rules)
        self.faults = faults
        self.master = issuing.new_master()  # of the keys that are made
        self.accounts: dict[str, Account] = {}
        self.floor = Floor(self.ledger, stage, self.now_ms)
        self.keep: Callable[[], object] = self.floor.forget_changed  # called before anybody is told of a change
        self._listings = listings
        self._market = market
        self._unix_ms = unix_ms
        self._keys: dict[str, Account] = {}
        self._number = 10_000_000

    @property
    def accepted(self) -> list[Accepted]:
        """The accept log, in the order of acceptance."""
        return self.floor.accepted

    # accounts

    def open_account(
        self, name: str, keys: list[Key], *, hedge: bool = False, kind: str = "", made: bool = False
    ) -> Account:
        """`made`: the exchange made the key up.

        Raises ValueError when the name or a key is taken, or there are no accounts of this kind.
        """
        if name in self.accounts or any(key.key in self._keys for key in keys):
            raise ValueError(f"{self.exchange}: account or key of {name} exists")
        outbox = Outbox(name, self.faults, lambda: self.keep())
        account = Account(name, self.rules_of(kind), outbox, {key.key: key for key in keys}, hedge, kind, made)
        self.accounts[name] = account
        self._keys.update(dict.fromkeys(account.keys, account))
        return account

    def rules_of(self, kind: str) -> Rules:
        """Those of a kind of accounts. Raises ValueError when there is no such kind."""
        if kind and kind not in self.rules.kinds:
            raise ValueError(f"{self.exchange}: no accounts of the kind {kind}")
        return self.rules.kinds[kind] if kind else self.rules

    def by_key(self, key: str) -> tuple[Account, Key] | None:
        account = self._keys.get(key)
        return None if account is None else (account, account.keys[key])

    def credit(self, account: Account, wallet: str, asset: str, amount: Decimal) -> None:
        """Money comes in (or leaves, when negative)."""
        market_type = next(kind for kind, name in account.rules.wallets.items() if name == wallet)
        account.holding(market_type, asset).total += amount
        self.floor.tell_money(account, "transfer", market_type, (asset,), {asset: amount})

    def listen(self, account: Account, socket: Socket, translate: Translate) -> None:
        """Push the account's events to a socket, each translated by the dialect."""
        account.outbox.listen(socket, translate)

    def leave(self, socket: Socket) -> None:
        for account in self.accounts.values():
            account.outbox.leave(socket)

    def now_ms(self) -> int:
        """The exchange's clock."""
        drift = self.faults.find("clock_drift", None)
        return self._unix_ms() + (round(drift.seconds * 1000) if drift is not None else 0)

    # orders

    def place(self, account: Account, ticket: Ticket) -> Order:
        """Accept an order and match it. Raises Refused, and nothing has happened then."""
        late = ticket.expires_ms is not None and self.now_ms() > ticket.expires_ms
        if late and self.rules.expiry == "matcher":
            raise Refused(Reason.EXPIRED)
        market = self.market(ticket.market_type, ticket.symbol)
        self._check_id(account, ticket)
        order = self._make(account, ticket, market)
        side = checks.side_taken(market, ticket)
        takes = order.price and checks.would_take(market, ticket, order.price)
        if takes and ticket.force == "post" and self.rules.post_only == "refuse":
            raise Refused(Reason.WOULD_TAKE)
        value = worth(order.listing, order.price, order.size)
        self.ledger.reserve(account, order, value or checks.walked(order.listing, side, order.size))
        self._number = order.number
        hidden = self.faults.take("not_found", account.name, "place")
        order.hidden_until_ms = 0 if hidden is None else order.created_ms + round(hidden.seconds * 1000)
        whole = ticket.force != "fok" or checks.fills_whole(market, ticket, order.price, order.size)
        self.floor.accept(account, order)
        if takes and ticket.force == "post":
            self.floor.end(account, order, Ended.POST_ONLY)
        elif not whole:
            self.floor.end(account, order, Ended.FOK)
        else:
            self.floor.work(account, order, market)
        return order

    def cancel(self, account: Account, order: Order, ended: Ended = Ended.CLIENT) -> None:
        """Raises Refused when the order is final."""
        if not order.is_open:
            raise Refused(Reason.ALREADY_FINAL, order)
        market = self.market(order.listing.market_type, order.listing.symbol)
        self.floor.withdraw(account, order, market, ended)

    def cancel_all(self, account: Account, market_type: str, symbol: str | None = None) -> list[Order]:
        """Returns the orders that were cancelled."""
        orders = [order for order in account.open.values() if _is_of(order, market_type, symbol)]
        for order in orders:
            self.cancel(account, order)
        return orders

    def find(
        self,
        account: Account,
        market_type: str,
        *,
        symbol: str | None = None,
        id: str | None = None,
        client_id: str | None = None,
        to_cancel: bool = False,
    ) -> Order:
        """By the exchange's id, else by the client's: the latest of that id. Raises Refused when there is none.

        What is found to be cancelled is never hidden.
        """
        order = account.orders.get(id) if id is not None else account.client_ids.get((market_type, client_id or ""))
        if order is None or not _is_of(order, market_type, symbol) or not (to_cancel or self._shows(order)):
            raise Refused(Reason.UNKNOWN_ORDER)
        if id is not None and client_id is not None and order.client_id != client_id:
            raise Refused(Reason.UNKNOWN_ORDER)
        return order

    def open_orders(self, account: Account, market_type: str, symbol: str | None = None) -> list[Order]:
        """Oldest first."""
        return [o for o in account.open.values() if _is_of(o, market_type, symbol) and self._shows(o)]

    def orders(self, account: Account, market_type: str, symbol: str | None = None) -> list[Order]:
        """All there ever were, oldest first."""
        return [o for o in account.orders.values() if _is_of(o, market_type, symbol) and self._shows(o)]

    def executions(
        self, account: Account, market_type: str, symbol: str | None = None, *, since_ms: int = 0
    ) -> list[Execution]:
        """Oldest first."""
        return [
            execution
            for execution in account.executions
            if _is_of(execution.order, market_type, symbol)
            and execution.ms >= since_ms
            and self._shows(execution.order)
        ]

    def go_on(self, orders: Iterable[Order]) -> None:
        """Number orders and trades after those of a former process."""
        for order in orders:
            self._number = max(self._number, order.number)
            market = self._market(order.listing.market_type, order.listing.symbol)
            if order.executions and market is not None:
                after = max(row.number for row in order.executions) + TRADES_APART
                market.trade_number = max(market.trade_number, after)

    def rest_again(self, order: Order) -> None:
        """Let an order that rested meet the market as it is now."""
        self.floor.work(order.account, order, self.market(order.listing.market_type, order.listing.symbol))

    # futures

    def listing(self, market_type: str, symbol: str) -> Listing | None:
        return self._listings.get((market_type, symbol))

    def listed(self, market_type: str) -> list[Listing]:
        return [listing for (kind, _), listing in self._listings.items() if kind == market_type]

    def mark(self, listing: Listing) -> Decimal:
        """The middle of the book, in quote; where a side is empty the price of the last trade, or the first of all."""
        market = self.market(listing.market_type, listing.symbol)
        if market.asks.keys and market.bids.keys:
            return (market.asks.keys[0] - market.bids.keys[0]) * listing.price.step / 2
        return market.trades[-1].price * listing.price.step if market.trades else Decimal(str(listing.start_price))

    def set_leverage(self, account: Account, symbol: str, leverage: int | None, mode: Mode | None = None) -> None:
        """What is None stays. Raises Refused for a leverage that is not offered, or a symbol that is not listed."""
        if ("futures", symbol) not in self._listings:
            raise Refused(Reason.UNKNOWN_SYMBOL)
        if leverage is not None and not 1 <= leverage <= self.rules.most_leverage:
            raise Refused(Reason.LEVERAGE)
        setting = account.setting(symbol)
        setting.leverage, setting.mode = leverage or setting.leverage, mode or setting.mode
        for (name, _), position in account.positions.items():
            if name == symbol:
                self.ledger.set_margin(account, position, setting.leverage)
                position.mode = setting.mode

    def pay_funding(self, listing: Listing, rate: Decimal) -> int:
        """Let every holder of a position pay or receive funding; returns how many positions."""
        payers = [
            a for a in self.accounts.values() if any(p.size for p in a.positions.values() if p.listing is listing)
        ]
        for account in payers:
            for position in [p for p in account.positions.values() if p.listing is listing and p.size]:
                value = self.mark(listing) * checks.coins(listing, position.size)
                self.floor.fund(account, listing, funding_of(value, rate), rate)
        return len(payers)

    # what others do

    def trade(self, listing: Listing, side: Literal["buy", "sell"], size: int, limit: Decimal | None = None) -> int:
        """Let an anonymous taker trade `size` lots, no further than the price `limit`; returns those that traded."""
        market = self.market(listing.market_type, listing.symbol)
        sign = 1 if side == "buy" else -1
        key = None if limit is None else sign * checks.ticks(listing, limit)
        return size - self.floor.trade(market, side, size, key)

    def fill(self, order: Order, size: int) -> None:
        """Let an anonymous taker take what is ahead of a resting order, and `size` lots of it. Raises Refused."""
        if order.resting is None:
            raise Refused(Reason.ALREADY_FINAL, order)
        market = self.market(order.listing.market_type, order.listing.symbol)
        ahead = self.floor.book(market).ahead(order.resting)
        side: Literal["buy", "sell"] = "sell" if order.side == "buy" else "buy"
        self.floor.trade(market, side, ahead + min(size, order.left), order.resting.key)

    def market(self, market_type: str, symbol: str) -> Market:
        """Raises Refused when it is not listed or not traded."""
        if (market_type, symbol) not in self._listings:
            raise Refused(Reason.UNKNOWN_SYMBOL)
        market = self._market(market_type, symbol)
        if market is None or not market.takes_orders or market.listing.inverse:
            raise Refused(Reason.MARKET_CLOSED)
        return market

    # inside

    def _check_id(self, account: Account, ticket: Ticket) -> None:
        known = account.client_ids.get((ticket.market_type, ticket.client_id)) if ticket.client_id else None
        unique = self.rules.uniqueness(ticket.market_type)
        if known is None or unique == "never":
            return
        young = known.created_ms > self.now_ms() - DAY_MS
        if known.is_open or unique == "forever" or (unique == "day" and young):
            raise Refused(Reason.DUPLICATE_ID, known)

    def _make(self, account: Account, ticket: Ticket, market: Market) -> Order:
        """The order in ticks and lots, not yet accepted."""
        listing, side = market.listing, checks.side_taken(market, ticket)
        price = checks.ticks(listing, ticket.price)
        size = checks.lots(listing, ticket, side)
        checks.check_least(self.rules, listing, ticket, price, size, side)
        size = checks.position_lots(account, listing, ticket, size)
        opens = listing.market_type == "futures" and size > checks.closable(account, listing, ticket)
        ms = self.now_ms()
        number = self._number + 1
        id = account.rules.identify(listing.market_type, number)
        return Order(id, number, account, ticket, listing, price, size, ms, ms, opens=opens)

    def _shows(self, order: Order) -> bool:
        return order.hidden_until_ms <= self.now_ms()


def _is_of(order: Order, market_type: str, symbol: str | None) -> bool:
    return order.listing.market_type == market_type and symbol in (None, order.listing.symbol)
