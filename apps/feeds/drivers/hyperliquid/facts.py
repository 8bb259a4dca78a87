"""Hyperliquid (HyperCore) public side as of 2026-11-20 (docs 2026-05, wire measured by others 2026-07 to 2026-09)."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

INFO = "https://api.hyperliquid.xyz/info"
SOCKET = "wss://api.hyperliquid.xyz/ws"  # spot, perpetuals and user streams alike

# Books of 20 levels a side, whole, on one shared clock: every 5.4 s since June 2026 (0.5 s before, docs still say so).
BOOK, TRADES = "l2Book", "trades"
LEVELS = 20
FAST_LEVELS = 5  # the `fast` variant, a book of its own every 0.5 s: not asked for
SILENCE_S = 15.0

# Documented channels that carry nothing for the public half.
IGNORED = frozenset((
    "bbo", "allMids", "candle", "activeAssetCtx", "activeSpotAssetCtx", "allDexsAssetCtxs", "fastAssetCtxs", "post",
    "notification", "user", "userFills", "userFundings", "userNonFundingLedgerUpdates", "orderUpdates",
    "clearinghouseState", "spotState", "openOrders", "webData2", "webData3", "activeAssetData",
))  # fmt: skip
GREETING = "Websocket connection established."  # may come first, not JSON

ALREADY_SUBSCRIBED, ALREADY_UNSUBSCRIBED = "Already subscribed: ", "Already unsubscribed: "
NOT_UNDERSTOOD = "Error parsing JSON into valid websocket request: "

# Per address: 10 sockets (100 in the docs of 2025), 30 new a minute, 1000 subscriptions and 2000 messages a minute:
# 10 sockets of 50 pairs, a book and trades each, use them up. An unknown coin costs the socket after some 100 ms.
LIMITS = Limits(
    pairs_per_connection=50,
    topics_per_frame=1,
    commands=Rate(180, 60.0),
    connects=Rate(30, 60.0),
    rest_weight=Rate(1200, 60.0),
    connections=10,
    closes_within_s=2.0,
    silence_s=SILENCE_S,
)
WEIGHT = {"l2Book": 2, "meta": 20, "metaAndAssetCtxs": 20, "spotMeta": 20, "spotMetaAndAssetCtxs": 20}

HEARTBEAT = Heartbeat(send='{"method":"ping"}', every_s=25.0, answer_s=10.0)  # 60 s without a frame from them end it

TOO_MANY_REQUESTS = 429
STAY_AWAY_S = 10.0  # no header says how long [uncertain]; the budget is one of a minute

QUOTE = "USDC"  # collateral of every perpetual of the main dex
PRICE_DECIMALS = {SPOT: 8, FUTURES: 6}  # less the size's decimals; five significant figures hold besides
MIN_NOTIONAL = "10"
MAX_SIZE_DECIMALS = 8

CATALOGUE = {SPOT: "spotMeta", FUTURES: "meta"}
VOLUMES = {SPOT: "spotMetaAndAssetCtxs", FUTURES: "metaAndAssetCtxs"}

# Bridged tokens go by the name of what they stand for [table of clients, 2026]; others keep the name they have.
TICKERS = {"UBTC": "BTC", "UETH": "ETH", "USOL": "SOL", "UPUMP": "PUMP"}
OUTCOMES = ("#", "+")  # outcome tokens, no markets of ours
PAIR_MARK, INDEX_MARK, DEX_MARK = "/", "@", ":"  # PURR/USDC and @107 are spot, xyz:TSLA a perpetual of another dex
FIRST_SPOT_NUMBER = 10_000  # orders name a perpetual by its place in `meta`, a spot pair by this and its index
