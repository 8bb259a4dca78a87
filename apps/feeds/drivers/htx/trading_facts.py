"""HTX spot and linear swaps (v5), the half that needs a key, as of 2026-11-20; (?) marks what is unsure."""

from collections.abc import Mapping

from apps.feeds.drivers.base import Heartbeat, Rate
from apps.feeds.drivers.htx.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import DeadManTerms, Expiry, ExpiryCheck, TradeLimits
from apps.feeds.errors import (
    BadCredentials,
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
)
from apps.feeds.market import Side
from apps.feeds.orders import MarginMode, OrderStatus, PositionSide, TimeInForce

# Signatures carry the host that is connected to: these, even where a proxy stands between.
HOST = {SPOT: "api.huobi.pro", FUTURES: "api.hbdm.com"}
SOCKET_PATH = {SPOT: "/ws/v2", FUTURES: "/ws/v5/notification"}

# No request has an expiry; a signature is taken for five minutes (?), by the gateway.
EXPIRY = Expiry(check=ExpiryCheck.NONE, longest_ms=300_000)

# Budgets of one account. Swaps: 24 a second is the least that any source tells.
PLACE, CANCEL_ALL, QUERY, BALANCE, ACCOUNT = "spot-trade", "spot-batch", "spot-query", "spot-balance", "spot-account"
TRADE, READ = "futures-trade", "futures-read"
LIMITS = {
    SPOT: TradeLimits(
        budgets={
            PLACE: Rate(100, 2.0),
            CANCEL_ALL: Rate(50, 2.0),
            QUERY: Rate(50, 2.0),
            BALANCE: Rate(100, 2.0),
            ACCOUNT: Rate(10, 1.0),
        },
        private_sockets=10,
    ),
    FUTURES: TradeLimits(
        budgets={TRADE: Rate(24, 1.0), READ: Rate(24, 1.0), ACCOUNT: Rate(10, 1.0)},
        private_sockets=30,
    ),
}
# One timer for each market, 60 s to be begun anew every 15 s, as the exchange advises. It ends 500 spot orders at most.
DEAD_MAN = DeadManTerms(timer_ms=60_000, refresh_ms=15_000)
DEAD_MAN_S = (5, 86_400)  # from and to; no longest is told
SPOT_ROWS, FUTURES_ROWS = 500, 100  # the most of one page
WINDOW_MS = 48 * 3_600_000  # the longest time that a list of executions or bills covers
RECENT_MS = 600_000  # what "the last minutes" are

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
SPOT_TYPES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.POST_ONLY: "limit-maker"}
POSITION_SIDES = {"both": PositionSide.NET, "long": PositionSide.LONG, "short": PositionSide.SHORT}
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
SELF_MATCH_PREVENTED = 1  # spot
SELF_MATCH = "cancel_taker"

SPOT_STATUS: Mapping[str, OrderStatus | None] = {
    "created": OrderStatus.PENDING,
    "submitted": OrderStatus.OPEN,
    "partial-filled": OrderStatus.PARTIAL,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "partial-canceled": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
    "canceling": None,  # as before
}
SPOT_EVENTS = frozenset(("creation", "trade", "cancellation", "trigger", "deletion"))
FUTURES_STATUS = {
    "new": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIAL,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "partially_canceled": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}
# A cancel by client id answers with the state that the order is in; 10 is "being cancelled".
CANCEL_STATES: Mapping[int, type[Refused]] = {0: UnknownOrder, **dict.fromkeys((-1, 5, 6, 7), OrderIsFinal)}
CANCELLING = 10
FIRST_ORDER_ID = 100  # above every state: the order's own id, as a cancel by their id answers

WALLET = "spot"
FREE, FROZEN = "trade", "frozen"
OTHER_BALANCES = frozenset((
    "loan", "interest", "lock", "bank", "transfer-out-available", "loan-available",
))  # fmt: skip
FUNDING_TYPES = {"30": 1, "31": -1}  # received, paid

