"""Binance spot and USD-M futures as of 2026-11-20 (spot docs 2026-07, derivatives docs 2026-10)."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import FULL_DEPTH, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

REST = {SPOT: "https://api.binance.com/api/v3", FUTURES: "https://fapi.binance.com/fapi/v1"}

# Futures streams are routed since 2026-04-23: one asked for on the wrong path is acknowledged and stays silent.
# The combined form names the stream with each payload: `depth20` of spot has no symbol of its own.
BOOKS, MARKET = "public", "market"
SOCKETS = {
    SPOT: {BOOKS: "wss://stream.binance.com:9443/stream"},
    FUTURES: {BOOKS: "wss://fstream.binance.com/public/stream", MARKET: "wss://fstream.binance.com/market/stream"},
}

BOOK_STREAM = {20: "depth20@100ms", 50: "depth@100ms", FULL_DEPTH: "depth@100ms"}
TRADE_STREAM = {SPOT: "trade", FUTURES: "aggTrade"}

# depth wanted -> (limit, weight) of GET depth. Spot would give 5000 levels for 250: 24 books would use up a minute's
# budget, those after them and every resync would wait for the next, and we publish 1000 levels at most.
SNAPSHOT = {
    SPOT: {20: (20, 5), 50: (1000, 50), FULL_DEPTH: (1000, 50)},
    FUTURES: {20: (20, 2), 50: (1000, 20), FULL_DEPTH: (1000, 20)},
}
INSTRUMENTS_WEIGHT = {SPOT: 20, FUTURES: 1}
VOLUMES = {SPOT: ("ticker/24hr?type=MINI", 80), FUTURES: ("ticker/24hr", 40)}

LIMITS = {
    SPOT: Limits(
        pairs_per_connection=200,  # 1024 streams would do; many libraries stay at 200
        topics_per_frame=100,
        commands=Rate(4, 1.0),  # 5 messages a second, of which pings and pongs need their share
        connects=Rate(300, 300.0),
        rest_weight=Rate(6000, 60.0),
        connection_age_s=84_600.0,  # the server ends a socket after 24 h
    ),
    FUTURES: Limits(
        pairs_per_connection=200,
        topics_per_frame=100,
        commands=Rate(8, 1.0),  # 10 documented
        connects=Rate(300, 300.0),
        rest_weight=Rate(2400, 60.0),
        connection_age_s=84_600.0,
    ),
}

# Protocol pings; they count as messages, so they are rare.
HEARTBEAT = Heartbeat(send=None, every_s=30.0, answer_s=10.0)

STATUS = {"TRADING": InstrumentStatus.TRADING}  # every other value, known or new, is not tradable
PERPETUAL = "PERPETUAL"  # dated contracts and TRADIFI_PERPETUAL are not for us
COIN = "COIN"

# Documented streams that carry nothing for us; those of all symbols begin with "!".
IGNORED_STREAMS = (
    "bookTicker", "kline_", "ticker", "miniTicker", "markPrice", "forceOrder", "rpiDepth", "avgPrice", "compositeIndex",
)  # fmt: skip
IGNORED_EVENTS = frozenset(
    ("bookTicker", "kline", "24hrTicker", "24hrMiniTicker", "markPriceUpdate", "forceOrder", "avgPrice", "contractInfo")
)
SHUTDOWN = "serverShutdown"

BANNED, TOO_MANY, FIREWALL = 418, 429, 403
STAY_AWAY_S = {TOO_MANY: 60.0, BANNED: 120.0, FIREWALL: 60.0}  # when the answer has no Retry-After
