"""KuCoin public side as of 2026-11-20: the unified push and the classic one; (?) marks what is unsure.

Each generation was announced, moved or retired within the last year, so both are kept: `GENERATION` is the one in use.
"""

from enum import StrEnum

from apps.feeds import market
from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import FULL_DEPTH, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES


class Generation(StrEnum):
    """Also the category of its topics."""

    UNIFIED = "unified"  # no token, snapshots of 500 levels by push
    CLASSIC = "classic"  # a token per socket, full books by REST snapshot and push


GENERATION = Generation.UNIFIED
CATALOGUE = Generation.CLASSIC  # its lists tell minimums and, on futures, volumes; `rest` reads the unified ones too
UNIFIED_VERSION = "v2"  # (?) v1 is said to go offline on 2026-12-31

HOSTS = {SPOT: "https://api.kucoin.com", FUTURES: "https://api-futures.kucoin.com"}
UNIFIED_SOCKETS = {SPOT: "wss://x-push-spot.kucoin.com", FUTURES: "wss://x-push-futures.kucoin.com"}
TOKEN_PATH, TOKEN_WEIGHT = "/api/v1/bullet-public", 10  # tokens of one host fail at the other
CONNECT_ID = "ct"  # any; the classic welcome repeats it

# Unified channels. There are no 20 levels: they are cut from 50. Full depth is the best 500.
BOOKS, TRADES = "obu", "trade"
NO_QUERY: dict[str, str] = {}
TRADE_TYPE = {SPOT: "SPOT", FUTURES: "FUTURES"}
WHOLE_BOOKS, INCREMENTS = "50", "increment@10ms"
BOOK_DEPTH = {20: WHOLE_BOOKS, 50: WHOLE_BOOKS, FULL_DEPTH: INCREMENTS}
IGNORED_DEPTHS = frozenset(("1", "5", "increment"))  # the last was deprecated on 2026-07-15: it has no snapshots
IGNORED_CHANNELS = frozenset(("ticker", "kline", "mark-price", "funding-fee", "call-auction"))

# Classic channels.
CLASSIC_WHOLE = {SPOT: "/spotMarket/level2Depth50", FUTURES: "/contractMarket/level2Depth50"}
CLASSIC_CHANGES = {SPOT: "/market/level2", FUTURES: "/contractMarket/level2"}
CLASSIC_TRADES = {SPOT: "/market/match", FUTURES: "/contractMarket/execution"}
# `level2Snapshot` is not KuCoin's: a recorder writes REST answers that way.
IGNORED_TOPICS = (
    "/market/ticker", "/market/snapshot", "/market/candles", "/market/level3", "/spotMarket/level1",
    "/spotMarket/level2Depth5", "/indicator/", "/callauction/", "/contract/", "/contractMarket/ticker",
    "/contractMarket/level2Depth5", "/contractMarket/level2Snapshot", "/contractMarket/limitCandle",
    "/contractMarket/snapshot",
)  # fmt: skip

# Full classic books need a REST snapshot, which on spot takes a signed request.
DEPTHS: dict[Generation, dict[MarketType, tuple[int, ...]]] = {
    Generation.UNIFIED: {SPOT: market.DEPTHS, FUTURES: market.DEPTHS},
    Generation.CLASSIC: {SPOT: (20, 50), FUTURES: market.DEPTHS},
}

SPOT_REST, FUTURES_REST = HOSTS[SPOT], HOSTS[FUTURES]
UNIFIED_REST = f"{SPOT_REST}/api/ua/{UNIFIED_VERSION}/market"

