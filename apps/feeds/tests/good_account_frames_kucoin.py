"""Good private frames and REST answers of KuCoin, classic and unified, hand-written from its documents."""

from typing import Any

from apps.feeds.market import MarketType
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, keys, limit_order, listed, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = keys()
BTC = listed("kucoin", SPOT, "BTC-USDT")
XBT = listed("kucoin", FUTURES, "XBTUSDTM", contract_size="0.001")
MS, NS = 1790000000000, 1790000000000000000


def told(data: Any, code: str = "200000") -> dict[str, Any]:
    return {"code": code, "data": data}


def refused(code: str, msg: str = "no") -> dict[str, Any]:
    return {"code": code, "msg": msg}


def push(topic: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"topic": topic, "type": "message", "subject": subject, "channelType": "private", "data": data}


SPOT_EVENT = {
    "clientOid": CLIENT_ORDER_ID,
    "orderId": "4611",
    "orderTime": MS,
    "orderType": "limit",
    "originSize": "0.003",
    "size": "0.003",
    "filledSize": "0",
    "remainSize": "0.003",
    "canceledSize": "0",
    "price": "30000.5",
    "side": "buy",
    "status": "open",
    "symbol": "BTC-USDT",
    "ts": NS,
    "type": "open",
}
MATCH = {
    "type": "match",
    "status": "match",
    "filledSize": "0.001",
    "remainSize": "0.002",
    "matchPrice": "30000",
    "matchSize": "0.001",
    "tradeId": "77",
    "liquidity": "taker",
}
FUTURES_EVENT = {
    "symbol": "XBTUSDTM",
    "orderId": "4611",
    "clientOid": CLIENT_ORDER_ID,
    "side": "sell",
    "type": "open",
    "status": "open",
    "size": "3",
    "filledSize": "0",
    "remainSize": "3",
    "price": "30000",
    "orderTime": str(NS),
    "ts": NS,
    "marginMode": "ISOLATED",
}
SPOT_BALANCE = {
    "currency": "USDT",
    "total": "100.5",
    "available": "90",
    "hold": "10.5",
    "relationEvent": "trade.hold",
    "time": str(MS),
}
WALLET = {
    "currency": "USDT",
    "walletBalance": "100.5",
    "availableBalance": "90",
    "holdBalance": "0",
    "equity": "101",
    "version": "7",
    "timestamp": str(MS),
}
HELD = {
    "symbol": "XBTUSDTM",
    "currentQty": -2,
    "avgEntryPrice": 30000.5,
    "markPrice": 30001,
    "liquidationPrice": 40000,
    "realLeverage": 4.97,
    "leverage": 5,
    "unrealisedPnl": -0.5,
    "isOpen": True,
    "marginMode": "ISOLATED",
    "positionSide": "BOTH",
    "changeReason": "positionChange",
    "settleCurrency": "USDT",
}
UNIFIED_EVENT = {
    "tT": "SPOT",
    "oi": "4611",
    "ci": CLIENT_ORDER_ID,
    "os": 4,
    "eT": "MATCH",
    "s": "BTC-USDT",
    "S": "BUY",
    "p": "30000.5",
    "q": "0.003",
    "qU": "BASECCY",
    "fS": "0.001",
    "lS": "0.001",
    "aP": "30000",
    "f": "0.03",
    "fC": "USDT",
    "cR": "",
    "O": str(NS),
    "U": NS,
}
EXECUTION = {
    "E": NS,
    "S": "BUY",
    "f": "0.03",
    "fC": "USDT",
    "p": "30000",
    "q": "0.001",
    "s": "BTC-USDT",
    "lR": "TAKER",
    "oi": "4611",
    "ti": "77",
}
ASSET = {"c": "USDT", "b": "100.5", "a": "90", "h": "10.5", "e": "101", "U": str(NS)}
UNIFIED_HELD = {"s": "XBTUSDTM", "q": "-2", "eP": "30000.5", "mP": "30001", "lP": "40000", "uPL": "-0.5", "rPL": "0"}


def unified(channel: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"T": channel, "P": str(NS), "d": data}


