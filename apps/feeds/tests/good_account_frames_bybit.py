"""Good private frames and REST answers of Bybit, hand-written from its documents."""

from typing import Any

from apps.feeds.market import MarketType
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, keys, limit_order, listed, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = keys()
BTC = listed("bybit", SPOT, "BTCUSDT")
SWAP = listed("bybit", FUTURES, "BTCUSDT")
T = 1790000000000


def order(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": "4611",
        "orderLinkId": CLIENT_ORDER_ID,
        "side": "Buy",
        "orderType": "Limit",
        "timeInForce": "GTC",
        "orderStatus": "PartiallyFilled",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "price": "30000.5",
        "qty": "0.003",
        "avgPrice": "30000.1",
        "cumExecQty": "0.001",
        "cumExecValue": "30.0001",
        "marketUnit": "",
        "createdTime": str(T),
        "updatedTime": str(T),
    } | changes


def execution(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": "4611",
        "orderLinkId": CLIENT_ORDER_ID,
        "execId": "2800474f-1e3d",
        "side": "Buy",
        "execPrice": "30000.1",
        "execQty": "0.001",
        "execType": "Trade",
        "execTime": str(T),
        "execFee": "0.0165",
        "feeRate": "0.00055",
        "feeCurrency": "USDT",
        "isMaker": False,
        "seq": 8883610598,
        "extraFees": [{"feeCoin": "USDT", "feeType": "GST", "feeRate": "0.00006", "fee": "0.002"}],
    } | changes


def coin(**changes: Any) -> dict[str, Any]:
    return {
        "coin": "USDT",
        "walletBalance": "9997.1",
        "equity": "10131.3",
        "locked": "5",
        "totalOrderIM": "404.18",
        "totalPositionIM": "538.0",
        "unrealisedPnl": "134.2",
    } | changes


def position(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "side": "Sell",
        "size": "0.01",
        "positionIdx": 0,
        "entryPrice": "36410.75",
        "leverage": "30",
        "unrealisedPnl": "-0.00255",
        "liqPrice": "51764.8",
    } | changes


def push(topic: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"id": "1", "topic": topic, "creationTime": T, "data": list(rows)}


WALLET = {"accountType": "UNIFIED", "totalEquity": "1", "coin": [coin(), coin(coin="BTC", equity="", locked="")]}
CONTROL: list[dict[str, Any]] = [
    {"success": True, "ret_msg": "", "op": "auth", "conn_id": "c"},
    {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c"},
    {"success": False, "ret_msg": "error:USVC1111", "conn_id": "c", "request": {"op": "auth", "args": ["key", "1"]}},
    {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c"},
    {"success": False, "ret_msg": "error:handler not found,topic:orders", "op": "subscribe", "req_id": "1"},
    {"req_id": "test", "op": "pong", "args": ["1675418560633"], "conn_id": "c"},
]


def market(category: str) -> list[dict[str, Any]]:
    return [
        push("order", order(category=category)),
        push("order", order(category=category, orderStatus="Cancelled", timeInForce="IOC", rejectReason="EC_X")),
        push("execution", execution(category=category), execution(category=category, execType="Funding")),
        push("execution", execution(category=category, execFee="")),
        push("wallet", WALLET),
        push("execution.fast", {"category": category, "symbol": "BTCUSDT", "execId": "1"}),
    ]


PRIVATE = {
    SPOT: CONTROL + market("spot"),
    FUTURES: CONTROL + market("linear") + [push("position", position(category="linear"))],
}


def told(result: Any, **changes: Any) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": T} | changes


def refused(code: int, text: str) -> dict[str, Any]:
    return told({}, retCode=code, retMsg=text)


def rows(*listed_rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return told({"list": list(listed_rows), "nextPageCursor": ""} | changes)


LOG_ROW = {
    "symbol": "BTCUSDT",
    "id": "592324",
    "type": "SETTLEMENT",
    "currency": "USDT",
    "funding": "-0.003676",
    "change": "-0.003676",
    "feeRate": "0.0001",
    "transactionTime": str(T),
}
KEY = {
    "apiKey": "a-key",
    "readOnly": 0,
    "permissions": {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]},
    "ips": ["10.0.0.1"],
    "expiredAt": "2027-05-15T03:13:24Z",
}
PLACED = {"orderId": "4611", "orderLinkId": CLIENT_ORDER_ID}

ANSWERS = [
    Good("parse_placed", (limit_order(BTC),), told(PLACED)),
    Good("parse_placed", (limit_order(SWAP),), told(PLACED)),
    Good("parse_placed", (limit_order(BTC),), refused(170131, "Balance insufficient")),
    Good("parse_placed", (limit_order(SWAP),), refused(110072, "OrderLinkedID is duplicate")),
    Good("parse_placed", (limit_order(SWAP),), refused(10006, "Too many visits!")),
    Good("parse_cancelled", (ref(BTC),), told(PLACED)),
    Good("parse_cancelled", (ref(SWAP),), refused(110001, "Order does not exist")),
    Good("parse_cancelled_all", (BTC,), told({"list": [PLACED], "success": "1"})),
    Good("parse_cancelled_all", (SWAP,), refused(10000, "Server Timeout")),
    Good("parse_order", (ref(BTC),), rows(order(), category="spot")),
    Good("parse_order", (ref(SWAP),), rows(category="linear")),
    Good("parse_open_orders", (SPOT,), rows(order(), category="spot")),
    Good("parse_open_orders", (FUTURES,), rows(order(), category="linear", nextPageCursor="page_args%3Dfd%26")),
    Good("parse_own_trades", (BTC,), rows(execution(feeCurrency=""), category="spot")),
    Good("parse_own_trades", (SWAP,), rows(execution(extraFees=""), category="linear")),
    Good("parse_balances", (SPOT,), rows(WALLET)),
    Good("parse_balances", (FUTURES,), rows(WALLET)),
    Good("parse_positions", (), rows(position(avgPrice="36410.75"), category="linear")),
    Good("parse_fees", (BTC,), rows({"symbol": "BTCUSDT", "makerFeeRate": "0.0001", "takerFeeRate": "0.0006"})),
    Good("parse_funding", (SWAP,), rows(LOG_ROW)),
    Good("parse_leverage_set", (), told({})),
    Good("parse_leverage_set", (), refused(110043, "Set leverage not modified")),
    Good("parse_server_time", (SPOT,), told({"timeSecond": "1688639403", "timeNano": "1688639403423213947"})),
    Good("parse_permissions", (), told(KEY)),
]
