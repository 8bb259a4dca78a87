"""Trading on Bybit v5, Unified Trading Account, as of 2026-11-20 (official docs 2026-07)."""

from collections.abc import Iterable, Mapping

from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.bybit.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import Expiry, ExpiryCheck, TradeLimits
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    DuplicateOrder,
    FeedError,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OrderIsFinal,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    UnknownOrder,
    UnknownSymbol,
    WouldTake,
)
from apps.feeds.orders import MarginMode, OrderStatus, PositionSide, TimeInForce

API = "https://api.bybit.com/v5"
PRIVATE_STREAM = "wss://stream.bybit.com/v5/private"  # of both markets
LOGIN_AHEAD_MS = 10_000  # how long a login is good for
SUBSCRIBE_ID = "private"
CHANNELS = {SPOT: ("order", "execution", "wallet"), FUTURES: ("order", "execution", "wallet", "position")}
IGNORED_TOPICS = frozenset(("execution.fast", "execution.fast.spot", "execution.fast.linear", "greeks", "dcp"))
CATEGORIES = frozenset(("spot", "linear", "inverse", "option"))  # one private stream tells of all

# The answer to an order is an acknowledgement: the matcher works later, whatever the window.
EXPIRY = Expiry(check=ExpiryCheck.GATEWAY, longest_ms=5_000, tail_s=10.0)
READ_WINDOW_MS = 5_000
# Each endpoint has its own limit; these are the names of their budgets.
CREATE = {SPOT: "create-spot", FUTURES: "create-linear"}
CANCEL = {SPOT: "cancel-spot", FUTURES: "cancel-linear"}
CANCEL_ALL = {SPOT: "cancel-all-spot", FUTURES: "cancel-all-linear"}
PER_SECOND = {SPOT: Rate(20, 1.0), FUTURES: Rate(10, 1.0)}
TRADE_LIMITS = {
    market: TradeLimits(
        budgets=dict.fromkeys((CREATE[market], CANCEL[market], CANCEL_ALL[market]), rate), private_sockets=20
    )
    for market, rate in PER_SECOND.items()
}

SETTLED_IN = ("USDT", "USDC")  # open orders and positions are asked for by the coin they settle in
SETTLES = {"USDT": "USDT", "PERP": "USDC"}  # endings of perpetuals
ORDERS_PAGE, POSITIONS_PAGE, TRADES_PAGE, LOG_PAGE = 50, 200, 100, 50
SPAN_MS = 7 * 86_400_000  # of executions and of the transaction log in one answer
ORDER_TRADES_BACK_MS = 600_000

SELF_TRADES = "CancelTaker"
TIF = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "PostOnly"}
MARGIN = {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}
POSITION_INDEX = {PositionSide.NET: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
POSITION_SIDE = {index: side for side, index in POSITION_INDEX.items()}

ORDER_STATUS = {
    "Created": OrderStatus.PENDING,
    "New": OrderStatus.OPEN,
    "Untriggered": OrderStatus.PENDING,
    "Triggered": OrderStatus.PENDING,
    "PartiallyFilled": OrderStatus.PARTIAL,
    "Filled": OrderStatus.FILLED,
    "PartiallyFilledCanceled": OrderStatus.CANCELLED,
    "Cancelled": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
    "Deactivated": OrderStatus.CANCELLED,
}
DUST_LEFT = "PartiallyFilledCanceled"  # how a market order that spends quote currency ends
CANCELLED = "Cancelled"
TOOK = "EC_PostOnlyWillTakeLiquidity"
AT_ONCE = frozenset(("IOC", "FOK"))
NO_REASON = frozenset(("", "EC_NoError", "UNKNOWN"))

EXECUTED = frozenset(("Trade", "AdlTrade", "BustTrade", "Settle", "Delivery", "BlockTrade"))
NOT_EXECUTED = frozenset(("Funding", "SessionSettlePnL"))

UNCHANGED = frozenset((110025, 110026, 110043))
ALREADY_LOGGED_IN = 20001

# fmt: off
_ERRORS: Mapping[type[FeedError], Iterable[int]] = {
    OutcomeUnknown: (10000, 10016, 170001, 170007, 170032, 170146),
    RateLimited: (429, 10006, 10429, 20003, 170222),
    Banned: (10009, 10018),
    Retryable: (10019, 110079, 170191, 170212),
    ClockSkew: (-1, 10002),
    BadCredentials: (-2015, 10003, 10004, 10007, 10010, 33004),
    NotPermitted: (
        10005, 10008, 10020, 10024, 10027, 10028, 10029, 100028, 110066, 110067, 110068, 110069, 170201, 170209, 170224,
    ),
    InvalidOrder: (
        10001, 110003, 110009, 110011, 110016, 110017, 110020, 110021, 110022, 110023, 110029, 110032, 110040, 110042,
        110092, 110093, 110094, 170105, 170115, 170116, 170117, 170124, 170130, 170132, 170133, 170134, 170135, 170136,
        170137, 170139, 170140, 170147, 170148, 170151, 170159, 170192, 170193, 170194, 170195, 170196, 170197, 170198,
        170199, 170200, 170202, 170203, 170204, 170206, 170210, 170217, 170221, 170228, 170229,
    ),
    InsufficientFunds: (
        110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053, 170033, 170034, 170131, 170223,
        170226,
    ),
    UnknownSymbol: (110062, 110065, 110071, 170121, 170157),
    WouldTake: (170218,),
    DuplicateOrder: (10014, 110030, 110072, 170141),
    UnknownOrder: (110001, 170213),
    OrderIsFinal: (110008, 110010, 170142, 170190),
    Refused: (10017, 110013, 110024, 110025, 110026, 110028, 110036, 110038, 110043),
}
# By their words as ccxt 4.5.90 lists them (2026-11-21): each says that the order was not taken. "Create order failed"
# (170149) and what else leaves that open is not among them.
_CHECKED_BEFORE: Mapping[type[FeedError], Iterable[int]] = {
    InvalidOrder: (110034, 110070, 170010, 170011, 170371, 170372),
    Refused: (110063, 170005, 170031, 170036, 170037, 170227, 170241),
}
# fmt: on
ERRORS = {code: kind for table in (_ERRORS, _CHECKED_BEFORE) for kind, codes in table.items() for code in codes}
BAD_PARAMETER, ABOUT_SYMBOL = 10001, "symbol"  # an unknown symbol is a bad parameter: only the words tell
