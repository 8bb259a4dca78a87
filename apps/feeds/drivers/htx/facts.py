"""HTX spot and linear swaps, public side, as of 2026-11-20 (docs of 2021, frames and clients of 2026)."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import FULL_DEPTH, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

REST = {SPOT: "https://api.huobi.pro", FUTURES: "https://api.hbdm.com"}

# Spot has its differences on a socket of their own, and nothing else is served there.
MARKET, DIFFERENCES = "market", "feed"
SOCKETS = {
    SPOT: {MARKET: "wss://api.huobi.pro/ws", DIFFERENCES: "wss://api.huobi.pro/feed"},
    FUTURES: {MARKET: "wss://api.hbdm.com/linear-swap-ws"},
}

# No channel has 50 levels, and none of contracts has more than 150. Differences of 5 and 20 levels exist for some
# majors only, so 20 of spot are whole books. 400 levels are not in the docs of 2021, but two clients of 2026 use them.
BOOK_CHANNEL = {
    SPOT: {20: "mbp.refresh.20", 50: "mbp.150", FULL_DEPTH: "mbp.400"},
    FUTURES: {
        20: "depth.size_20.high_freq",
        50: "depth.size_150.high_freq",
        FULL_DEPTH: "depth.size_150.high_freq",
    },
}
KEPT_LEVELS = {50: 150, FULL_DEPTH: 400}  # the window of each channel of spot differences
TRADES = "trade.detail"
INCREMENTAL = "incremental"  # asked of a contract's book by subscribe and unsubscribe alike, whole books otherwise

DIFFERENCE_CHANNELS = ("mbp.5", "mbp.20", "mbp.150", "mbp.400")
REFRESH_CHANNELS = ("mbp.refresh.5", "mbp.refresh.10", "mbp.refresh.20")
CONTRACT_CHANNELS = ("depth.size_20.high_freq", "depth.size_150.high_freq")
STEP_CHANNELS = {SPOT: ("depth.step0",), FUTURES: ("depth.step0", "depth.step6")}  # those that merge no prices

# Documented channels that carry nothing for us, books of merged prices included.
IGNORED_CHANNELS = ("bbo", "detail", "ticker", "kline.", "depth.step", "basis.", "estimated_rate.", "premium_index.")

# Not in the docs at hand but in clients of 2026: where the 24 h volumes are, and the fields that hold them.
VOLUMES = {SPOT: "market/tickers", FUTURES: "linear-swap-ex/market/detail/batch_merged"}
INSTRUMENTS = {SPOT: "v1/common/symbols", FUTURES: "linear-swap-api/v1/swap_contract_info?business_type=swap"}
# Its ids are not those of the channels: of use by itself only.
SNAPSHOT = {
    SPOT: "market/depth?type=step0&symbol={}",
    FUTURES: "linear-swap-ex/market/depth?type=step0&contract_code={}",
}

LIMITS = {
    SPOT: Limits(
        pairs_per_connection=50,  # undocumented, for subscriptions as for sockets; clients plan 50 to 100 topics
        topics_per_frame=1,  # no batch form
        commands=Rate(1, 0.2),  # one `req` in 0.1 s; `sub` has no figure
        connects=Rate(5, 1.0),
        rest_weight=Rate(8, 1.0),  # 10 documented, counted where they arrive
    ),
    FUTURES: Limits(
        pairs_per_connection=50,
        topics_per_frame=1,
        commands=Rate(2, 0.1),  # 40 a second documented, counted where they arrive
        commands_in_flight=10,  # of the hundred frames that a full socket has to send
        connects=Rate(5, 1.0),
        rest_weight=Rate(120, 3.0),  # 240 a second in one client
    ),
}

# The server asks every five seconds and wants its own number back; it leaves after two questions without an answer.
HEARTBEAT = Heartbeat(send=None, every_s=5.0, answer_s=15.0, listens=True)

# What only sockets with a key send beside their pings.
PRIVATE_OPS, PRIVATE_ACTIONS = frozenset(("error", "sub", "unsub", "auth", "notify")), frozenset(("req", "sub", "push"))

ONLINE, ENABLED = "online", "enabled"
CONTRACT_STATUS = {1: InstrumentStatus.TRADING}  # every other value, known or new, is not tradable
PERPETUAL = "swap"
SETTLES = frozenset(("USDT",))

OK, MAINTAIN = "ok", "maintain"
MAINTAIN_S = 60.0
# Their side: a read may be sent again. Contracts number their errors, spot names them.
BUSY = frozenset((
    "base-system-error", "gateway-internal-error", "timeout",
    "1000", "1001", "1002", "1003", "1004", "1046", "1108",
))  # fmt: skip
TOO_OFTEN = frozenset(("base-request-exceed-frequency-limit", "rate-too-many-requests", "1032"))
TOO_OFTEN_TEXT = ("invalid-parameter", "request limit")  # a limit in disguise
TOO_MANY_REQUESTS = 429
TOO_MANY_S = 1.0  # how long a block lasts is undocumented: every attempt waits longer anyway
RESET_HEADER, RESET_MOST_S = "ratelimit-reset", 600.0  # milliseconds; what is longer than this is a time of day