CHANNELS = {
    SPOT: ("orders#*", "trade.clearing#*#0", "accounts.update#2"),
    FUTURES: ("orders", "trade", "account", "positions"),
}
# The wallet is of no contract, the others are asked for all of them.
OF_CONTRACTS = {channel: {"contract_code": "*"} for channel in ("orders", "trade", "positions")}
HEARTBEAT = {
    SPOT: Heartbeat(send=None, every_s=20.0, answer_s=45.0, listens=True),
    FUTURES: Heartbeat(send=None, every_s=5.0, answer_s=15.0, listens=True),
}
WS_OK = {SPOT: 200, FUTURES: 0}
WS_LATER = frozenset((500, 4000))  # their side, and too many connections

CLOCK_WORD = "timestamp"  # in the words of a refused signature

_PRICE_BAND = ("min", "max", "buy-min", "buy-max", "sell-min", "sell-max")
_BOTH: dict[str, type[FeedError]] = {
    **dict.fromkeys(
        ("api-signature-not-valid", "api-signature-check-failed", "login-required", "403", "1253"), BadCredentials
    ),
    **dict.fromkeys(("12004", "12005", "12006", "12007", "12008"), BadCredentials),
    **dict.fromkeys(("base-request-exceed-frequency-limit", "rate-too-many-requests", "1032"), RateLimited),
}
SPOT_ERRORS: Mapping[str, type[FeedError]] = _BOTH | {
    "1003": BadCredentials,
    **dict.fromkeys(("base-system-error", "gateway-internal-error", "timeout", "system-maintenance"), OutcomeUnknown),
    **dict.fromkeys(("order-accountbalance-error", "account-frozen-balance-insufficient-error"), InsufficientFunds),
    **dict.fromkeys((f"order-limitorder-price-{edge}-error" for edge in _PRICE_BAND), InvalidOrder),
    **dict.fromkeys(
        (
            "order-value-min-error", "order-limitorder-amount-min-error", "order-limitorder-amount-max-error",
            "order-marketorder-amount-min-error", "order-orderamount-precision-error",
            "order-orderprice-precision-error", "order-invalid-price", "invalid-amount", "order-holding-limit-failed",
        ),
        InvalidOrder,
    ),
    **dict.fromkeys(
        ("base-record-invalid", "not-found", "base-not-found", "order-queryorder-invalid"), UnknownOrder
    ),
    "order-orderstate-error": OrderIsFinal,
    "invalid-client-order-id": DuplicateOrder,
    **dict.fromkeys(("base-symbol-error", "base-symbol-trade-disabled", "require-symbol"), UnknownSymbol),
}  # fmt: skip
SAID_IN_WORDS = frozenset(("invalid-parameter", "bad-request"))
WORDS: Mapping[str, type[FeedError]] = {
    "invalid symbol": UnknownSymbol,
    "symbol trade not open now": UnknownSymbol,
}
FUTURES_ERRORS: Mapping[str, type[FeedError]] = _BOTH | {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1046", "1108"), OutcomeUnknown),
    **dict.fromkeys(("1047", "1048"), InsufficientFunds),
    **dict.fromkeys(
        ("1030", "1034", "1036", "1038", "1039", "1040", "1041", "1065", "1067", "1094", "1461"), InvalidOrder
    ),
    **dict.fromkeys(("1013", "1066"), UnknownSymbol),
    **dict.fromkeys(("1017", "1051", "1061"), UnknownOrder),
    **dict.fromkeys(("1063", "1071"), OrderIsFinal),
    **dict.fromkeys(("1050", "1064"), DuplicateOrder),
    # 4007: of the other kind of account; 1084: too many orders were cancelled, cancels keep working.
    **dict.fromkeys(("4007", "1010", "1220", "1084"), NotPermitted),
    **dict.fromkeys(("1056", "1058", "1059", "1077", "1078", "1079", "1080"), Retryable),  # settlement
}
ERRORS = {SPOT: SPOT_ERRORS, FUTURES: FUTURES_ERRORS}
