"""HTX's private frames and signed REST answers as its documents have them, spot and linear swaps (v5)."""

from typing import Any

from apps.feeds.drivers.base import Frame
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, Wire, limit_order, listed, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = Credentials(key="fuzz-key", secret="fuzz-secret", account="1528640:63628520")
PACKED = {FUTURES}
BTC = listed("htx", SPOT, "btcusdt")
SWAP = listed("htx", FUTURES, "BTC-USDT", contract_size="0.001")
NUMBER = "4611686018427"  # a client id of swaps
BY_CLIENT = ref(BTC, exchange_order_id=None)
BY_THEIRS = ref(BTC, client_order_id=None)
SWAP_ORDER = limit_order(SWAP, client_order_id=NUMBER)
SWAP_REF = ref(SWAP, client_order_id=NUMBER)


def ok(data: object) -> dict[str, Any]:
    return {"status": "ok", "data": data}


def v5(data: object) -> dict[str, Any]:
    return {"code": 200, "message": "Success", "data": data, "ts": 1780966573200}


def spot_refused(code: str, text: str = "in their words") -> dict[str, Any]:
    return {"status": "error", "err-code": code, "err-msg": text, "data": None}


def swap_refused(code: int, text: str = "in their words") -> dict[str, Any]:
    return {"code": code, "message": text, "data": None, "ts": 1780966573200}


def spot_order(**changes: Any) -> dict[str, Any]:
    return {
        "id": 4611,
        "symbol": "btcusdt",
        "account-id": 1528640,
        "client-order-id": CLIENT_ORDER_ID,
        "amount": "0.003",
        "price": "30000.5",
        "created-at": 1640549994642,
        "type": "buy-limit",
        "field-amount": "0.001",
        "field-cash-amount": "30.0",
        "field-fees": "0.000002",
        "finished-at": 0,
        "source": "spot-api",
        "state": "partial-filled",
        "canceled-at": 0,
    } | changes


def spot_match(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "btcusdt",
        "fee-currency": "btc",
        "source": "spot-api",
        "price": "30000",
        "created-at": 1629443051839,
        "role": "taker",
        "order-id": 4611,
        "match-id": 5014,
        "trade-id": 1085,
        "filled-amount": "0.001",
        "filled-fees": "0.000002",
        "filled-points": "0.0",
        "fee-deduct-currency": "",
        "fee-deduct-state": "done",
        "id": 313288753120940,
        "type": "buy-limit",
    } | changes


def swap_order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1513828877079584768",
        "side": "buy",
        "type": "limit",
        "price": "50000",
        "volume": "3",
        "state": "partially_filled",
        "contract_code": "BTC-USDT",
        "position_side": "both",
        "order_id": "1513828877079584768",
        "client_order_id": NUMBER,
        "margin_mode": "cross",
        "lever_rate": 20,
        "reduce_only": False,
        "time_in_force": "gtc",
        "trade_avg_price": "49999.5",
        "trade_volume": "1",
        "trade_turnover": "49.9995",
        "fee_currency": "USDT",
        "fee": "-0.03",
        "contract_type": "swap",
        "created_time": "1780966529876",
        "updated_time": "1780966572409",
        "cancel_reason": None,
        "self_match_prevent": "cancel_taker",
    } | changes


def swap_match(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1513834754679549965",
        "contract_code": "BTC-USDT",
        "order_id": "1513834754585190400",
        "trade_id": "152022944",
        "side": "sell",
        "position_side": "both",
        "order_type": "1",
        "margin_mode": "cross",
        "type": "market",
        "role": "TAKER",
        "trade_price": "62688.2",
        "trade_volume": "2",
        "created_time": "1780967931197",
        "fee_currency": "USDT",
        "trade_fee": "0.07522584",
    } | changes


def position(**changes: Any) -> dict[str, Any]:
    return {
        "contract_code": "BTC-USDT",
        "position_side": "both",
        "direction": "buy",
        "margin_mode": "cross",
        "open_avg_price": "63204.5",
        "volume": "2",
        "available": "2",
        "lever_rate": 20,
        "liquidation_price": "50163.8",
        "profit_unreal": "-0.039",
        "created_time": "1780903703234",
    } | changes


def detail(**changes: Any) -> dict[str, Any]:
    return {"currency": "USDT", "equity": "174.2", "available": "170.1", "profit_unreal": "0"} | changes


