"""Trading on Binance spot and USD-M futures as of 2026-11-20 (spot docs 2026-07, derivatives docs 2026-10)."""

from collections.abc import Iterable, Mapping

from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.binance.facts import FUTURES, REST, SPOT
from apps.feeds.drivers.trading import DeadManTerms, Expiry, ExpiryCheck, TradeLimits
from apps.feeds.errors import (
    BadCredentials,
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
from apps.feeds.orders import MarginMode, OrderStatus, PositionSide

FUTURES_V3 = "https://fapi.binance.com/fapi/v3"
RESTRICTIONS = "https://api.binance.com/sapi/v1/account/apiRestrictions"
WS_API = "wss://ws-api.binance.com:443/ws-api/v3"  # spot's private events
PRIVATE_STREAM = "wss://fstream.binance.com/private/ws"
LISTEN_KEY = f"{REST[FUTURES]}/listenKey"
LISTEN_KEY_RENEW_S = 1200.0  # it lives 60 minutes
# TRADE_LITE is not asked for: earlier than ORDER_TRADE_UPDATE, but without the commission.
PRIVATE_EVENTS = ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL", "listenKeyExpired")
USER_DATA = "userDataStream"  # the one private channel of spot
SUBSCRIBE_ID = "user-data"

READ_WINDOW_MS = 5_000
# Expiry is compared on arrival; the matcher may take 10 s more (-1007 comes after so long).
EXPIRY = Expiry(check=ExpiryCheck.GATEWAY, longest_ms=60_000, tail_s=10.0)
ORDERS = {SPOT: "orders", FUTURES: "futures-orders"}  # the budgets of new orders
TRADE_LIMITS = {
    SPOT: TradeLimits(budgets={ORDERS[SPOT]: Rate(50, 10.0)}, private_sockets=10),
    FUTURES: TradeLimits(budgets={ORDERS[FUTURES]: Rate(200, 10.0)}, private_sockets=10),  # 300 / 10 s, but 1200 / min
}

# what -> (path under REST, weight)
PLACE = {SPOT: ("order", 1), FUTURES: ("order", 1)}
CANCEL_ALL = {SPOT: ("openOrders", 1), FUTURES: ("allOpenOrders", 1)}
QUERY_WEIGHT = {SPOT: 4, FUTURES: 1}
OPEN_ORDERS_WEIGHT = {SPOT: (6, 80), FUTURES: (1, 40)}  # of one symbol, of all
TRADES = {SPOT: ("myTrades", 20), FUTURES: ("userTrades", 5)}
ORDER_TRADES_WEIGHT = 5
BALANCES = {SPOT: (f"{REST[SPOT]}/account", 20), FUTURES: (f"{FUTURES_V3}/balance", 5)}
FEES = {SPOT: (f"{REST[SPOT]}/account", 20), FUTURES: (f"{REST[FUTURES]}/commissionRate", 20)}
POSITIONS_WEIGHT = 5
FUNDING_WEIGHT = 30
COUNTDOWN = ("countdownCancelAll", 10)
# Futures alone have a timer, each symbol its own; the exchange's example begins one of 120 s anew every 30 s.
DEAD_MAN = {FUTURES: DeadManTerms(by_instrument=True)}
PAGE = 1000  # rows of own trades and of incomes
TRADES_SPAN_MS = 7 * 86_400_000  # futures tell no more in one answer
ORDER_TRADES_BACK_MS = 600_000

RESPONSE = {SPOT: "FULL", FUTURES: "RESULT"}  # of a new order; FULL tells its fills
SELF_TRADES = "EXPIRE_TAKER"
MARGIN = {MarginMode.CROSS: "CROSSED", MarginMode.ISOLATED: "ISOLATED"}
MARGIN_TOLD = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
POSITION_SIDE = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}

