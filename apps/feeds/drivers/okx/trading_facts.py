"""OKX API v5 trading side as of 2026-11-20; spot and swaps share every endpoint and channel."""

from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.okx import facts
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
    RequestExpired,
    UnknownOrder,
    UnknownSymbol,
)
from apps.feeds.orders import MarginMode, OrderStatus, OrderType, PositionSide, TimeInForce

HOST = facts.REST.removesuffix("/api/v5")  # of the entity that issued the key
SOCKET = "wss://ws.okx.com:8443/ws/v5/private"
LOGIN_PATH = "/users/self/verify"

# `expTime` is compared with the system's time; whether the matcher does so too is not told. Signatures live 30 s.
EXPIRY = Expiry(check=ExpiryCheck.GATEWAY, longest_ms=30_000)

# Of the account; the exchange allows the first three to each instrument. Of "account" balances and positions weigh 1.
ORDERS, CANCELS, READS, ACCOUNT, TIMERS = "orders", "cancels", "reads", "account", "timers"
LIMITS = TradeLimits(
    budgets={
        ORDERS: Rate(60, 2.0),
        CANCELS: Rate(60, 2.0),
        READS: Rate(60, 2.0),
        ACCOUNT: Rate(10, 2.0),
        TIMERS: Rate(1, 1.0),
    },
    private_sockets=30,  # for each channel
)
OLD_FILLS_WEIGHT, SLOW_WEIGHT, TIME_WEIGHT = 6, 2, 4  # 10 and 5 in 2 s; public time: 10 of 40

# The timer of orders of one tag, else both markets would share one. One request a second; to be begun anew each second,
# says the exchange: at a fifth of its limit there is time for some that fail.
DEAD_MAN = DeadManTerms(timer_ms=30_000, refresh_ms=5_000)
DEAD_MAN_S = (10, 120)  # from and to
DEAD_MAN_OFF = 0
TAGS = {facts.SPOT: "ctspot", facts.FUTURES: "ctfutures"}

PAGE = 100
RECENT_FILLS_MS = 3 * 24 * 3600_000 - 60_000  # older ones only in the slower list of three months
RECENT_BILLS_MS = 7 * 24 * 3600_000 - 60_000
LAST_TRADES_MS = 600_000
FUNDING_BILL = "8"

LIMIT_KIND = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.POST_ONLY: "post_only"}
MARKET_KIND = OrderType.MARKET.value
CASH = "cash"
BASE_UNIT, QUOTE_UNIT = "base_ccy", "quote_ccy"  # of `sz` in a spot market order; buys default to the quote
SELF_TRADE = "cancel_taker"  # the new order gives way
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
POSITION_SIDES = {"net": PositionSide.NET, "long": PositionSide.LONG, "short": PositionSide.SHORT}
MAKER = {"M": True, "T": False, "": None}

ORDER_STATUS = {
    "live": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIAL,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,  # also what an IOC left, and post-only that would have taken (cancelSource 31)
    "mmp_canceled": OrderStatus.CANCELLED,
    "order_failed": OrderStatus.REJECTED,
}
ORDINARY = "normal"  # other categories are orders that OKX made: liquidations, deleveraging
NO_TRADE = frozenset(("", "0"))

TRADES, WITHDRAWS = "trade", "withdraw"  # `perm` of a key; every key reads
SPOT_ONLY_MODE = "1"  # `acctLv`

ORDERS_CHANNEL, BALANCE_CHANNEL, POSITIONS_CHANNEL = "orders", "account", "positions"
CHANNELS = {
    facts.SPOT: (ORDERS_CHANNEL, BALANCE_CHANNEL),
    facts.FUTURES: (ORDERS_CHANNEL, BALANCE_CHANNEL, POSITIONS_CHANNEL),
}
ON_CHANGE = '{"updateInterval":"0"}'  # else repeated every few seconds
OTHER_CHANNELS = frozenset(("balance_and_position", "fills", "orders-algo", "liquidation-warning", "account-greeks"))
SNAPSHOT = "snapshot"
LOGIN_CODES = frozenset((
    "60004", "60005", "60006", "60007", "60009", "60024", "60032", "50100", "50101", "50105", "50110", "50111",
    "50113", "50119",
))  # fmt: skip

