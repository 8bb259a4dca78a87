"""MEXC's streams of one account and its answers, as its documents show them."""

from apps.feeds.market import MarketType
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, keys, limit_order, listed, ref
from apps.feeds.tests.proto_frames import Message, encoded

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = keys()
BTC = listed("mexc", SPOT, "BTCUSDT")
SWAP = listed("mexc", FUTURES, "BTC_USDT", contract_size="0.0001")
NOW = 1_790_000_000_000
THEIRS = "C02__505979017439002624115"
ORDERS, DEALS, ACCOUNT = (f"spot@private.{name}.v3.api.pb" for name in ("orders", "deals", "account"))


def push(channel: str, number: int, body: Message) -> bytes:
    """A wrapper as the public schema numbers it."""
    return encoded([(1, channel), (3, "BTCUSDT"), (6, NOW), (number, body)])


PUSHED_ORDER: Message = [
    (1, THEIRS), (2, CLIENT_ORDER_ID), (3, "30000.5"), (4, "0.003"), (5, "90.0015"), (6, "30000"), (7, 1), (8, 1),
    (10, "60"), (11, "0.002"), (12, "0.001"), (13, "0.001"), (14, "30"), (15, 3), (16, NOW),
]  # fmt: skip
PUSHED_DEAL: Message = [
    (1, "30000"), (2, "0.001"), (3, "30"), (4, 2), (5, 1), (7, "505979017439002624X1"), (8, CLIENT_ORDER_ID),
    (9, THEIRS), (10, "0.0003998"), (11, "MX"), (12, NOW),
]  # fmt: skip
PUSHED_ACCOUNT: Message = [(1, "USDT"), (2, "128f"), (3, "21.9"), (4, "-1"), (5, "1"), (6, "1"), (7, "TRADE"), (8, NOW)]

SWAP_ORDER = {
    "orderId": "739113577038255616",
    "symbol": "BTC_USDT",
    "price": 30000.5,
    "vol": 10,
    "side": 1,
    "orderType": 1,
    "dealVol": 4,
    "dealAvgPrice": 30000,
    "state": 2,
    "errorCode": 0,
    "externalOid": CLIENT_ORDER_ID,
    "createTime": NOW,
    "updateTime": NOW,
}
DEAL = {
    "id": "311655369",
    "orderId": "739113577038255616",
    "externalOid": CLIENT_ORDER_ID,
    "symbol": "BTC_USDT",
    "side": 4,
    "price": 30000.5,
    "vol": 1,
    "fee": 0.00060288,
    "feeCurrency": "USDT",
    "isTaker": True,
    "timestamp": NOW,
}
HELD = {
    "positionId": 1394650,
    "symbol": "BTC_USDT",
    "positionType": 1,
    "openType": 1,
    "state": 1,
    "holdVol": 1,
    "holdAvgPrice": 30000.5,
    "liquidatePrice": 20000,
    "leverage": 3,
}
ASSET = {"currency": "USDT", "availableBalance": 0.75, "frozenBalance": 0, "positionMargin": 0, "bonus": 0}

PRIVATE = {
    SPOT: [
        {"id": 0, "code": 0, "msg": f"{ORDERS},{DEALS},{ACCOUNT}"},
        {"id": 0, "code": 0, "msg": f"Not Subscribed successfully! [{ORDERS}].  Reason： Blocked! "},
        {"id": 0, "code": 0, "msg": "PONG"},
        "Invalid listen key",
        push(ORDERS, 304, PUSHED_ORDER),
        push(DEALS, 306, PUSHED_DEAL),
        push(ACCOUNT, 307, PUSHED_ACCOUNT),
    ],
    FUTURES: [
        {"channel": "rs.login", "data": "success", "ts": NOW},
        {"channel": "rs.personal.filter", "data": "success", "ts": NOW},
        {"channel": "rs.error", "data": "more than 60 seconds no response, close the channel", "ts": NOW},
        {"channel": "rs.error", "data": "Signature verification failed", "ts": NOW},
        {"channel": "pong", "data": NOW, "ts": NOW},
        {"channel": "push.personal.order", "data": SWAP_ORDER, "ts": NOW},
        {"channel": "push.personal.order.deal", "data": DEAL, "ts": NOW},
        {"channel": "push.personal.position", "data": HELD, "ts": NOW},
        {"channel": "push.personal.asset", "data": ASSET, "ts": NOW},
        {"channel": "push.personal.risk.limit", "data": {}, "ts": NOW},
    ],
}

