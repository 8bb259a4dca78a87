"""Good private frames and REST answers of OKX, hand-written from its documents."""

from typing import Any

from apps.feeds.market import MarketType
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, keys, limit_order, listed, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = keys()
BTC = listed("okx", SPOT, "BTC-USDT")
SWAP = listed("okx", FUTURES, "BTC-USDT-SWAP", contract_size="0.01")
T = "1790000000000"


def order_row(**changes: Any) -> dict[str, Any]:
    return {
        "instType": "SPOT",
        "instId": "BTC-USDT",
        "ordId": "4611",
        "clOrdId": CLIENT_ORDER_ID,
        "px": "30000.5",
        "sz": "0.003",
        "side": "buy",
        "posSide": "",
        "tgtCcy": "",
        "ordType": "limit",
        "state": "live",
        "accFillSz": "0",
        "avgPx": "",
        "fillPx": "",
        "fillSz": "0",
        "fillTime": "",
        "tradeId": "",
        "execType": "",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fee": "0",
        "feeCcy": "BTC",
        "category": "normal",
        "cancelSource": "",
        "cancelSourceReason": "",
        "uTime": T,
        "cTime": T,
        "code": "0",
        "msg": "",
    } | changes


def swap_row(**changes: Any) -> dict[str, Any]:
    return order_row(instType="SWAP", instId="BTC-USDT-SWAP", sz="3", posSide="net", feeCcy="USDT") | changes


FILLED = {
    "state": "partially_filled",
    "accFillSz": "0.001",
    "avgPx": "30000",
    "fillPx": "30000",
    "fillSz": "0.001",
    "fillTime": "1790000000001",
    "tradeId": "77",
    "execType": "T",
    "fillFee": "-0.000001",
    "fillFeeCcy": "BTC",
}
ASSET = {"ccy": "USDT", "cashBal": "100.5", "availBal": "90", "availEq": "91", "eq": "101", "frozenBal": "10.5"}
WALLET = {"details": [ASSET], "uTime": T, "totalEq": "100"}
HELD = {
    "instId": "BTC-USDT-SWAP",
    "instType": "SWAP",
    "posSide": "net",
    "pos": "-2",
    "avgPx": "30000",
    "upl": "-0.5",
    "lever": "3",
    "mgnMode": "cross",
    "liqPx": "40000",
    "uTime": T,
}
TRADE = {
    "instType": "SPOT",
    "instId": "BTC-USDT",
    "tradeId": "77",
    "ordId": "4611",
    "clOrdId": CLIENT_ORDER_ID,
    "billId": "9",
    "fillPx": "30000",
    "fillSz": "0.001",
    "side": "buy",
    "execType": "M",
    "feeCcy": "USDT",
    "fee": "-0.024",
    "ts": T,
}
BILL = {"billId": "5", "instId": "BTC-USDT-SWAP", "ccy": "USDT", "type": "8", "balChg": "-0.01", "ts": T}


def push(channel: str, *rows: Any, **head: Any) -> dict[str, Any]:
    return {"arg": {"channel": channel, "uid": "7"}, "data": list(rows)} | head


def told(*rows: Any, code: str = "0", msg: str = "") -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": list(rows)}


def refused(code: str, text: str = "no") -> dict[str, Any]:
    return told({"clOrdId": "", "ordId": "", "sCode": code, "sMsg": text, "tag": ""}, code="1")


EVENTS = [
    {"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"},
    {"event": "error", "code": "60009", "msg": "Login failed.", "connId": "a4d3ae55"},
    {"event": "error", "code": "60018", "msg": "channel:orders,instType:SPOT doesn't exist"},
    {"event": "subscribe", "arg": {"channel": "orders", "instType": "SPOT"}, "connId": "a4d3ae55"},
    {"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "a4d3ae55"},
    {"event": "channel-conn-count", "channel": "orders", "connCount": "2", "connId": "a4d3ae55"},
    {"event": "channel-conn-count-error", "channel": "orders", "connCount": "30", "connId": "a4d3ae55"},
    "pong",
]
PRIVATE = {
    SPOT: [
        *EVENTS,
        push("orders", order_row(), order_row(**FILLED)),
        push("orders", order_row(state="canceled", cancelSource="31", cancelSourceReason="post only")),
        push("account", WALLET, eventType="snapshot", curPage=1, lastPage=True),
        push("account", WALLET, eventType="event_update"),
    ],
    FUTURES: [
        *EVENTS,
        push("orders", swap_row(**FILLED)),
        push("orders", swap_row(category="full_liquidation", clOrdId="", state="filled")),
        push("account", WALLET),
        push("positions", HELD, HELD | {"posSide": "short", "pos": "1"}, eventType="snapshot"),
        push("positions", HELD | {"pos": "0", "avgPx": "", "liqPx": ""}),
    ],
}

PLACED = told({"clOrdId": CLIENT_ORDER_ID, "ordId": "4611", "tag": "", "sCode": "0", "sMsg": "", "ts": T})
FEES = {"instType": "SWAP", "maker": "", "taker": "", "makerU": "-0.0002", "takerU": "-0.0005", "ts": T}
CONFIG = {"uid": "1", "acctLv": "2", "posMode": "net_mode", "perm": "read_only,trade", "ip": "10.0.0.1"}
ANSWERS = [
    Good("parse_placed", (limit_order(BTC),), PLACED),
    Good("parse_placed", (limit_order(BTC),), refused("51008", "Insufficient balance")),
    Good("parse_placed", (limit_order(SWAP),), told(code="50113", msg="Invalid signature"), status=401),
    Good("parse_dead_man", (SPOT, 60_000, 1), told({"triggerTime": "1587971460", "tag": "ctspot", "ts": "1587971400"})),
    Good("parse_cancelled", (ref(BTC),), PLACED),
    Good("parse_cancelled", (ref(BTC),), refused("51402")),
    Good("parse_order", (ref(BTC),), told(order_row(avgPx="0", fillPx="0", tradeId="0"))),
    Good("parse_order", (ref(BTC),), told(code="51603", msg="Order does not exist")),
    Good("parse_open_orders", (SPOT,), told(order_row(), order_row(ordId="4612"))),
    Good("parse_own_trades", (BTC,), told(TRADE)),
    Good("parse_balances", (SPOT,), told(WALLET)),
    Good("parse_balances", (FUTURES,), told(WALLET)),
    Good("parse_positions", (), told(HELD)),
    Good("parse_fees", (SWAP,), told(FEES)),
    Good("parse_funding", (SWAP,), told(BILL)),
    Good("parse_leverage_set", (), told({"instId": "BTC-USDT-SWAP", "lever": "3", "mgnMode": "cross"})),
    Good("parse_server_time", (SPOT,), told({"ts": T})),
    Good("parse_permissions", (), told(CONFIG)),
]
