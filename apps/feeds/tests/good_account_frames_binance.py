"""Good private frames and REST answers of Binance, hand-written from its documents."""

from typing import Any

from apps.feeds.market import MarketType
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, Good, keys, limit_order, listed, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KEYS = keys()
BTC = listed("binance", SPOT, "BTCUSDT")
SWAP = listed("binance", FUTURES, "BTCUSDT")
T = 1790000000000


def report(**changes: Any) -> dict[str, Any]:
    return {
        "s": "BTCUSDT",
        "c": CLIENT_ORDER_ID,
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "0.00300000",
        "p": "30000.50000000",
        "x": "NEW",
        "X": "NEW",
        "i": 4611,
        "l": "0.00000000",
        "z": "0.00000000",
        "L": "0.00000000",
        "n": "0",
        "N": None,
        "T": T,
        "t": -1,
        "m": False,
    } | changes


TRADE = {"x": "TRADE", "l": "0.00100000", "z": "0.00100000", "L": "30000.10000000", "n": "0.00001", "N": "BNB", "t": 77}


def spot(**changes: Any) -> dict[str, Any]:
    own = {"e": "executionReport", "E": T, "C": "", "r": "NONE", "Z": "30.00010000", "Q": "0.00000000", "V": "NONE"}
    return {"subscriptionId": 0, "event": own | report(**changes)}


def futures(**changes: Any) -> dict[str, Any]:
    own = {"ap": "30000.1", "sp": "0", "ot": "LIMIT", "ps": "BOTH", "R": False, "rp": "0", "V": "EXPIRE_TAKER"}
    return {"e": "ORDER_TRADE_UPDATE", "T": T, "E": T, "o": own | report(**changes)}


PRIVATE = {
    SPOT: [
        {"id": "user-data", "status": 200, "result": {"subscriptionId": 0}},
        {"id": "user-data", "status": 400, "error": {"code": -1021, "msg": "Timestamp for this request is outside."}},
        {"id": "user-data", "status": 401, "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}},
        spot(),
        spot(X="PARTIALLY_FILLED", **TRADE),
        spot(x="CANCELED", X="CANCELED", C=CLIENT_ORDER_ID, c="of-the-cancel"),
        spot(x="REJECTED", X="REJECTED", r="GTX_ORDER_REJECT"),
        spot(x="EXPIRED", X="EXPIRED", eR=1),
        {
            "subscriptionId": 0,
            "event": {"e": "outboundAccountPosition", "E": T, "u": T, "B": [{"a": "BTC", "f": "1.0", "l": "0.5"}]},
        },
        {"subscriptionId": 0, "event": {"e": "balanceUpdate", "E": T, "a": "BTC", "d": "100.0", "T": T}},
        {"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": T}},
        {"event": {"e": "serverShutdown", "E": T}},
    ],
    FUTURES: [
        futures(),
        futures(X="FILLED", **TRADE),
        futures(x="CALCULATED", X="NEW_ADL", l="0.003", z="0.003", L="3e4", n="0.01", N="USDT", t=78),
        {"stream": "listen-key", "data": futures(x="EXPIRED", X="EXPIRED", er="2")},
        {
            "e": "ACCOUNT_UPDATE",
            "T": T,
            "E": T,
            "a": {
                "m": "ORDER",
                "B": [{"a": "USDT", "wb": "122624.1", "cw": "100.1", "bc": "50.1"}],
                "P": [
                    {"s": "BTCUSDT", "pa": "-20", "ep": "6563.6", "up": "2850.2", "mt": "isolated", "ps": "SHORT"},
                    {"s": "BTCUSDT", "pa": "0", "ep": "0.0", "up": "0", "mt": "cross", "ps": "BOTH"},
                ],
            },
        },
        {"e": "TRADE_LITE", "E": T, "T": T, "s": "BTCUSDT", "q": "0.001", "p": "0", "i": 4611, "t": 77},
        {"e": "MARGIN_CALL", "E": T, "cw": "3.1", "p": []},
        {"e": "listenKeyExpired", "E": T, "listenKey": "a-listen-key"},
        {"e": "serverShutdown", "E": T},
    ],
}


def order(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": 4611,
        "clientOrderId": CLIENT_ORDER_ID,
        "price": "30000.5",
        "origQty": "0.003",
        "executedQty": "0.001",
        "cummulativeQuoteQty": "30.0001",
        "status": "PARTIALLY_FILLED",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "time": T,
        "updateTime": T,
    } | changes


