"""CoinEx's private frames and signed REST answers as its documents have them, spot and futures."""

from typing import Any

from apps.feeds.drivers.base import Frame
from apps.feeds.market import MarketType
from apps.feeds.orders import OrderRef
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, Wire, keys, limit_order, listed, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = keys()
PACKED = {SPOT, FUTURES}
BTC = listed("coinex", SPOT, "BTCUSDT")
SWAP = listed("coinex", FUTURES, "BTCUSDT")
BY_CLIENT = ref(BTC, exchange_order_id=None)
BY_THEIRS = ref(BTC, client_order_id=None)
URL = "https://api.coinex.com/v2/spot/pending-order?market_type=SPOT&page=1&limit=100"


def order(**changes: Any) -> dict[str, Any]:
    """A spot order as REST tells it."""
    return {
        "order_id": 4611,
        "market": "BTCUSDT",
        "market_type": "SPOT",
        "side": "buy",
        "type": "limit",
        "ccy": "BTC",
        "amount": "0.003",
        "price": "30000.5",
        "client_id": CLIENT_ORDER_ID,
        "created_at": 1714114386250,
        "updated_at": 1714114386251,
        "base_fee": "0.000002",
        "quote_fee": "0",
        "discount_fee": "0",
        "maker_fee_rate": "0.002",
        "taker_fee_rate": "0.002",
        "last_fill_amount": "0.001",
        "last_fill_price": "30000",
        "unfilled_amount": "0.002",
        "filled_amount": "0.001",
        "filled_value": "30",
    } | changes


def pushed(event: str = "put", **changes: Any) -> dict[str, Any]:
    """A spot order as the socket tells it."""
    content = {
        "order_id": 4611,
        "market": "BTCUSDT",
        "margin_market": "",
        "type": "limit",
        "side": "buy",
        "amount": "0.003",
        "price": "30000.5",
        "unfilled_amount": "0.003",
        "filled_amount": "0",
        "filled_value": "0",
        "taker_fee_rate": "0.003",
        "maker_fee_rate": "0.003",
        "base_ccy_fee": "0",
        "quote_ccy_fee": "0",
        "discount_ccy_fee": "0",
        "last_filled_amount": "0",
        "last_filled_price": "0",
        "created_at": 1739954537191,
        "updated_at": 1739954537192,
        "client_id": CLIENT_ORDER_ID,
    } | changes
    return {"method": "order.update", "data": {"event": event, "order": content}, "id": None}


def deal(**changes: Any) -> dict[str, Any]:
    return {
        "deal_id": 3514376759,
        "created_at": 1689152421692,
        "market": "BTCUSDT",
        "side": "buy",
        "order_id": 4611,
        "client_id": CLIENT_ORDER_ID,
        "margin_market": "",
        "price": "30718.42",
        "amount": "0.001",
        "role": "taker",
        "fee": "0.0299",
        "fee_ccy": "USDT",
    } | changes


def position(**changes: Any) -> dict[str, Any]:
    return {
        "position_id": 246830219,
        "market": "BTCUSDT",
        "side": "long",
        "margin_mode": "cross",
        "open_interest": "0.0010",
        "close_avbl": "0.0010",
        "unrealized_pnl": "-0.5",
        "realized_pnl": "-0.014",
        "avg_entry_price": "30721.35",
        "leverage": "50",
        "liq_price": "31179.87",
        "adl_level": 5,
        "created_at": 1642145331234,
        "updated_at": 1642145331235,
    } | changes


def push(method: str, data: object) -> dict[str, Any]:
    return {"method": method, "data": data, "id": None}


def ok(data: object, **more: object) -> dict[str, Any]:
    return {"code": 0, "data": data, "message": "OK"} | more


def pages(data: object, *, has_next: bool = False) -> dict[str, Any]:
    return ok(data, pagination={"has_next": has_next})


def refused(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "data": {}, "message": message}


