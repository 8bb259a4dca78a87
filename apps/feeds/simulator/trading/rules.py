"""In what the exchanges' order desks differ; a dialect fills one in."""

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
