"""KuCoin's trading side as of 2026-11-20, of classic accounts and of unified ones; (?) marks what is unsure.

A classic account's keys do not trade on the unified endpoints, nor the other way round: `Credentials.account` holds
the generation.
"""

from enum import Enum, auto
from typing import NamedTuple

from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.kucoin.facts import FUTURES, HOSTS, SPOT, TRADE_TYPE, UNIFIED_VERSION, Generation
from apps.feeds.drivers.trading import Expiry, ExpiryCheck, TradeLimits
from apps.feeds.orders import Credentials, MarginMode, OrderStatus, PositionSide, TimeInForce

UNIFIED, CLASSIC = Generation.UNIFIED, Generation.CLASSIC


def generation(keys: Credentials) -> Generation:
    """Of a key whose account nobody has asked for yet: classic, as accounts are unless changed."""
    return UNIFIED if keys.account == UNIFIED else CLASSIC


class Deed(Enum):
    PLACE = auto()
    CANCEL = auto()
    CANCEL_OURS = auto()  # by our id
    CANCEL_ALL = auto()
    DEAD_MAN = auto()
    QUERY = auto()
    QUERY_OURS = auto()
    OPEN = auto()
    OPEN_SYMBOLS = auto()  # which symbols have open orders
    TRADES = auto()
    ORDER_TRADES = auto()
    BALANCES = auto()
    POSITIONS = auto()
    FEES = auto()
    FUNDING = auto()
    MARGIN_MODE = auto()
    LEVERAGE = auto()
    TOKEN = auto()


class Call(NamedTuple):
    """`{}` in a path is filled in; `params` are what is sent of what is known, in the query or in the body."""

    method: str
    path: str
    weight: int
    params: tuple[str, ...] = ()
    budget: str = ""  # the market's own where empty


PAGE = "100"
RECENT_MS = 7 * 24 * 3600_000 - 60_000  # no list of executions reaches further in one request
LAST_TRADES_MS = 600_000
MANAGEMENT = "management"

