"""OKX API v5 public side as of 2026-11-20; spot and swaps share every endpoint and channel."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

REST = "https://www.okx.com/api/v5"
SOCKET = "wss://ws.okx.com:8443/ws/v5/public"
INSTRUMENT_TYPE = {SPOT: "SPOT", FUTURES: "SWAP"}

BOOKS, TRADES = "books", "trades"  # no public channel has 20 or 50 levels: every depth is cut from 400
BOOK_LEVELS = 400
NO_CHECKSUM = 0  # constant in the field since 2026-06-23: not provided
NO_PREVIOUS = -1

# Documented channels that carry nothing for us, other books included.
IGNORED_CHANNELS = frozenset((
    "bbo-tbt", "books5", "books50-l2-tbt", "books-l2-tbt", "books-rpi", "books-elp", "trades-all", "tickers",
    "index-tickers", "instruments", "mark-price", "price-limit", "funding-rate", "open-interest", "estimated-price",
    "liquidation-orders", "adl-warning", "opt-summary", "status",
))  # fmt: skip

LIMITS = Limits(
    pairs_per_connection=30,  # OKX advises fewer than about 30 depth subscriptions
    topics_per_frame=50,
    commands=Rate(3, 1.0),
    connects=Rate(3, 1.0),
    rest_weight=Rate(40, 2.0),  # books; lists allow half as many and weigh two
    command_budget=Rate(480, 3600.0),
    frame_bytes=4096,  # 64 KB in the newer text
)
LIST_WEIGHT = 2

HEARTBEAT = Heartbeat(send="ping", every_s=20.0, answer_s=10.0)  # the server hangs up after 30 s without any push
PONG = "pong"

CLOSING_SOON = "64008"

STATUS = {"live": InstrumentStatus.TRADING}  # every other value, known or new, is not tradable
LINEAR = "linear"
SETTLES = frozenset(("USDT", "USDC"))

OK = "0"
BUSY = frozenset(("50001", "50004", "50005", "50013", "50026"))  # their side: a read may be sent again
TOO_MANY_CODE, TOO_MANY_S = "50011", 2.0  # every limit has a window of two seconds
STAY_AWAY_S = {429: TOO_MANY_S, 403: 60.0}  # when the answer has no Retry-After
