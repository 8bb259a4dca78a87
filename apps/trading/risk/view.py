"""All that the risk controls look at. It is gathered in the transaction that commits the order, and nothing in it is
guessed: what is not known is None or not there, and then the order is denied.

Amounts are in base currency, values in USDT where a name says so, times in milliseconds of one clock.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from apps.feeds.market import BookKey, BookState, Instrument, MarketType, Side
from apps.feeds.orders import OrderStatus, PositionSide, TimeInForce
from apps.trading.intent import OrderIntent, Purpose
from apps.trading.risk.limits import Limits


class DenyReason(StrEnum):
    """Stable: programs and people's filters rely on these words."""

    NOT_A_NUMBER = "NOT_A_NUMBER"
    MISSING = "MISSING"  # a row, a price or a measurement is not there
    FAILED = "FAILED"  # a control raised an error
    NOT_REDUCING = "NOT_REDUCING"  # it says that it only reduces, and would not
    LIVE_OFF = "LIVE_OFF"  # R1
    HALTED = "HALTED"
    ONLY_REDUCING = "ONLY_REDUCING"
    NOT_CONFIRMED = "NOT_CONFIRMED"  # what it closes was released meanwhile
    ORDER_TOO_LARGE = "ORDER_TOO_LARGE"  # R2
    TOO_LARGE_FOR_DEPTH = "TOO_LARGE_FOR_DEPTH"  # R3
    OUTSIDE_COLLAR = "OUTSIDE_COLLAR"  # R4
    NO_BOOK = "NO_BOOK"  # R5
    BOOK_NOT_LIVE = "BOOK_NOT_LIVE"
    BOOK_TOO_OLD = "BOOK_TOO_OLD"
    CLOCK_UNSURE = "CLOCK_UNSURE"
    TOO_MANY_OF_PAIR = "TOO_MANY_OF_PAIR"  # R6
    TOO_MANY_OF_ACCOUNT = "TOO_MANY_OF_ACCOUNT"
    ASSET_EXPOSURE = "ASSET_EXPOSURE"  # R7
    ACCOUNT_EXPOSURE = "ACCOUNT_EXPOSURE"
    LEVERAGE = "LEVERAGE"
    NOT_ISOLATED = "NOT_ISOLATED"
    BALANCE = "BALANCE"  # R8
    DAY_LOSS = "DAY_LOSS"  # R9
    ORDER_RATE = "ORDER_RATE"  # R10
    EXCHANGE_RATE = "EXCHANGE_RATE"
    REPEATED_EXECUTION = "REPEATED_EXECUTION"  # R11
    DUPLICATE = "DUPLICATE"  # R12
    EXCEEDS_PARENT = "EXCEEDS_PARENT"  # R13
    SELF_TRADE = "SELF_TRADE"  # R14
    LANE_UNKNOWN = "LANE_UNKNOWN"  # R15
    UNKNOWN_BREAKER = "UNKNOWN_BREAKER"
    LANE_PAUSED = "LANE_PAUSED"  # R16
    REJECT_BREAKER = "REJECT_BREAKER"
    MISMATCH = "MISMATCH"  # R17
    UNHEDGED = "UNHEDGED"  # R18
    BUILD = "BUILD"  # R19
    ALERT_UNACKED = "ALERT_UNACKED"  # R20
    DEAD_MAN = "DEAD_MAN"  # R21
    NOT_TRADING = "NOT_TRADING"  # R22
    TOO_SMALL = "TOO_SMALL"


class Scope(StrEnum):
    GLOBAL = "global"
    EXCHANGE = "exchange"
    ACCOUNT = "account"
    TRADE = "trade"


class ScopeState(StrEnum):
    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Top(Struct, frozen=True, kw_only=True):
    """Of the book: the best of both sides, and what its first 20 levels hold."""

    state: BookState
    age_ms: int
    owner_is_current: bool  # its publisher's fence is the highest seen
    bid: Decimal
    ask: Decimal
    bid_depth: Decimal
    ask_depth: Decimal


class Working(Struct, frozen=True, kw_only=True):
    """One order or intent of the user that is not over: at worst `rest` of it is still filled.

    `held` of `held_asset` is set aside for it and not yet taken off what the exchange calls free.
    """

    intent_id: int
    account_id: int
    instrument: Instrument
    side: Side
    rest: Decimal
    status: OrderStatus | None  # None: an intent that nobody has sent yet
    created_ms: int = 0  # of the intent
    price: Decimal | None = None  # None: at the market
    held_asset: str = ""
    held: Decimal = Decimal(0)


