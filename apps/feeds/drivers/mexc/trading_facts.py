"""MEXC's trading side as of 2026-11-20: two APIs that share the key and nothing else."""

from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.mexc.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import Expiry, ExpiryCheck, TradeLimits
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
    UnknownOrder,
    UnknownSymbol,
)
from apps.feeds.market import Side
from apps.feeds.orders import MarginMode, OrderStatus, PositionSide, TimeInForce

PRIVATE = "https://api.mexc.com/api/v1/private"  # of futures; spot has one root for all

# Spot compares `recvWindow` as a request comes in. Two notes disagree about the unit of futures' Recv-Window: it is not
# sent, and a signature lives for ten seconds.
RECV_WINDOW_MS = 5_000
EXPIRY = {
    SPOT: Expiry(check=ExpiryCheck.GATEWAY, longest_ms=60_000),
    FUTURES: Expiry(check=ExpiryCheck.NONE, longest_ms=10_000),
}

ORDERS, CANCELS, LEVERAGE = "orders", "cancels", "leverage"
LIMITS = {
    SPOT: TradeLimits(budgets={}, private_sockets=5),  # of one listen key
    FUTURES: TradeLimits(
        budgets={ORDERS: Rate(4, 2.0), CANCELS: Rate(20, 2.0), LEVERAGE: Rate(10, 10.0)}, private_sockets=1
    ),
}
# Two a second, and nobody says of whom: counted with all that leaves for the host, where two of these are as much as is
# to be had without the reserve, so that several accounts do not break it together.
ACCOUNT_WEIGHT = 4
KEEP_ALIVE_S = 1_800.0  # a listen key lives for an hour

PAGE = 100
LAST_TRADES_MS = 600_000

SPOT_TYPES = {
    TimeInForce.GTC: "LIMIT",
    TimeInForce.IOC: "IMMEDIATE_OR_CANCEL",
    TimeInForce.POST_ONLY: "LIMIT_MAKER",
}
SPOT_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SPOT_STATUS = {
    "NEW": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIAL,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "PARTIALLY_CANCELED": OrderStatus.CANCELLED,  # how a market order or an IOC ends that found too little
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}
PUSHED_SIDES = {1: Side.BUY, 2: Side.SELL}
PUSHED_STATUS = {1: "NEW", 2: "FILLED", 3: "PARTIALLY_FILLED", 4: "CANCELED", 5: "PARTIALLY_CANCELED"}

# Futures: what an order does to which position. 1 opens a long, 2 closes a short, 3 opens a short, 4 closes a long.
TYPES = {TimeInForce.GTC: 1, TimeInForce.POST_ONLY: 2, TimeInForce.IOC: 3}
MARKET_TYPE = 5
OPENINGS = frozenset((1, 3))
ACTIONS = {
    (PositionSide.NET, Side.BUY, False): 1,
    (PositionSide.NET, Side.BUY, True): 2,
    (PositionSide.NET, Side.SELL, False): 3,
    (PositionSide.NET, Side.SELL, True): 4,
    (PositionSide.LONG, Side.BUY, False): 1,
    (PositionSide.LONG, Side.SELL, False): 4,
    (PositionSide.LONG, Side.SELL, True): 4,
    (PositionSide.SHORT, Side.SELL, False): 3,
    (PositionSide.SHORT, Side.BUY, False): 2,
    (PositionSide.SHORT, Side.BUY, True): 2,
}
SIDES = {1: Side.BUY, 2: Side.BUY, 3: Side.SELL, 4: Side.SELL}
HEDGED = {1: PositionSide.LONG, 2: PositionSide.SHORT, 3: PositionSide.SHORT, 4: PositionSide.LONG}
HEDGE, ONE_WAY = 1, 2
OPEN_TYPES = {MarginMode.ISOLATED: 1, MarginMode.CROSS: 2}
MARGIN_MODES = {number: mode for mode, number in OPEN_TYPES.items()}
POSITION_SIDES = {1: PositionSide.LONG, 2: PositionSide.SHORT}
STATES = {
    1: OrderStatus.PENDING,  # not in the engine yet
    2: OrderStatus.OPEN,
    3: OrderStatus.FILLED,
    4: OrderStatus.CANCELLED,
    5: OrderStatus.REJECTED,
}

CHANNELS = {
    SPOT: ("spot@private.orders.v3.api.pb", "spot@private.deals.v3.api.pb", "spot@private.account.v3.api.pb"),
    FUTURES: ("personal.filter",),
}
FILTERS = ("order", "order.deal", "position", "asset")
PUSH_ORDERS, PUSH_DEALS, PUSH_ACCOUNT = CHANNELS[SPOT]

TOO_OFTEN = frozenset((429, 510, 2037))
MAINTENANCE = "maintenance"  # code 500 so called is what keys without the permission to trade futures are told
BROKEN = 500

SPOT_ERRORS: dict[int, type[FeedError]] = {
    429: RateLimited,
    400: BadCredentials,
    602: BadCredentials,
    10072: BadCredentials,
    700001: BadCredentials,
    700002: BadCredentials,
    700006: BadCredentials,  # our address
    10073: ClockSkew,
    700003: ClockSkew,
    700005: ClockSkew,
    403: NotPermitted,
    70011: NotPermitted,
    700007: NotPermitted,
    10101: InsufficientFunds,
    30004: InsufficientFunds,
    30005: InsufficientFunds,
    10096: InvalidOrder,
    30002: InvalidOrder,
    30003: InvalidOrder,
    30010: InvalidOrder,
    30087: InvalidOrder,
    -1121: UnknownSymbol,
    10007: UnknownSymbol,  # not one that may be traded by API
    30000: UnknownSymbol,
    30014: UnknownSymbol,
    30016: UnknownSymbol,
    30018: UnknownSymbol,  # no market orders there
    30019: UnknownSymbol,
    30021: UnknownSymbol,
    -2011: UnknownOrder,
    -2013: UnknownOrder,
    22222: UnknownOrder,
    30026: UnknownOrder,
    500: OutcomeUnknown,
    503: OutcomeUnknown,
    504: OutcomeUnknown,
}
FUTURES_ERRORS: dict[int, type[FeedError]] = {
    510: RateLimited,
    2037: RateLimited,
    401: BadCredentials,
    402: BadCredentials,
    406: BadCredentials,  # our address
    602: BadCredentials,
    513: ClockSkew,
    511: NotPermitted,
    604: NotPermitted,
    701: NotPermitted,
    702: NotPermitted,
    703: NotPermitted,
    704: NotPermitted,
    801: NotPermitted,
    6001: NotPermitted,
    2005: InsufficientFunds,
    2008: InsufficientFunds,
    2018: InsufficientFunds,
    600: InvalidOrder,  # a parameter is not what it may be
    1004: InvalidOrder,
    2003: InvalidOrder,
    2004: InvalidOrder,
    2009: InvalidOrder,  # there is no position to close
    2011: InvalidOrder,
    2015: InvalidOrder,
    2028: InvalidOrder,
    2030: InvalidOrder,  # our id is too long
    1001: UnknownSymbol,
    1002: UnknownSymbol,
    6002: UnknownSymbol,
    2040: UnknownOrder,
    2041: OrderIsFinal,
    2042: DuplicateOrder,
    500: OutcomeUnknown,
    501: OutcomeUnknown,
    9999: OutcomeUnknown,
}
ERRORS = {SPOT: SPOT_ERRORS, FUTURES: FUTURES_ERRORS}