CALLS = {
    (CLASSIC, SPOT): {
        Deed.PLACE: Call("POST", "/api/v1/hf/orders", 1),
        Deed.CANCEL: Call("DELETE", "/api/v1/hf/orders/{orderId}", 1, ("symbol",)),
        Deed.CANCEL_OURS: Call("DELETE", "/api/v1/hf/orders/client-order/{clientOid}", 1, ("symbol",)),
        Deed.CANCEL_ALL: Call("DELETE", "/api/v1/hf/orders", 2, ("symbol",)),
        Deed.DEAD_MAN: Call("POST", "/api/v1/hf/orders/dead-cancel-all", 2),
        Deed.QUERY: Call("GET", "/api/v1/hf/orders/{orderId}", 2, ("symbol",)),
        Deed.QUERY_OURS: Call("GET", "/api/v1/hf/orders/client-order/{clientOid}", 2, ("symbol",)),
        Deed.OPEN: Call("GET", "/api/v1/hf/orders/active", 2, ("symbol",)),
        Deed.OPEN_SYMBOLS: Call("GET", "/api/v1/hf/orders/active/symbols", 2),
        Deed.TRADES: Call("GET", "/api/v1/hf/fills", 2, ("symbol", "startAt", "lastId", "limit")),
        Deed.ORDER_TRADES: Call("GET", "/api/v1/hf/fills", 2, ("symbol", "orderId", "lastId", "limit")),
        Deed.BALANCES: Call("GET", "/api/v1/accounts", 5, ("type",), MANAGEMENT),
        Deed.FEES: Call("GET", "/api/v1/trade-fees", 3, ("symbols",)),
        Deed.TOKEN: Call("POST", "/api/v1/bullet-private", 10),
    },
    (CLASSIC, FUTURES): {
        Deed.PLACE: Call("POST", "/api/v1/orders", 2),
        Deed.CANCEL: Call("DELETE", "/api/v1/orders/{orderId}", 1),
        Deed.CANCEL_OURS: Call("DELETE", "/api/v1/orders/client-order/{clientOid}", 1, ("symbol",)),
        Deed.CANCEL_ALL: Call("DELETE", "/api/v3/orders", 10, ("symbol",)),
        Deed.QUERY: Call("GET", "/api/v1/orders/{orderId}", 5),
        Deed.QUERY_OURS: Call("GET", "/api/v1/orders/byClientOid", 5, ("clientOid",)),
        Deed.OPEN: Call("GET", "/api/v1/orders", 2, ("status", "symbol", "currentPage", "pageSize")),
        Deed.TRADES: Call("GET", "/api/v1/fills", 5, ("symbol", "startAt", "currentPage", "pageSize")),
        Deed.ORDER_TRADES: Call("GET", "/api/v1/fills", 5, ("orderId", "currentPage", "pageSize")),
        Deed.BALANCES: Call("GET", "/api/v1/account-overview", 5, ("currency",)),
        Deed.POSITIONS: Call("GET", "/api/v1/positions", 2),
        Deed.FEES: Call("GET", "/api/v1/trade-fees", 3, ("symbol",)),
        Deed.FUNDING: Call("GET", "/api/v1/funding-history", 5, ("symbol", "startAt", "offset", "maxCount")),
        Deed.MARGIN_MODE: Call("POST", "/api/v2/position/changeMarginMode", 2),
        Deed.LEVERAGE: Call("POST", "/api/v2/changeCrossUserLeverage", 2),
        Deed.TOKEN: Call("POST", "/api/v1/bullet-private", 10),
    },
}
_UA = f"/api/ua/{UNIFIED_VERSION}"
_PRODUCT = ("tradeType", "symbol")
UNIFIED_CALLS = {
    Deed.PLACE: Call("POST", f"{_UA}/unified/order/place", 1),
    Deed.CANCEL: Call("POST", f"{_UA}/unified/order/cancel", 1, (*_PRODUCT, "orderId")),
    Deed.CANCEL_OURS: Call("POST", f"{_UA}/unified/order/cancel", 1, (*_PRODUCT, "clientOid")),
    Deed.CANCEL_ALL: Call("POST", f"{_UA}/unified/order/cancel-all", 20, (*_PRODUCT, "orderFilter")),
    Deed.QUERY: Call("GET", f"{_UA}/unified/order/detail", 4, (*_PRODUCT, "orderId")),
    Deed.QUERY_OURS: Call("GET", f"{_UA}/unified/order/detail", 4, (*_PRODUCT, "clientOid")),
    Deed.OPEN: Call("GET", f"{_UA}/unified/order/open-list", 4, (*_PRODUCT, "pageNumber", "pageSize")),
    Deed.TRADES: Call("GET", f"{_UA}/unified/order/execution", 4, (*_PRODUCT, "startAt", "lastId", "pageSize")),
    Deed.ORDER_TRADES: Call("GET", f"{_UA}/unified/order/execution", 4, (*_PRODUCT, "orderId", "lastId", "pageSize")),
    Deed.BALANCES: Call("GET", f"{_UA}/unified/account/balance", 5),
    Deed.POSITIONS: Call("GET", f"{_UA}/unified/position/open-list", 3),
    Deed.FEES: Call("GET", f"{_UA}/user/fee-rate", 3, _PRODUCT),
    Deed.FUNDING: Call("GET", f"{_UA}/position/funding-history", 15, ("symbol", "startAt", "lastId", "pageSize")),
    Deed.LEVERAGE: Call("POST", f"{_UA}/unified/account/modify-leverage", 20),
}
CALLS |= {(UNIFIED, SPOT): UNIFIED_CALLS, (UNIFIED, FUTURES): UNIFIED_CALLS}
ACCOUNT_MODE = Call("GET", f"{_UA}/account/mode", 30)
KEY_INFO = Call("GET", "/api/v1/user/api-key", 20, (), MANAGEMENT)
CLOCK = {SPOT: Call("GET", "/api/v1/timestamp", 3), FUTURES: Call("GET", "/api/v1/timestamp", 2)}

# Under which name the cursor of a list goes into the next request.
CURSORS = {
    (CLASSIC, SPOT, Deed.TRADES): "lastId",
    (CLASSIC, FUTURES, Deed.TRADES): "currentPage",
    (CLASSIC, FUTURES, Deed.OPEN): "currentPage",
    (CLASSIC, FUTURES, Deed.FUNDING): "offset",
    (UNIFIED, SPOT, Deed.TRADES): "lastId",
    (UNIFIED, FUTURES, Deed.TRADES): "lastId",
    (UNIFIED, SPOT, Deed.OPEN): "pageNumber",
    (UNIFIED, FUTURES, Deed.OPEN): "pageNumber",
    (UNIFIED, FUTURES, Deed.FUNDING): "lastId",
}