SPOT_ORDER = {
    "symbol": "BTCUSDT",
    "orderId": THEIRS,
    "clientOrderId": CLIENT_ORDER_ID,
    "price": "30000.5",
    "origQty": "0.003",
    "executedQty": "0.001",
    "cummulativeQuoteQty": "30",
    "status": "PARTIALLY_FILLED",
    "side": "BUY",
    "time": NOW,
    "updateTime": NOW,
}
TRADE = {
    "symbol": "BTCUSDT",
    "id": "505X1",
    "orderId": THEIRS,
    "price": "30000",
    "qty": "0.001",
    "commission": "0.02",
    "commissionAsset": "MX",
    "time": NOW,
    "isBuyer": True,
    "isMaker": False,
    "clientOrderId": CLIENT_ORDER_ID,
}
WALLET = {"canTrade": True, "canWithdraw": True, "balances": [{"asset": "USDT", "free": "10", "locked": "1"}]}
RATES = {"symbol": "BTCUSDT", "makerCommission": "0", "takerCommission": "0.0005"}
SETTLED = {"id": 7423910, "symbol": "BTC_USDT", "funding": 0.0007, "rate": -0.00002, "settleTime": NOW}


def envelope(data: object) -> dict[str, object]:
    return {"success": True, "code": 0, "data": data}


CANCEL_REFUSED = [{"orderId": 101716841474621953, "errorCode": 2041, "errorMsg": "order state cannot be cancelled"}]
ANSWERS = [
    Good("parse_placed", (limit_order(BTC),), {"symbol": "BTCUSDT", "orderId": THEIRS}),
    Good("parse_placed", (limit_order(BTC),), {"code": 10101, "msg": "资金不足"}, status=400),
    Good("parse_placed", (limit_order(SWAP),), envelope({"orderId": "739113577038255616", "ts": NOW})),
    Good("parse_placed", (limit_order(SWAP),), {"success": False, "code": 2005, "message": "Insufficient balance!"}),
    Good("parse_cancelled", (ref(BTC),), SPOT_ORDER),
    Good("parse_cancelled", (ref(BTC),), {"code": -2011, "msg": "Unknown order sent."}, status=400),
    Good("parse_cancelled", (ref(SWAP),), envelope([{"orderId": 1, "errorCode": 0, "errorMsg": "success"}])),
    Good("parse_cancelled", (ref(SWAP),), envelope(CANCEL_REFUSED)),
    Good("parse_cancelled_all", (BTC,), [SPOT_ORDER]),
    Good("parse_cancelled_all", (SWAP,), {"success": True, "code": 0}),
    Good("parse_order", (ref(BTC),), SPOT_ORDER),
    Good("parse_order", (ref(BTC),), {"code": -2013, "msg": "Order does not exist."}, status=400),
    Good("parse_order", (ref(SWAP),), envelope(SWAP_ORDER)),
    Good("parse_order", (ref(SWAP),), {"success": True, "code": 0}),
    Good("parse_open_orders", (SPOT,), [SPOT_ORDER]),
    Good("parse_open_orders", (FUTURES,), envelope([SWAP_ORDER])),
    Good("parse_own_trades", (BTC,), [TRADE]),
    Good("parse_own_trades", (SWAP,), envelope([DEAL])),
    Good("parse_balances", (SPOT,), WALLET),
    Good("parse_balances", (FUTURES,), envelope([ASSET])),
    Good("parse_positions", (), envelope([HELD])),
    Good("parse_fees", (BTC,), {"symbols": [RATES]}),
    Good("parse_fees", (SWAP,), envelope([{"symbol": "BTC_USDT", "makerFeeRate": 0, "takerFeeRate": 0.0002}])),
    Good("parse_funding", (SWAP,), envelope({"totalPage": 1, "currentPage": 1, "resultList": [SETTLED]})),
    Good("parse_leverage_set", (), {"success": True, "code": 0}),
    Good("parse_server_time", (SPOT,), {"serverTime": NOW}),
    Good("parse_server_time", (FUTURES,), envelope(NOW)),
    Good("parse_permissions", (), WALLET),
    Good("parse_token", (SPOT,), {"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8"}),
]
