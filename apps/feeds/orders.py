"""The vocabulary of trading: what we ask of an exchange, and what every exchange's answers are translated to.

Money is `Decimal` throughout. What we ask for is in base currency; what an exchange tells is as the exchange counts
it (contracts, where it counts contracts) until `in_base` has turned it. Times are the exchange's, in milliseconds.
"""

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.market import Instrument, Side


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """Of a limit order; a market order has none."""

    GTC = "gtc"
    IOC = "ioc"
    POST_ONLY = "post_only"


class OrderStatus(StrEnum):
    """Of one attempt at an exchange; FILLED, CANCELLED, REJECTED, EXPIRED and NOT_PLACED are final."""

    PENDING = "PENDING"  # committed, the request is on its way
    UNKNOWN = "UNKNOWN"  # sent, and no answer that proves anything
    OPEN = "OPEN"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"  # by us, by the exchange, or what an IOC left
    REJECTED = "REJECTED"  # the exchange said no
    EXPIRED = "EXPIRED"
    NOT_PLACED = "NOT_PLACED"  # proven: the exchange never had it


class PositionSide(StrEnum):
    """Which position an order changes: `net` in one-way mode, the others in hedge mode."""

    NET = "net"
    LONG = "long"
    SHORT = "short"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class Credentials(Struct, frozen=True, kw_only=True):
    """One account's key at one exchange. Nothing of it is shown by `repr`.

    On Hyperliquid `key` is the address of the account and `secret` the private key of an agent wallet. `account` is the
    exchange's own name of the account, where requests must carry it: `Trader.account_requests` asks for it.
    """

    key: str
    secret: str
    passphrase: str = ""
    account: str = ""

    def __repr__(self) -> str:
        return "Credentials(...)"

    __str__ = __repr__


class NewOrder(Struct, frozen=True, kw_only=True):
    """One order as it is asked for. `amount` is in base currency, a multiple of the lot, `price` of the tick.

    A market buy may give `quote_amount`, what to spend in quote currency, instead of `amount`: where the exchange takes
    nothing else it must. `expires_ms`: the exchange shall not accept it later than that, where it offers such a limit.
    """

    instrument: Instrument
    client_order_id: str
    side: Side  # buy or sell
    type: OrderType
    expires_ms: int
    amount: Decimal | None = None
    quote_amount: Decimal | None = None
    price: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.NET
    margin_mode: MarginMode = MarginMode.ISOLATED
    leverage: int | None = None  # only for exchanges whose orders carry it with isolated margin; None: theirs, or 1


class OrderRef(Struct, frozen=True, kw_only=True):
    """Names one order: by our id, by theirs, or by both; at least one is given."""

    instrument: Instrument
    client_order_id: str | None = None
    exchange_order_id: str | None = None


class OrderUpdate(Struct, frozen=True, kw_only=True):
    """What an exchange says of one order; `filled` counts from its beginning. None: not told here.

    `position_side`: which position of a futures account it changes, told wherever an account may hold more than one.
    """

    symbol: str
    exchange_order_id: str
    client_order_id: str | None  # None: not ours, or not told
    status: OrderStatus
    side: Side
    filled: Decimal
    amount: Decimal | None = None
    price: Decimal | None = None
    average_price: Decimal | None = None
    exchange_ms: int | None = None
    position_side: PositionSide | None = None
    text: str = ""  # the exchange's own word for the status, and its reason


class Fill(Struct, frozen=True, kw_only=True):
    """One execution of one of our orders. `trade_id` is unique per exchange and symbol: seen twice it is one fill."""

    symbol: str
    exchange_order_id: str
    client_order_id: str | None
    trade_id: str
    side: Side
    price: Decimal
    amount: Decimal
    fee: Decimal  # negative is a rebate
    fee_asset: str
    is_maker: bool | None
    exchange_ms: int
    position_side: PositionSide | None = None  # None: not told here, its order tells

    @property
    def is_bare(self) -> bool:
        """It is not told what it cost: another word of the same execution may tell."""
        return not self.fee_asset and not self.fee


class LookUp(Struct, frozen=True, kw_only=True):
    """Something was executed, but the push lacks its trade id or its fee: ask for the order's own trades."""

    symbol: str
    exchange_order_id: str
    client_order_id: str | None


class Balance(Struct, frozen=True, kw_only=True):
    """Of one asset in one wallet; `total` is free and locked together. `free` None: not told here."""

    asset: str
    free: Decimal | None
    total: Decimal


class Balances(Struct, frozen=True, kw_only=True):
    """`whole`: assets that are not named are zero; else those not named are as before."""

    rows: list[Balance]
    whole: bool
    exchange_ms: int | None = None


class Position(Struct, frozen=True, kw_only=True):
    """One position; `amount` is positive when long, negative when short, zero when closed."""

    symbol: str
    side: PositionSide
    amount: Decimal
    entry_price: Decimal | None
    unrealised: Decimal | None = None  # profit in the settle currency
    leverage: Decimal | None = None
    margin_mode: MarginMode | None = None
    liquidation_price: Decimal | None = None


class Positions(Struct, frozen=True, kw_only=True):
    """`whole`: symbols that are not named have no position; else those not named are as before."""

    rows: list[Position]
    whole: bool
    exchange_ms: int | None = None


class Fees(Struct, frozen=True, kw_only=True):
    """Shares of the traded value, 0.001 is 0.1 %; negative is a rebate."""

    maker: Decimal
    taker: Decimal


class FundingPayment(Struct, frozen=True, kw_only=True):
    """Paid (negative) or received (positive) for holding a position."""

    payment_id: str  # the exchange's, or made of symbol and time where it has none
    symbol: str
    asset: str
    amount: Decimal
    exchange_ms: int
    rate: Decimal | None = None


class Permissions(Struct, frozen=True, kw_only=True):
    """What a key may do. None: the exchange does not tell."""

    read: bool | None
    trade_spot: bool | None
    trade_futures: bool | None
    withdraw: bool | None
    ip_bound: bool | None = None
    expires_ms: int | None = None


Money = TypeVar("Money", OrderUpdate, Fill, Position)


def units(amount: Decimal, instrument: Instrument) -> Decimal:
    """Base currency to what the exchange counts. Raise ValueError unless it is a positive multiple of the lot."""
    counted = amount / instrument.contract_size
    if instrument.inverse:
        raise ValueError(f"{instrument.symbol}: inverse contracts are not traded")
    if counted <= 0 or counted % instrument.lot:
        raise ValueError(f"{instrument.symbol}: {amount} is not a positive multiple of the lot")
    return counted


def in_base(event: Money, instrument: Instrument) -> Money:
    """The event with amounts in base currency, where the exchange counts contracts; else the event itself."""
    size = instrument.contract_size
    if size == 1:
        return event
    if isinstance(event, OrderUpdate):
        amount = None if event.amount is None else event.amount * size
        return replace(event, filled=event.filled * size, amount=amount)
    return replace(event, amount=event.amount * size)


AccountEvent: TypeAlias = OrderUpdate | Fill | LookUp | Balances | Positions