EVENTS = [
    {"id": "ct", "type": "welcome"},
    {"sessionId": "e8e46556-d1e4", "message": "welcome", "pingInterval": 18000},
    {"id": "orders", "type": "ack"},
    {"id": "orders", "type": "error", "code": 404, "data": "topic does not exist"},
    {"id": "0", "type": "error", "code": 401, "data": "token is expired"},
    {"id": "0", "type": "error", "code": 509, "data": "exceed max permits per 10 seconds"},
    {"id": "0", "type": "pong", "timestamp": MS},
    {"id": "orders", "result": True},
    {"id": "orders", "result": False, "message": "invalid request data"},
    {"id": "login", "result": True},
    {"id": "login", "result": False, "reason": "invalid sign"},
]
PRIVATE = {
    SPOT: [
        *EVENTS,
        push("/spotMarket/tradeOrdersV2", "orderChange", SPOT_EVENT),
        push("/spotMarket/tradeOrdersV2", "orderChange", SPOT_EVENT | MATCH),
        push("/spotMarket/tradeOrders", "orderChange", SPOT_EVENT | {"type": "canceled", "status": "done"}),
        push("/account/balance", "account.balance", SPOT_BALANCE),
        unified("orderAll.UNIFIED", UNIFIED_EVENT),
        unified("execution.UNIFIED", EXECUTION),
        unified("execution.lite.UNIFIED", {name: EXECUTION[name] for name in EXECUTION if name not in ("f", "fC")}),
        unified("balance.UNIFIED", ASSET),
    ],
    FUTURES: [
        *EVENTS,
        push("/contractMarket/tradeOrders:XBTUSDTM", "symbolOrderChange", FUTURES_EVENT),
        push("/contractMarket/tradeOrders", "orderChange", FUTURES_EVENT | MATCH | {"matchSize": "1"}),
        push("/contractAccount/wallet", "walletBalance.change", WALLET),
        push("/contractAccount/wallet", "availableBalance.change", {"availableBalance": 5923, "currency": "USDT"}),
        push("/contract/positionAll", "position.change", HELD),
        push("/contract/position:XBTUSDTM", "position.change", {"markPrice": 1, "unrealisedPnl": 2}),
        push("/contract/position:XBTUSDTM", "position.settlement", {"qty": 1, "fundingFee": -296, "ts": NS}),
        unified("orderAll.UNIFIED", UNIFIED_EVENT | {"s": "XBTUSDTM", "q": "3", "qU": "UNIT"}),
        unified("positionAll.UNIFIED", UNIFIED_HELD),
        unified("balance.UNIFIED", ASSET),
    ],
}