class Held(Struct, frozen=True, kw_only=True):
    """What our fills on an instrument add up to: positive when long, negative when short. `side` as of an order."""

    instrument: Instrument
    amount: Decimal
    side: PositionSide = PositionSide.NET


class Sent(Struct, frozen=True, kw_only=True):
    """An order that has left."""

    at_ms: int
    key: BookKey
    side: Side
    amount: Decimal
    price: Decimal


class Parent(Struct, frozen=True, kw_only=True):
    """`amount` is what the whole was allowed, `committed` what its parts and attempts have filled or may fill yet."""

    amount: Decimal
    committed: Decimal


class Outcome(Struct, frozen=True, kw_only=True):
    """How the request of one of the lane's orders ended."""

    at_ms: int
    rejected: bool


class Mismatch(Struct, frozen=True, kw_only=True):
    """By how many lots our balance or position differs from the exchange's, and since when."""

    lots: Decimal
    since_ms: int


class DeadMan(Struct, frozen=True, kw_only=True):
    """The exchange's own timer that cancels everything unless it is refreshed; `deadline_ms` None: it is not armed."""

    deadline_ms: int | None
    fired: bool


class RiskView(Struct, frozen=True, kw_only=True):
    """Of one intent, its account, and its TRADE. `working` has all accounts of the user on the exchange."""

    now_ms: int
    is_live: bool
    live_allowed: bool  # a person has turned live trading on
    states: Mapping[Scope, ScopeState]
    limits: Limits
    top: Top | None
    clock_error_ms: int | None
    working: tuple[Working, ...]
    holdings: tuple[Held, ...]
    free: Mapping[str, Decimal]
    rates: Mapping[str, Decimal]  # asset -> USDT, USDT itself among them
    leverage: int | None  # what the account is set to for the instrument
    equity_usdt: Decimal | None
    day_result_usdt: Decimal | None  # realised and unrealised since midnight UTC
    sent: tuple[Sent, ...]  # by the account, the last minute
    trade_sent_ms: tuple[int, ...]  # by the TRADE on all its accounts, the last minute
    trade_resumed_ms: int  # when a person last resumed the TRADE, 0 never
    exchange_load: Decimal | None  # share of the exchange's own limit that is used
    parent: Parent | None  # of an intent without parent: itself, with its earlier attempts
    unknown_ms: tuple[int, ...]  # when orders of the account became UNKNOWN
    outcomes: tuple[Outcome, ...]  # of the lane, oldest first
    paused_until_ms: int  # the lane, 0 never
    pauses_ms: tuple[int, ...]  # when lanes of the account were paused
    mismatch: Mismatch | None  # None: none
    unhedged_ms: tuple[int, ...]  # since when, for each leg of the TRADE that nothing covers
    build_id: str
    allowed_build: str
    alert_unacked_ms: int | None  # since when the oldest alert waits for a person
    dead_man: DeadMan | None = None  # None: the exchange has none
    flatten_confirmed: bool = False
    leverage_is_due: bool = False  # the order would leave now: the exchange must have confirmed what is wanted

    def others(self, intent: OrderIntent) -> Iterator[Working]:
        """Of the intent's account, without the intent itself; earlier attempts of it do count."""
        for each in self.working:
            itself = each.status is None and each.intent_id == intent.intent_id
            if each.account_id == intent.account_id and not itself:
                yield each


class Proposal(Struct, frozen=True, kw_only=True):
    """The order that would be sent: on the grid, and always with a limit."""

    intent: OrderIntent
    amount: Decimal
    price: Decimal
    tif: TimeInForce
    value: Decimal  # in quote currency
    value_usdt: Decimal
    reduces: bool  # it can only make a position smaller, whatever else fills

    @property
    def instrument(self) -> Instrument:
        return self.intent.instrument

    @property
    def is_futures(self) -> bool:
        return self.instrument.market_type is MarketType.FUTURES

    def flattens(self, view: RiskView) -> bool:
        """It carries out what a person has confirmed, and may do so when all else is stopped."""
        return self.intent.purpose is Purpose.FLATTEN and view.flatten_confirmed and self.reduces