def bill(**changes: Any) -> dict[str, Any]:
    return {
        "id": "2194774775",
        "type": "30",
        "currency": "USDT",
        "amount": "0.0004",
        "contract_code": "BTC-USDT",
        "margin_mode": "cross",
        "created_time": "1780963213165",
    } | changes


def push(channel: str, **data: Any) -> dict[str, Any]:
    return {"action": "push", "ch": channel, "data": data}


def notify(topic: str, data: object, **more: Any) -> dict[str, Any]:
    head = {"op": "notify", "topic": topic, "contract_code": "BTC-USDT", "ts": 1782367563267, "uid": "359305390"}
    return head | more | {"data": data}


def spot_event(**changes: Any) -> dict[str, Any]:
    content = {
        "eventType": "trade",
        "symbol": "btcusdt",
        "orderId": 4611,
        "clientOrderId": CLIENT_ORDER_ID,
        "type": "buy-limit",
        "orderPrice": "30000.5",
        "orderSize": "0.003",
        "orderStatus": "partial-filled",
        "orderSource": "spot-api",
        "tradePrice": "30000",
        "tradeVolume": "0.001",
        "tradeId": 1085,
        "tradeTime": 1648714741525,
        "aggressor": True,
        "execAmt": "0.001",
        "remainAmt": "0.002",
    }
    return push("orders#*", **(content | changes))


def clearing(**changes: Any) -> dict[str, Any]:
    content = {
        "eventType": "trade",
        "symbol": "btcusdt",
        "orderId": "4611",
        "clientOrderId": CLIENT_ORDER_ID,
        "orderSide": "buy",
        "orderType": "buy-limit",
        "accountId": 1528640,
        "source": "spot-api",
        "orderStatus": "filled",
        "feeCurrency": "btc",
        "tradePrice": "30000",
        "tradeVolume": "0.001",
        "aggressor": True,
        "tradeId": 1085,
        "tradeTime": 1645124660368,
        "transactFee": "0.000002",
        "feeDeduct": "0",
        "feeDeductType": "",
    }
    return push("trade.clearing#*#0", **(content | changes))


def holding(**changes: Any) -> dict[str, Any]:
    content = {
        "currency": "usdt",
        "accountId": 1528640,
        "balance": "20.3",
        "available": "20.1",
        "changeType": "order.place",
        "accountType": "trade",
        "changeTime": 1568601800000,
        "seqNum": 3,
    }
    return push("accounts.update#2", **(content | changes))