PLACED = told({"orderId": "4611", "clientOid": CLIENT_ORDER_ID})
SPOT_ORDER = {
    "id": "4611",
    "clientOid": CLIENT_ORDER_ID,
    "symbol": "BTC-USDT",
    "type": "limit",
    "side": "buy",
    "price": "30000.5",
    "size": "0.003",
    "funds": "90.0015",
    "dealSize": "0.001",
    "dealFunds": "30",
    "fee": "0.03",
    "feeCurrency": "USDT",
    "cancelExist": False,
    "active": True,
    "inOrderBook": True,
    "createdAt": MS,
    "lastUpdatedAt": MS,
}
FUTURES_ORDER = {
    "id": "4611",
    "clientOid": CLIENT_ORDER_ID,
    "symbol": "XBTUSDTM",
    "type": "limit",
    "side": "sell",
    "price": "30000.5",
    "size": 3,
    "dealSize": 1,
    "dealValue": "30",
    "avgDealPrice": "30000",
    "isActive": True,
    "cancelExist": False,
    "status": "open",
    "createdAt": MS,
    "updatedAt": MS,
}
UNIFIED_ORDER = {
    "orderId": "4611",
    "clientOid": CLIENT_ORDER_ID,
    "symbol": "BTC-USDT",
    "orderType": "LIMIT",
    "side": "BUY",
    "size": "0.003",
    "sizeUnit": "BASECCY",
    "price": "30000.5",
    "filledSize": "0.001",
    "avgPrice": "30000",
    "fee": "0.03",
    "feeCurrency": "USDT",
    "cancelReason": "",
    "status": 4,
    "orderTime": NS,
    "updatedTime": NS,
}
SPOT_FILL = {
    "id": 5,
    "tradeId": 77,
    "orderId": "4611",
    "symbol": "BTC-USDT",
    "side": "buy",
    "liquidity": "maker",
    "price": "30000",
    "size": "0.001",
    "funds": "30",
    "fee": "0.03",
    "feeCurrency": "USDT",
    "createdAt": MS,
}
FUTURES_FILL = {
    "tradeId": "77",
    "orderId": "4611",
    "symbol": "XBTUSDTM",
    "side": "buy",
    "liquidity": "taker",
    "price": "30000",
    "size": 1,
    "fee": "-0.03",
    "feeCurrency": "USDT",
    "tradeTime": NS,
    "createdAt": MS,
}
UNIFIED_FILL = {
    "tradeId": "77",
    "orderId": "4611",
    "symbol": "BTC-USDT",
    "side": "BUY",
    "liquidityRole": "MAKER",
    "price": "30000",
    "size": "0.001",
    "fee": "0.03",
    "feeCurrency": "USDT",
    "executionTime": NS,
}
OVERVIEW = {
    "accountEquity": 101,
    "unrealisedPNL": 0.5,
    "marginBalance": 100.5,
    "availableBalance": 90,
    "currency": "USDT",
}
UNIFIED_ASSET = {"currency": "USDT", "equity": "101", "hold": "10.5", "balance": "100.5", "available": "90"}
UNIFIED_WALLET = {"accountType": "UNIFIED", "ts": MS, "accounts": [{"currencies": [UNIFIED_ASSET]}]}
UNIFIED_POSITION = {
    "symbol": "XBTUSDTM",
    "marginMode": "CROSS",
    "size": "-2",
    "entryPrice": "30000.5",
    "markPrice": "30001",
    "leverage": "5",
    "unrealizedPnL": "-0.5",
    "realizedPnL": "0",
}
RATE = {"symbol": "XBTUSDTM", "takerFeeRate": "0.0006", "makerFeeRate": "0.0002"}
PAYMENT = {
    "id": 5,
    "symbol": "XBTUSDTM",
    "timePoint": MS,
    "fundingRate": 0.0001,
    "markPrice": 30000,
    "positionQty": 12,
    "positionCost": 360,
    "funding": -0.036,
    "settleCurrency": "USDT",
}
UNIFIED_PAYMENT = {
    "symbol": "XBTUSDTM",
    "fundingRate": "0.0001",
    "fundingFee": "0.036",
    "settleCurrency": "USDT",
    "settlementTime": MS,
}
BULLET = {
    "token": "the-token==",
    "instanceServers": [{"endpoint": "wss://ws-api-spot.kucoin.com/", "pingInterval": 18000, "pingTimeout": 10000}],
}
KEY = {"uid": 1, "permission": "General,Futures,Spot", "ipWhitelist": "10.0.0.1", "createdAt": MS}
ANSWERS = [
    Good("parse_placed", (limit_order(BTC),), PLACED),
    Good("parse_placed", (limit_order(BTC),), told({"orderId": "4611", "tradeType": "SPOT", "ts": NS})),
    Good("parse_placed", (limit_order(BTC),), refused("200004", "Balance insufficient!")),
    Good("parse_placed", (limit_order(XBT),), refused("400005", "Invalid KC-API-SIGN"), status=401),
    Good("parse_cancelled", (ref(BTC),), told({"clientOid": CLIENT_ORDER_ID})),
    Good("parse_cancelled", (ref(XBT),), told({"cancelledOrderIds": ["4611"]})),
    Good("parse_cancelled", (ref(BTC),), refused("400100", "order_not_exist_or_not_allow_to_cancel"), status=400),
    Good("parse_cancelled_all", (BTC,), told("success")),
    Good("parse_cancelled_all", (XBT,), told({"cancelledOrderIds": ["4611", "4612"]})),
    Good("parse_order", (ref(BTC),), told(SPOT_ORDER)),
    Good("parse_order", (ref(XBT),), told(FUTURES_ORDER)),
    Good("parse_dead_man", (SPOT, 5_000, 1), told({"currentTime": 1_729_656_588, "triggerTime": 1_729_656_593})),
    Good("parse_order", (ref(BTC),), told(UNIFIED_ORDER)),
    Good("parse_order", (ref(XBT),), refused("100001", "error.getOrder.orderNotExist")),
    Good("parse_open_orders", (SPOT,), told([SPOT_ORDER])),
    Good("parse_open_orders", (SPOT,), told({"symbols": ["BTC-USDT"]})),
    Good("parse_open_orders", (FUTURES,), told({"currentPage": 1, "totalPage": 2, "items": [FUTURES_ORDER]})),
    Good("parse_open_orders", (SPOT,), told({"pageNumber": 1, "totalPage": 1, "items": [UNIFIED_ORDER]})),
    Good("parse_own_trades", (BTC,), told({"items": [SPOT_FILL], "lastId": 5})),
    Good("parse_own_trades", (XBT,), told([FUTURES_FILL])),
    Good("parse_own_trades", (BTC,), told({"items": [UNIFIED_FILL], "lastId": 5})),
    Good("parse_balances", (SPOT,), told([{"currency": "USDT", "type": "trade", "balance": "1", "available": "1"}])),
    Good("parse_balances", (FUTURES,), told(OVERVIEW)),
    Good("parse_balances", (SPOT,), told(UNIFIED_WALLET)),
    Good("parse_positions", (), told([HELD, UNIFIED_POSITION])),
    Good("parse_fees", (XBT,), told(RATE)),
    Good("parse_fees", (XBT,), told([RATE])),
    Good("parse_fees", (XBT,), told({"tradeType": "FUTURES", "list": [RATE]})),
    Good("parse_funding", (XBT,), told({"dataList": [PAYMENT], "hasMore": True})),
    Good("parse_funding", (XBT,), told({"items": [UNIFIED_PAYMENT], "lastId": 9})),
    Good("parse_leverage_set", (), told(True)),
    Good("parse_server_time", (SPOT,), told(MS)),
    Good("parse_permissions", (), told(KEY)),
    Good("parse_token", (SPOT,), told(BULLET)),
]