BUDGETS = {(CLASSIC, SPOT): "spot", (CLASSIC, FUTURES): "futures", (UNIFIED, SPOT): "unified"}
BUDGETS[(UNIFIED, FUTURES)] = BUDGETS[(UNIFIED, SPOT)]
LIMITS = TradeLimits(
    budgets={
        "spot": Rate(4000, 30.0),
        "futures": Rate(2000, 30.0),
        "unified": Rate(200, 3.0),
        MANAGEMENT: Rate(2000, 30.0),
    },
    private_sockets=50,  # 800 in the newest text
    greeted=True,
)

# A request's signature lives 5 s. Only classic spot orders carry an expiry of their own, which the gateway looks at.
SIGNATURE_MS = 5_000
EXPIRY = {
    SPOT: Expiry(check=ExpiryCheck.GATEWAY, longest_ms=SIGNATURE_MS),
    FUTURES: Expiry(check=ExpiryCheck.NONE, longest_ms=SIGNATURE_MS),
}

DEAD_MAN_S = (5, 86_400)  # from and to; of classic spot accounts alone
DEAD_MAN_OFF = -1

KEY_VERSION = "2"
TRADE_ACCOUNT = "trade"  # of the wallets of a classic account: hf orders use this one
WALLET_CURRENCY = "USDT"  # of classic futures, where each currency has a wallet and a request of its own
ACTIVE, PLAIN_ORDERS = "active", "NORMAL"
SELF_TRADE = "CN"  # the new order gives way
TIME_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "GTC"}
MARGIN_MODES = {"CROSS": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
POSITION_SIDES = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}
MAKER = {"maker": True, "taker": False}
BASE_UNIT, QUOTE_UNIT, CONTRACTS = "BASECCY", "QUOTECCY", "UNIT"
PRODUCT = TRADE_TYPE

# (event, state) of a classic push.
EVENTS = {
    ("received", "new"): OrderStatus.PENDING,
    ("open", "open"): OrderStatus.OPEN,
    ("match", "match"): OrderStatus.PARTIAL,
    ("match", "open"): OrderStatus.PARTIAL,
    ("update", "open"): OrderStatus.OPEN,
    ("filled", "done"): OrderStatus.FILLED,
    ("canceled", "done"): OrderStatus.CANCELLED,  # also what an IOC left, and post-only that would have taken
}
STATES = {  # of the unified API, in answers and in pushes
    "0": OrderStatus.PENDING,
    "1": OrderStatus.PENDING,
    "2": OrderStatus.OPEN,
    "3": OrderStatus.FILLED,
    "4": OrderStatus.PARTIAL,
    "5": OrderStatus.CANCELLED,
    "6": OrderStatus.CANCELLED,
}

# Our names of the channels: the commands' ids, which acknowledgements repeat.
ORDERS, FILLS, BALANCES, POSITIONS, LOGIN = "orders", "fills", "balances", "positions", "login"
TOPICS = {
    SPOT: {ORDERS: "/spotMarket/tradeOrdersV2", BALANCES: "/account/balance"},
    FUTURES: {
        ORDERS: "/contractMarket/tradeOrders",
        BALANCES: "/contractAccount/wallet",
        POSITIONS: "/contract/positionAll",
    },
}
OTHER_TOPICS = (
    "/spotMarket/advancedOrders", "/contractMarket/advancedOrders", "/contract/marginMode", "/contract/crossLeverage",
    "/margin/",
)  # fmt: skip
CHANNELS = {
    SPOT: {
        ORDERS: {"channel": "orderAll", "tradeType": "UNIFIED"},
        FILLS: {"channel": "execution", "tradeType": "UNIFIED"},
        BALANCES: {"channel": "balance", "accountType": "UNIFIED"},
    }
}
CHANNELS[FUTURES] = CHANNELS[SPOT] | {POSITIONS: {"channel": "positionAll", "tradeType": "UNIFIED"}}
OTHER_CHANNELS = frozenset(("order", "position", "leverage", "lw"))
UNIFIED_SOCKET = "wss://wsapi-push.kucoin.com"
LOGIN_PATH = "/api/websocket/users/verify"

# `permission` of a key.
READS, TRADES_SPOT, TRADES_FUTURES = "General", "Spot", "Futures"
TRADES_UNIFIED = "Unified"
WITHDRAWS = frozenset(("Transfer", "Withdrawal", "Withdraw"))  # (?) the first is to other users and out of the exchange

HOST_OF = {
    (CLASSIC, SPOT): HOSTS[SPOT],
    (CLASSIC, FUTURES): HOSTS[FUTURES],
    (UNIFIED, SPOT): HOSTS[SPOT],
    (UNIFIED, FUTURES): HOSTS[SPOT],
}