SPOT_HOLDING = {"margin_market": "", "ccy": "USDT", "available": "44.6", "frozen": "0.4", "updated_at": 1689152421692}
FUTURES_HOLDING = {
    "ccy": "USDT",
    "available": "97.9",
    "frozen": "0.1",
    "margin": "0.61",
    "transferrable": "97.9",
    "unrealized_pnl": "-0.008",
    "equity": "98.6",
}
_CONTROL: list[Wire] = [
    {"id": 1, "code": 0, "message": "OK"},
    {"id": 1, "code": 21002, "message": "Signature Incorrect"},
    {"id": 2, "code": 0, "message": "OK"},
    {"id": 3, "code": 21001, "message": "require auth"},
    {"id": 4, "code": 24002, "message": "unavailable"},
    {"id": 0, "code": 0, "data": {"result": "pong"}, "message": "OK"},
    push("notice.update", {"channel": 101, "info": {"start_time": 1640793607122, "scope": ["SPOT"]}}),
]
PRIVATE: dict[MarketType, list[Wire | Frame]] = {
    SPOT: [
        *_CONTROL,
        pushed(),
        pushed("update", unfilled_amount="0.002", filled_amount="0.001", filled_value="30.0"),
        pushed("finish", unfilled_amount="0", filled_amount="0.003", filled_value="90.0"),
        push("user_deals.update", deal()),
        push("balance.update", {"balance_list": [SPOT_HOLDING]}),
        push("stop.update", {"event": 1, "stop": {}}),
    ],
    FUTURES: [
        *_CONTROL,
        pushed(fee="0", fee_ccy="USDT"),
        push("user_deals.update", deal(role="maker", fee="-0.01", position_id=246830219)),
        push("balance.update", {"balance_list": [FUTURES_HOLDING]}),
        push("position.update", {"event": "update", "position": position()}),
        push("position.update", {"event": "close", "position": position(side="short", open_interest="0")}),
    ],
}
ANSWERS: list[Good] = [
    Good("parse_placed", (limit_order(BTC),), ok(order())),
    Good("parse_placed", (limit_order(BTC),), refused(3109, "balance not enough")),
    Good("parse_cancelled", (BY_THEIRS,), ok(order())),
    Good("parse_cancelled", (BY_CLIENT,), ok([{"code": 0, "data": order(), "message": "OK"}])),
    Good("parse_cancelled", (BY_CLIENT,), ok([{"code": 3600, "data": None, "message": "Order not found"}])),
    Good("parse_cancelled", (BY_THEIRS,), refused(3600, "Order not found")),
    Good("parse_cancelled_all", (BTC,), ok({})),
    Good("parse_order", (BY_THEIRS,), ok(order(status="part_filled"))),
    Good("parse_order", (BY_CLIENT,), pages([order()])),
    Good("parse_order", (OrderRef(instrument=BTC, exchange_order_id="4611"),), refused(3600, "Order not found")),
    Good("parse_open_orders", (SPOT,), pages([order()])),
    Good("parse_own_trades", (BTC,), pages([deal()])),
    Good("parse_balances", (SPOT,), ok([{"available": "1.5", "ccy": "USDT", "frozen": "0.5"}])),
    Good("parse_balances", (FUTURES,), ok([FUTURES_HOLDING])),
    Good("parse_positions", (), pages([position(market_type="FUTURES")])),
    Good("parse_fees", (BTC,), ok({"maker_rate": "0.001", "market": "BTCUSDT", "taker_rate": "0.002"})),
    Good(
        "parse_funding",
        (SWAP,),
        pages(
            [
                {
                    "market": "BTCUSDT",
                    "market_type": "FUTURES",
                    "ccy": "USDT",
                    "position_id": 927266133,
                    "side": "long",
                    "funding_rate": "0.0003",
                    "funding_value": "2.49193815",
                    "created_at": 1691482451000,
                }
            ]
        ),
    ),
    Good("parse_leverage_set", (), ok({"margin_mode": "cross", "leverage": 5})),
    Good("parse_server_time", (SPOT,), ok({"timestamp": 1711699867777})),
    Good("parse_permissions", (), ok([{"available": "1.5", "ccy": "USDT", "frozen": "0.5"}])),
]