def trade(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "id": 77,
        "orderId": 4611,
        "price": "30000.1",
        "qty": "0.001",
        "commission": "0.00001",
        "commissionAsset": "BNB",
        "time": T,
    } | changes


FILL = {"price": "30000.1", "qty": "0.001", "commission": "0.00001", "commissionAsset": "BNB", "tradeId": 77}
ACCOUNT = {
    "commissionRates": {"maker": "0.001", "taker": "0.001", "buyer": "0", "seller": "0"},
    "canTrade": True,
    "balances": [{"asset": "BTC", "free": "4723846.89", "locked": "0.1"}],
}
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}

ANSWERS = [
    Good("parse_placed", (limit_order(BTC),), order(transactTime=T, fills=[FILL])),
    Good("parse_placed", (limit_order(SWAP),), order(avgPrice="0.00")),
    Good("parse_placed", (limit_order(BTC),), {"code": -2010, "msg": "Duplicate order sent."}, status=400),
    Good("parse_placed", (limit_order(SWAP),), {"code": -2019, "msg": "Margin is insufficient."}, status=400),
    Good("parse_placed", (limit_order(SWAP),), {"code": -1000, "msg": "Unknown error"}, status=503),
    Good("parse_cancelled", (ref(BTC),), order(status="CANCELED", origClientOrderId=CLIENT_ORDER_ID)),
    Good("parse_cancelled", (ref(SWAP),), UNKNOWN, status=400),
    Good("parse_cancelled_all", (BTC,), [order(status="CANCELED")]),
    Good("parse_cancelled_all", (SWAP,), {"code": 200, "msg": "The operation of cancel all open order is done."}),
    Good("parse_dead_man", (FUTURES, 60_000, 1), {"symbol": "BTCUSDT", "countdownTime": "60000"}),
    Good("parse_order", (ref(BTC),), order()),
    Good("parse_order", (ref(SWAP),), order(avgPrice="30000.1")),
    Good("parse_order", (ref(SWAP),), {"code": -2013, "msg": "Order does not exist."}, status=400),
    Good("parse_open_orders", (SPOT,), [order(), order(orderId=4612)]),
    Good("parse_open_orders", (FUTURES,), [order(avgPrice="0")]),
    Good("parse_own_trades", (BTC,), [trade(isBuyer=True, isMaker=False)]),
    Good("parse_own_trades", (SWAP,), [trade(buyer=False, maker=True, side="SELL", positionSide="BOTH")]),
    Good("parse_balances", (SPOT,), ACCOUNT),
    Good("parse_balances", (FUTURES,), [{"asset": "USDT", "balance": "122.1", "availableBalance": "100.2"}]),
    Good(
        "parse_positions",
        (),
        [
            {
                "symbol": "BTCUSDT",
                "positionAmt": "0.001",
                "positionSide": "BOTH",
                "entryPrice": "50000.0",
                "unRealizedProfit": "1.0",
                "liquidationPrice": "45000.0",
                "leverage": "20",
                "marginType": "cross",
            }
        ],
    ),
    Good("parse_fees", (BTC,), ACCOUNT),
    Good(
        "parse_fees",
        (SWAP,),
        {"symbol": "BTCUSDT", "makerCommissionRate": "0.0002", "takerCommissionRate": "0.0004"},
    ),
    Good(
        "parse_funding",
        (SWAP,),
        [
            {
                "symbol": "BTCUSDT",
                "incomeType": "FUNDING_FEE",
                "income": "-0.375",
                "asset": "USDT",
                "time": T,
                "tranId": 9689322392,
            }
        ],
    ),
    Good("parse_leverage_set", (), {"leverage": 21, "maxNotionalValue": "1000000", "symbol": "BTCUSDT"}),
    Good("parse_leverage_set", (), {"code": -4046, "msg": "No need to change margin type."}, status=400),
    Good("parse_server_time", (SPOT,), {"serverTime": T}),
    Good("parse_server_time", (FUTURES,), {"serverTime": T}),
    Good(
        "parse_permissions",
        (),
        {
            "ipRestrict": True,
            "createTime": T,
            "enableReading": True,
            "enableWithdrawals": False,
            "enableSpotAndMarginTrading": True,
            "enableFutures": True,
            "tradingAuthorityExpirationTime": T,
        },
    ),
    Good("parse_token", (FUTURES,), {"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sd"}),
]
