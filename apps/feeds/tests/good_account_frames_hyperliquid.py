"""Hyperliquid's streams of one account and its answers, as its documents show them."""

from decimal import Decimal

from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import OrderRef
from apps.feeds.tests.good_account_frames import Good, keys, limit_order, ref

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
USER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
CLOID = "0xa1f0cddc17303d07f3fd128d5b35071d"
KEYS = keys(USER, "0x" + "0123456789" * 6 + "0123")
NOW = 1_785_261_289_146


def _listed(market_type: MarketType, symbol: str, number: int) -> Instrument:
    return Instrument(
        exchange="hyperliquid",
        market_type=market_type,
        pair=f"{symbol}/USDC",
        symbol=symbol,
        base=symbol,
        quote="USDC",
        settle="USDC",
        tick=Decimal("0.1"),
        lot=Decimal("0.001"),
        number=number,
    )


BTC, HYPE = _listed(FUTURES, "BTC", 0), _listed(SPOT, "@107", 10_107)
ORDER = limit_order(BTC, client_order_id=CLOID)
REF: OrderRef = ref(BTC, client_order_id=CLOID)


def _order(coin: str) -> dict[str, object]:
    return {
        "coin": coin,
        "side": "B",
        "limitPx": "31795.0",
        "sz": "0.00027",
        "oid": 57118842019,
        "timestamp": NOW,
        "origSz": "0.00037",
        "cloid": CLOID,
    }


def _fill(coin: str) -> dict[str, object]:
    return {
        "coin": coin,
        "px": "64007.0",
        "sz": "0.00018",
        "side": "A",
        "time": NOW,
        "startPosition": "-50.81882",
        "dir": "Open Short",
        "closedPnl": "0.0",
        "hash": "0x00",
        "oid": 502464503020,
        "crossed": False,
        "fee": "0.000829",
        "tid": 351400627290190,
        "feeToken": "USDC",
        "cloid": CLOID,
        "twapId": None,
    }


STATE = {
    "assetPositions": [
        {
            "position": {
                "coin": "BTC",
                "entryPx": "26951.0",
                "leverage": {"type": "cross", "value": 20},
                "liquidationPx": "173198.69",
                "szi": "-0.00785",
                "unrealizedPnl": "-0.08007",
            },
            "type": "oneWay",
        }
    ],
    "marginSummary": {"accountValue": "1182.312496", "totalMarginUsed": "171.740766"},
    "withdrawable": "1010.57173",
    "time": NOW,
}
HELD = {"balances": [{"coin": "USDC", "token": 0, "total": "14.62", "hold": "0.5", "entryNtl": "0.0"}]}


def _wanted(kind: str) -> dict[str, object]:
    return {"type": kind, "user": USER}


def _frames(coin: str) -> list[object]:
    told = {"order": _order(coin), "status": "open", "statusTimestamp": NOW}
    rejected = {"order": _order(coin), "status": "badAloPxRejected", "statusTimestamp": NOW}
    return [
        {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": _wanted("orderUpdates")}},
        {"channel": "error", "data": 'Already subscribed: {"type":"userFills","user":"' + USER + '"}'},
        {"channel": "pong"},
        {"channel": "orderUpdates", "data": [told, rejected]},
        {"channel": "userFills", "data": {"isSnapshot": True, "user": USER, "fills": []}},
        {"channel": "userFills", "data": {"user": USER, "fills": [_fill(coin)]}},
        {"channel": "user", "data": {"fills": [_fill(coin)]}},
        {"channel": "user", "data": {"nonUserCancel": [{"coin": coin, "oid": 123}]}},
        {"channel": "spotState", "data": {"user": USER, "spotState": HELD}},
        {"channel": "clearinghouseState", "data": {"dex": "", "user": USER, "clearinghouseState": STATE}},
    ]


PRIVATE = {SPOT: _frames("@107"), FUTURES: _frames("BTC")}


def _outcome(told: object, kind: str = "order") -> dict[str, object]:
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": [told]}}}


UNKNOWN = "Order was never placed, already canceled, or filled."
DELTA = {"type": "funding", "coin": "BTC", "usdc": "-3.62", "szi": "49.1", "fundingRate": "0.0000417"}
RATES = {"userCrossRate": "0.00045", "userAddRate": "0.00015", "userSpotCrossRate": "0.0007", "userSpotAddRate": "0"}
ANSWERS = [
    Good("parse_placed", (ORDER,), _outcome({"resting": {"oid": 77738308, "cloid": CLOID}})),
    Good("parse_placed", (ORDER,), _outcome({"filled": {"totalSz": "0.001", "avgPx": "1891.4", "oid": 77747314}})),
    Good("parse_placed", (ORDER,), _outcome({"error": "Order must have minimum value of $10."})),
    Good("parse_placed", (ORDER,), {"status": "err", "response": "Unable to recover signer."}),
    Good("parse_cancelled", (REF,), _outcome("success", "cancel")),
    Good("parse_cancelled", (REF,), _outcome({"error": UNKNOWN}, "cancel")),
    Good(
        "parse_order",
        (REF,),
        {"status": "order", "order": {"order": _order("BTC"), "status": "open", "statusTimestamp": NOW}},
    ),
    Good("parse_order", (REF,), {"status": "unknownOid"}),
    Good("parse_order", (REF,), "null", status=500),
    Good("parse_open_orders", (FUTURES,), [_order("BTC"), _order("@107")]),
    Good("parse_own_trades", (BTC,), [_fill("BTC"), _fill("ETH")]),
    Good("parse_balances", (SPOT,), HELD),
    Good("parse_balances", (FUTURES,), STATE),
    Good("parse_positions", (), STATE),
    Good("parse_fees", (BTC,), RATES),
    Good("parse_funding", (BTC,), [{"time": NOW, "hash": "0x00", "delta": DELTA}]),
    Good("parse_dead_man", (SPOT, 60_000, NOW), {"status": "ok", "response": {"type": "default"}}),
    Good("parse_leverage_set", (), {"status": "ok", "response": {"type": "default"}}),
    Good("parse_server_time", (SPOT,), {"specialStatuses": None, "time": NOW}),
    Good("parse_permissions", (), {"role": "agent", "data": {"user": USER}}),
]