# (URL, query without the symbol, weight) of a book; (?) the unified weights. `limit=FULL` takes a signed request.
SNAPSHOT = {
    Generation.UNIFIED: {
        market_type: {
            depth: (f"{UNIFIED_REST}/orderbook", {"tradeType": TRADE_TYPE[market_type], "limit": limit}, weight)
            for depth, limit, weight in ((20, "20", 2), (50, "50", 2), (FULL_DEPTH, "100", 4))
        }
        for market_type in MarketType
    },
    Generation.CLASSIC: {
        SPOT: {
            20: (f"{SPOT_REST}/api/v1/market/orderbook/level2_20", NO_QUERY, 2),
            50: (f"{SPOT_REST}/api/v1/market/orderbook/level2_100", NO_QUERY, 4),
            FULL_DEPTH: (f"{SPOT_REST}/api/v3/market/orderbook/level2", NO_QUERY, 3),
        },
        FUTURES: {
            20: (f"{FUTURES_REST}/api/v1/level2/depth20", NO_QUERY, 5),
            50: (f"{FUTURES_REST}/api/v1/level2/depth100", NO_QUERY, 10),
            FULL_DEPTH: (f"{FUTURES_REST}/api/v1/level2/snapshot", NO_QUERY, 3),
        },
    },
}

# (URL, weight) of the market list, and of the 24 h volumes.
LISTS = {
    Generation.UNIFIED: {
        market_type: (f"{UNIFIED_REST}/instrument?tradeType={TRADE_TYPE[market_type]}", 4) for market_type in MarketType
    },
    Generation.CLASSIC: {
        SPOT: (f"{SPOT_REST}/api/v2/symbols", 4),
        FUTURES: (f"{FUTURES_REST}/api/v1/contracts/active", 3),
    },
}
VOLUMES = {
    Generation.UNIFIED: {
        market_type: (f"{UNIFIED_REST}/ticker?tradeType={TRADE_TYPE[market_type]}", 15) for market_type in MarketType
    },
    Generation.CLASSIC: {
        SPOT: (f"{SPOT_REST}/api/v1/market/allTickers", 15),
        FUTURES: LISTS[Generation.CLASSIC][FUTURES],
    },
}

REST_POOL = Rate(2000, 30.0)  # weights; the unified pool, 200 in 3 s, is the same pace
LIMITS = {
    Generation.UNIFIED: Limits(
        pairs_per_connection=200,  # of 600 topics
        topics_per_frame=1,
        commands=Rate(20, 1.0),  # of 300 in 10 s, pings included
        connects=Rate(250, 300.0),
        rest_weight=REST_POOL,
        greeted=True,
    ),
    Generation.CLASSIC: Limits(
        pairs_per_connection=100,  # (?) of 400 topics, once 300; others stay at 100
        topics_per_frame=100,
        commands=Rate(9, 1.0),  # of 100 in 10 s, pings included; more closes the socket
        connects=Rate(30, 60.0),
        rest_weight=REST_POOL,
        connection_age_s=84_600.0,  # a token lives 24 h, and its socket with it
        greeted=True,
    ),
}

# `pingInterval` of both welcomes. The classic server hangs up 60 s after our last message, data or not.
HEARTBEAT = Heartbeat(send='{"id":"0","type":"ping"}', every_s=18.0, answer_s=10.0)

WELCOME, ACK, PONG, ERROR, MESSAGE = "welcome", "ack", "pong", "error", "message"
CLOSING_CODES = frozenset((400, 401, 509))  # no ping in time, token expired, too many messages: the socket is closed

COINS = {"XBT": "BTC"}  # names of coins that only KuCoin's futures use
SETTLES = frozenset(("USDT", "USDC"))
PERPETUALS = frozenset(("FFWCSX", "0"))  # `type` of the classic list, `contractType` of the unified one
STATUS = {"true": InstrumentStatus.TRADING, "Open": InstrumentStatus.TRADING, "1": InstrumentStatus.TRADING}

OK = "200000"
BUSY = frozenset(("500000",))  # their side: a read may be sent again
TOO_OFTEN = frozenset(("429000", "200002"))
RESET_HEADER = "gw-ratelimit-reset"  # ms until the budget is whole again
OVERLOADED_S = 3.0  # without that header KuCoin itself has too much to do
FIREWALL, FIREWALL_S = b"1015", 30.0  # Cloudflare's code and its block
STAY_AWAY_S = {429: OVERLOADED_S, 403: FIREWALL_S}
