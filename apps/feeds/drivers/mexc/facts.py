"""MEXC spot v3 and futures as of 2026-11-20 (docs of 2025 and 2026-04, measurements of 2026-09 and 2026-10)."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import FULL_DEPTH, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

# Futures REST moved to the host of spot in 2026-01 (contract.mexc.com was to be retired), its socket did not.
REST = {SPOT: "https://api.mexc.com/api/v3", FUTURES: "https://api.mexc.com/api/v1/contract"}
SOCKETS = {SPOT: "wss://wbs-api.mexc.com/ws", FUTURES: "wss://contract.mexc.com/edge"}

# Spot: pushes are protobuf. The same channel @10ms costs ten times as much and tells no more.
DIFFERENCES, WHOLE, DEALS = "public.aggre.depth", "public.limit.depth", "public.aggre.deals"
SPOT_BOOK = {
    20: "spot@public.limit.depth.v3.api.pb@{}@20",
    50: "spot@public.aggre.depth.v3.api.pb@100ms@{}",
    FULL_DEPTH: "spot@public.aggre.depth.v3.api.pb@100ms@{}",
}
SPOT_TRADES = "spot@public.aggre.deals.v3.api.pb@100ms@{}"
MAX_PUSH = 512_000  # bytes; six hundred levels have some thirty thousand

# Futures: `depth` merges the changes of 200 ms. `depth.full` takes 50 as well, which no text says.
FUTURES_BOOK = {20: "depth.full", 50: "depth", FULL_DEPTH: "depth"}
FUTURES_TRADES = "deal"
WHOLE_LEVELS = 20  # the one depth with channels of whole books
SUBSCRIBE = {"depth": "sub.depth", "depth.full": "sub.depth.full", "deal": "sub.deal"}
# One text spells it `usub.depth.full`, clients do not: uncertain.
UNSUBSCRIBE = {"depth": "unsub.depth", "depth.full": "unsub.depth.full", "deal": "unsub.deal"}

# Documented pushes and answers of futures that carry nothing for us; the private half is among them.
IGNORED_CHANNELS = (
    "push.ticker", "push.tickers", "push.kline", "push.index.price", "push.fair.price", "push.funding.rate",
    "push.depth.step", "push.contract", "push.event.contract", "push.personal.", "rs.login", "rs.personal.",
)  # fmt: skip

# Depth wanted -> limit of GET depth. The docs allow 5000 on spot, one client of 2026 asks for 2000 at most.
SNAPSHOT_LIMIT = {
    SPOT: {20: 20, 50: 1000, FULL_DEPTH: 5000},
    FUTURES: {20: 20, 50: 1000, FULL_DEPTH: 1000},
}

LIMITS = {
    SPOT: Limits(
        pairs_per_connection=15,  # 30 subscriptions, books and trades together; those beyond are lost in silence
        topics_per_frame=15,
        commands=Rate(10, 1.0),  # 100 documented
        connects=Rate(5, 1.0),  # no cap seen up to 300 sockets
        rest_weight=Rate(10, 1.0),  # requests: the firewall counts them, and blocks the host for both markets
        connection_age_s=84_600.0,  # the server ends a socket after 24 h
        frame_bytes=1024,  # one client keeps to it
    ),
    FUTURES: Limits(
        pairs_per_connection=50,  # 150 books worked on one socket; a note of 2026 claims 30 topics: uncertain
        topics_per_frame=1,
        commands=Rate(20, 1.0),
        connects=Rate(5, 1.0),
        rest_weight=Rate(8, 2.0),  # 10 documented, counted where they arrive
        commands_in_flight=1,  # its answers name neither request nor contract
    ),
}

# Spot leaves after 30 s without a valid subscription, futures 60 s after our last ping even while data flows.
HEARTBEATS = {
    SPOT: Heartbeat(send='{"method":"PING"}', every_s=20.0, answer_s=10.0),
    FUTURES: Heartbeat(send='{"method":"ping"}', every_s=15.0, answer_s=10.0),
}
PING, PONG = "PING", '{"method":"PONG"}'
PONGED, SUCCESS = "PONG", "success"
INVALID_KEY = "Invalid listen key"  # plain text, of the private half
GOODBYE = "close the channel"
BLOCKED = "Blocked!"  # unknown or lower-case symbol, retired channel, or more than 30 subscriptions

ONLINE, ALL_SIDES = "1", 1
PERPETUAL = 1
FUTURES_STATUS = {0: InstrumentStatus.TRADING}  # every other value, known or new, is not tradable
TRADFI_ZONE, STOCK_SUFFIX = "mc-trade-zone-tradfi", "STOCK"  # stocks, metals, currencies: not for us

OK = 0
BUSY = frozenset((500, 501, 9999))  # their side: a read may be sent again
TOO_OFTEN = frozenset((429, 510, 2037))  # futures say so with HTTP 200
TOO_OFTEN_S = 2.0  # futures count in windows of two seconds
STAY_AWAY_S = {403: 90.0, 418: 120.0, 429: 10.0}  # when the answer has no Retry-After; 403 is the firewall's, in HTML