TOO_MANY = frozenset(("50011", "50040", "50061"))
CANCELLING = "51410"  # a cancel of it is under way already

# Of the classes "general" and "trade" of OKX's error codes, by their words as ccxt 4.5.90 lists them (2026-11-21): each
# says that the order was not taken, before anything of it could trade.
_CHECKED_BEFORE: dict[type[FeedError], tuple[str, ...]] = {
    NotPermitted: ("50009",),  # while the account is being liquidated
    Refused: (
        "50012", "50017", "50018", "50019", "50020", "50021", "50022", "50023", "50028",  # frozen
        "51029", "51030",  # while the contract or its funding is settled
    ),
    InvalidOrder: (
        "50000", "50002", "50006", "50015", "50016", "50024",  # the request itself
        "51007", "51100", "51104", "51105", "51106", "51107", "51108", "51118", "51132", "51185",  # its size
        "51031", "51135", "51136", "51204",  # its price
        "51015", "51023", "51110", "51117", "51124", "51125", "51126", "51128", "51129", "51133", "51134",
        "51139", "51174",
    ),
}  # fmt: skip

ERRORS: dict[str, type[FeedError]] = {
    "50001": OutcomeUnknown,  # busy, system error: their side
    "50004": OutcomeUnknown,  # "does not mean that the request was successful or failed"
    "50005": OutcomeUnknown,
    "50013": OutcomeUnknown,
    "50026": OutcomeUnknown,
    "51054": OutcomeUnknown,
    "51149": OutcomeUnknown,
    "50011": RateLimited,
    "50040": RateLimited,
    "50061": RateLimited,  # new orders of the sub-account
    "50100": BadCredentials,
    "50101": BadCredentials,  # of the other environment
    "50103": BadCredentials,
    "50104": BadCredentials,
    "50105": BadCredentials,
    "50106": BadCredentials,
    "50110": BadCredentials,  # our address
    "50111": BadCredentials,
    "50113": BadCredentials,
    "50114": BadCredentials,
    "50119": BadCredentials,
    "50102": ClockSkew,
    "50107": ClockSkew,
    "50112": ClockSkew,
    "50036": RequestExpired,
    "50037": RequestExpired,
    "50007": NotPermitted,
    "50027": NotPermitted,
    "50030": NotPermitted,
    "50035": NotPermitted,
    "50120": NotPermitted,
    "51009": NotPermitted,
    "51010": NotPermitted,  # the account's mode cannot do that
    "51024": NotPermitted,
    "51001": UnknownSymbol,
    "51021": UnknownSymbol,
    "51022": UnknownSymbol,
    "51027": UnknownSymbol,
    "51028": UnknownSymbol,
    "51087": UnknownSymbol,
    "51155": UnknownSymbol,  # not for residents of our country
    "50014": Refused,
    "51025": Refused,  # too many orders
    "51102": Refused,
    "51103": Refused,
    "51000": InvalidOrder,  # a parameter is not what it may be: a price off the tick, too
    "51004": InvalidOrder,
    "51005": InvalidOrder,
    "51006": InvalidOrder,
    "51020": InvalidOrder,
    "51101": InvalidOrder,
    "51112": InvalidOrder,  # more than there is to close
    "51116": InvalidOrder,
    "51120": InvalidOrder,
    "51121": InvalidOrder,
    "51122": InvalidOrder,
    "51137": InvalidOrder,
    "51138": InvalidOrder,
    "51148": InvalidOrder,
    "51169": InvalidOrder,
    "51170": InvalidOrder,
    "51201": InvalidOrder,
    "51202": InvalidOrder,
    "51203": InvalidOrder,
    "51205": InvalidOrder,
    "51008": InsufficientFunds,
    "51119": InsufficientFunds,
    "51127": InsufficientFunds,
    "51131": InsufficientFunds,
    "50071": DuplicateOrder,
    "51011": DuplicateOrder,
    "51016": DuplicateOrder,
    "51400": UnknownOrder,
    "51503": UnknownOrder,
    "51603": UnknownOrder,
    "51401": OrderIsFinal,
    "51402": OrderIsFinal,
    **{code: kind for kind, codes in _CHECKED_BEFORE.items() for code in codes},
}
