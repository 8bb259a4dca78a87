"""CoinEx API v2 public side as of 2026-11-20 (docs of 2024 and 2025, clients of 2026); (?) marks what is unsure."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import FULL_DEPTH, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

# Both markets spell a pair the same way: only the address tells them apart.
REST = {SPOT: "https://api.coinex.com/v2/spot", FUTURES: "https://api.coinex.com/v2/futures"}
SOCKETS = {SPOT: "wss://socket.coinex.com/v2/spot", FUTURES: "wss://socket.coinex.com/v2/futures"}

BOOKS, TRADES = "depth", "deals"
BOOK_LEVELS = {20: 20, 50: 50, FULL_DEPTH: 50}  # 50 is the most that is offered anywhere, so "full" is 50
NOT_MERGED = "0"  # the step that prices are merged by, as text
WHOLE_PUSHES = False  # True: every push is a whole book; False: differences after the first, a whole one a minute

# Documented pushes that carry nothing for us, those of the private half included.
IGNORED_METHODS = frozenset((
    "bbo.update", "state.update", "index.update", "notice.update", "order.update", "stop.update", "user_deals.update",
    "balance.update", "position.update",
))  # fmt: skip

LIMITS = Limits(
    pairs_per_connection=100,  # (?) undocumented
    topics_per_frame=30,  # (?) larger frames were unreliable for others
    commands=Rate(10, 1.0),  # (?) undocumented
    connects=Rate(30, 60.0),  # (?) undocumented
    rest_weight=Rate(400, 1.0),
)

HEARTBEAT = Heartbeat(send='{"method":"server.ping","params":{},"id":0}', every_s=25.0, answer_s=5.0)
PONG = "pong"

LINEAR = "linear"
STATUS = {"online": InstrumentStatus.TRADING}  # every other value, known or new, is not tradable

OK = 0
# "Later" in answer to a command, spot and futures: time-out, too frequent, internal error, unavailable.
LATER = frozenset((23001, 23002, 24001, 24002, 33001, 33002, 34001, 34002))
BUSY = frozenset((3008, 4001, 4002))  # their side: a read may be sent again
TOO_OFTEN = frozenset((4213, 4123))  # (?) 4123 in one source only; both come with HTTP 200
TOO_OFTEN_S = 1.0  # others wait 0.3 s and double it
STAY_AWAY_S = {429: 5.0, 403: 60.0}  # (?) of the gateway, undocumented