ORDER_STATUS = {
    "NEW": OrderStatus.OPEN,
    "PENDING_NEW": OrderStatus.PENDING,
    "PARTIALLY_FILLED": OrderStatus.PARTIAL,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "PENDING_CANCEL": OrderStatus.OPEN,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
FORCED = frozenset(("NEW_INSURANCE", "NEW_ADL"))  # liquidations: how far they are tells the filled amount
EXECUTIONS = frozenset(("TRADE", "CALCULATED"))  # kinds of report that may hold a fill; liquidations are the second
COIN_MARGINED = 2  # `st` of what belongs to COIN-M

IGNORED_SPOT = frozenset(("balanceUpdate", "listStatus", "externalLockUpdate"))  # balances follow as totals
IGNORED_FUTURES = frozenset(
    ("TRADE_LITE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL", "ALGO_UPDATE", "ALGO_ORDER_UPDATE", "STRATEGY_UPDATE")
    + ("GRID_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT")
)

UNCHANGED = frozenset((-4046, -4059))  # margin mode and position mode were so already
ALREADY_SUBSCRIBED = -2035
LOGIN_CODES = frozenset((-1022, -2008, -2014, -2015))
# Futures' 503 is of an unknown outcome but for these words.
NOT_RUN = ("service unavailable", "internal error; unable to process")

# Codes of both markets, then of either: from -4000 on they mean something else on spot. -1021 is told of a request that
# came late as well: the time is measured anew either way. -1125: the listen key is gone. -2016 is spot's closed market.
# fmt: off
_BOTH: Mapping[type[FeedError], Iterable[int]] = {
    OutcomeUnknown: (-1000, -1001, -1006, -1007),
    BadCredentials: (-1002, -1022, -1099, -2008, -2014, -2015),
    RateLimited: (-1003, -1015),
    Retryable: (-1008,),
    Refused: (-1125, -1127, -2010),
    InvalidOrder: (
        -1013, -1014, -1020, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1112, -1114, -1115, -1116,
        -1117, -1118, -1119, -1120, -1128, -1130,
    ),
    NotPermitted: (-1016,),
    ClockSkew: (-1021,),
    UnknownSymbol: (-1121,),
    UnknownOrder: (-2011, -2013),
}
_SPOT: Mapping[type[FeedError], Iterable[int]] = {
    Refused: (-1131,),
    InvalidOrder: (-1134, -1135, -1145),
    UnknownSymbol: (-1151, -2016),
    UnknownOrder: (-2026,),
}
_FUTURES: Mapping[type[FeedError], Iterable[int]] = {
    Refused: (-1023, -2020, -4021, -4028, -4046, -4047, -4048, -4059, -4067, -4068, -5021),
    BadCredentials: (-1109, -2017),
    UnknownSymbol: (-1110, -1122, -1126, -4140, -4141, -4144),
    InvalidOrder: (
        -1113, -1136, -2021, -2022, -2025, -2026, -2027, -4000, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4015,
        -4016, -4023, -4024, -4045, -4060, -4061, -4062, -4118, -4120, -4131, -4164,
    ),
    NotPermitted: (-2016, -2023, -4044, -4087, -4088, -4192, -4400),
    InsufficientFunds: (-2018, -2019, -2024, -2028, -4050, -4051),
    DuplicateOrder: (-4116,),
    WouldTake: (-5022,),
    ClockSkew: (-5028,),
}
# fmt: on
ERRORS = {
    market: {code: kind for table in (_BOTH, own) for kind, codes in table.items() for code in codes}
    for market, own in ((SPOT, _SPOT), (FUTURES, _FUTURES))
}
# -2010, -2011 and -1013 are families: these words say more than the code.
FAMILIES: dict[tuple[int, str], type[FeedError]] = {
    (-2010, "insufficient balance"): InsufficientFunds,
    (-2010, "duplicate order"): DuplicateOrder,
    (-2010, "immediately match and take"): WouldTake,
    (-2010, "market is closed"): UnknownSymbol,
    (-2010, "may not place or cancel"): NotPermitted,
    (-2010, "not permitted"): NotPermitted,
    (-2010, "is not enabled"): NotPermitted,
    (-2011, "already"): OrderIsFinal,
}