PRIVATE: dict[MarketType, list[Wire | Frame]] = {
    SPOT: [
        {"action": "req", "code": 200, "ch": "auth", "data": {}},
        {"action": "req", "code": 2002, "ch": "auth", "message": "auth.fail"},
        {"action": "req", "code": 500, "ch": "auth", "message": "internal"},
        {"action": "sub", "code": 200, "ch": "orders#*", "data": {}},
        {"action": "sub", "code": 2001, "ch": "orders#*", "message": "invalid.symbol"},
        {"action": "ping", "data": {"ts": 1575537778295}},
        spot_event(),
        spot_event(eventType="creation", orderStatus="submitted", orderCreateTime=1731039387696),
        spot_event(eventType="cancellation", orderStatus="canceled", lastActTime=1583853475406),
        push(
            "orders#*",
            orderSide="buy",
            lastActTime=1583853365586,
            clientOrderId="test1",
            orderStatus="rejected",
            symbol="btcusdt",
            eventType="trigger",
            errCode=2002,
            errMessage="invalid.client.order.id (NT)",
        ),
        clearing(),
        clearing(eventType="cancellation"),
        holding(),
    ],
    FUTURES: [
        {"op": "auth", "type": "api", "err-code": 0, "ts": 1645200307319, "data": {"user-id": "35930539"}},
        {"op": "auth", "type": "api", "err-code": 2002, "err-msg": "auth.fail", "ts": 1645200307319},
        {"op": "sub", "cid": "1", "topic": "orders", "ts": 1606780803260, "err-code": 0},
        {"op": "sub", "cid": "1", "topic": "orders", "err-code": 4007, "err-msg": "not available", "ts": 1},
        {"op": "ping", "ts": "1492420473058"},
        {"op": "close", "ts": 1489474081631},
        {"op": "error", "ts": 1489474081631},
        notify("orders", swap_order()),
        notify(
            "trade",
            [{"direction": "buy", "id": "1-2-1", "contract_code": "BTC-USDT", "order_id": "2", "client_order_id": "3"}],
        ),
        notify("positions", [position()], event="snapshot"),
        notify("account", {"equity": "0", "state": "normal", "details": [detail()]}, contract_code=""),
    ],
}
ANSWERS: list[Good] = [
    Good("parse_placed", (limit_order(BTC),), ok("438398393065481")),
    Good("parse_placed", (limit_order(BTC),), spot_refused("account-frozen-balance-insufficient-error")),
    Good(
        "parse_placed", (limit_order(SWAP, client_order_id=NUMBER),), v5({"order_id": "15", "client_order_id": NUMBER})
    ),
    Good("parse_placed", (SWAP_ORDER,), swap_refused(1047)),
    Good("parse_cancelled", (BY_THEIRS,), ok("10138899000")),
    Good("parse_cancelled", (BY_CLIENT,), ok(10)),
    Good("parse_cancelled", (BY_CLIENT,), ok(7)),
    Good("parse_cancelled", (SWAP_REF,), v5({"order_id": "15", "client_order_id": NUMBER})),
    Good("parse_cancelled", (SWAP_REF,), swap_refused(1061)),
    Good(
        "parse_cancelled_all",
        (BTC,),
        {"code": 200, "data": {"success-count": 2, "failed-count": 0, "next-id": -1}},
    ),
    Good(
        "parse_dead_man",
        (SPOT, 60_000, 1),
        {"code": 200, "data": [{"currentTime": "1587971400", "triggerTime": "1587971460"}]},
    ),
    Good(
        "parse_dead_man", (FUTURES, 60_000, 1), v5({"current_time": "1767145577000", "trigger_time": "1767145637000"})
    ),
    Good(
        "parse_cancelled_all",
        (SWAP,),
        v5([{"code": 200, "message": "Success", "order_id": "15", "client_order_id": "15"}]),
    ),
    Good("parse_order", (BY_THEIRS,), ok(spot_order())),
    Good("parse_order", (BY_CLIENT,), spot_refused("base-record-invalid")),
    Good("parse_order", (SWAP_REF,), v5(swap_order())),
    Good("parse_order", (SWAP_REF,), swap_refused(1017)),
    Good("parse_open_orders", (SPOT,), ok([spot_order()])),
    Good("parse_open_orders", (FUTURES,), v5([swap_order()])),
    Good("parse_own_trades", (BTC,), ok([spot_match()])),
    Good("parse_own_trades", (SWAP,), v5([swap_match()])),
    Good(
        "parse_balances",
        (SPOT,),
        ok(
            {
                "id": 1528640,
                "type": "spot",
                "state": "working",
                "list": [
                    {"currency": "usdt", "type": "trade", "balance": "10.5"},
                    {"currency": "usdt", "type": "frozen", "balance": "0.5"},
                ],
            }
        ),
    ),
    Good("parse_balances", (FUTURES,), v5({"state": "normal", "equity": "174.2", "details": [detail()]})),
    Good("parse_positions", (), v5([position()])),
    Good(
        "parse_fees",
        (BTC,),
        {
            "code": 200,
            "data": [
                {
                    "symbol": "btcusdt",
                    "actualMakerRate": "0.001",
                    "actualTakerRate": "0.002",
                    "makerFeeRate": "0.002",
                    "takerFeeRate": "0.002",
                }
            ],
            "success": True,
        },
    ),
    Good(
        "parse_fees",
        (SWAP,),
        ok(
            [
                {
                    "symbol": "BTC",
                    "contract_code": "BTC-USDT",
                    "open_maker_fee": "0.0002",
                    "open_taker_fee": "0.0004",
                    "close_maker_fee": "0.0003",
                    "close_taker_fee": "0.0005",
                    "fee_asset": "USDT",
                }
            ]
        ),
    ),
    Good("parse_funding", (SWAP,), v5([bill()])),
    Good("parse_leverage_set", (), v5({"contract_code": "BTC-USDT", "margin_mode": "cross", "lever_rate": 10})),
    Good("parse_server_time", (SPOT,), ok(1637504261099)),
    Good("parse_server_time", (FUTURES,), {"status": "ok", "ts": 1637504261099}),
    Good(
        "parse_permissions",
        (),
        {
            "code": 200,
            "data": [
                {
                    "accessKey": "fuzz-key",
                    "status": "normal",
                    "note": "ours",
                    "permission": "readOnly,trade",
                    "ipAddresses": "1.1.1.1",
                    "validDays": -1,
                    "createTime": 1591348751000,
                    "updateTime": 1591348751000,
                }
            ],
        },
    ),
]
