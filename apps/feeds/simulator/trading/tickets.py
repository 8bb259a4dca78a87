"""What an account may ask for, and the reasons for which it is refused: the words between dialects and the desk."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from apps.feeds.simulator.trading.matching import SelfTrade

Direction = Literal["buy", "sell"]
Kind = Literal["limit", "market"]
Force = Literal["gtc", "ioc", "fok", "post"]
PositionSide = Literal["net", "long", "short"]
Mode = Literal["cross", "isolated"]


class Reason(StrEnum):
    """Why an order or a request is refused. A dialect turns each into its exchange's code and text."""

    UNKNOWN_SYMBOL = "unknown symbol"
    MARKET_CLOSED = "market closed"
    OFF_TICK = "off tick"
    OFF_LOT = "off lot"
    TOO_SMALL = "too small"
    INSUFFICIENT_FUNDS = "insufficient funds"
    WOULD_TAKE = "would take"
    DUPLICATE_ID = "duplicate id"
    UNKNOWN_ORDER = "unknown order"
    ALREADY_FINAL = "already final"
    REDUCE_ONLY = "reduce only"
    POSITION_SIDE = "position side"  # `net` in hedge mode, or a side in one-way mode
    LEVERAGE = "leverage"
    EXPIRED = "expired"


class Ended(StrEnum):
    """Why an order that was accepted rests no more, though it is not filled."""

    CLIENT = "client"
    IOC = "ioc"  # the rest of an immediate order, a market order's without liquidity too
    FOK = "fok"
    POST_ONLY = "post only"
    SELF_TRADE = "self trade"
    REDUCE_ONLY = "reduce only"
    DEAD_MAN = "dead man"  # nobody has pressed its switch


class Refused(Exception):
    """`order` is what exists already, for DUPLICATE_ID and ALREADY_FINAL."""

    def __init__(self, reason: Reason, order: Any = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.order = order


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One order as a client asks for it. `price` in quote, `size` as the exchange counts (coins or contracts).

    A market order gives `size`, or `quote_size`: the money to spend or to earn. `words` is for the dialect: whatever
    it wants to say again of the order, in its answers and pushes.
    """

    market_type: str
    symbol: str
    side: Direction
    kind: Kind
    size: Decimal | None = None
    quote_size: Decimal | None = None
    price: Decimal | None = None
    force: Force = "gtc"
    client_id: str = ""
    reduce_only: bool = False
    position_side: PositionSide = "net"
    mode: Mode | None = None  # None: as the account has set it
    self_trade: SelfTrade = ""
    expires_ms: int | None = None
    words: dict[str, Any] = field(default_factory=dict)
