"""Bybit v5 public side as of 2026-11-20 (official docs 2026-07)."""

from apps.feeds.drivers.base import Heartbeat, Limits, Rate
from apps.feeds.market import FULL_DEPTH, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

REST = "https://api.bybit.com/v5/market"
CATEGORY = {SPOT: "spot", FUTURES: "linear"}
SOCKETS = {
    SPOT: "wss://stream.bybit.com/v5/public/spot",
    FUTURES: "wss://stream.bybit.com/v5/public/linear",
}

BOOK_LEVELS = {20: 50, 50: 50, FULL_DEPTH: 1000}
# Level counts of the streams that push a snapshot and then differences; 500 was retired on 2025-09-11.
WINDOWS = frozenset((50, 200, 500, 1000))
RESTARTED = 1  # `u` of a book that begins anew, whatever the frame's type says

# Documented topics that carry nothing for us, the other books included: depth 1, the full depth (differences on a
# REST snapshot of its own) and the one with retail orders.
IGNORED_TOPICS = (
    "orderbook.1.", "orderbook.full.", "orderbook.rpi.", "tickers.", "kline.", "liquidation.", "allLiquidation.",
    "adlAlert.", "insurance.", "priceLimit.",
)  # fmt: skip

SNAPSHOT_LIMIT = {20: 50, 50: 50, FULL_DEPTH: 1000}
INSTRUMENTS_PAGE = 1000  # 500 unless asked for, and linear has more than 500

# A frame is refused whole, so the answer to one is awaited before the next is sent. All args of a connection
# together may have 21,000 characters: 200 pairs of two topics stay far below.
ARGS_CHARACTERS = 21_000
LIMITS = {
    SPOT: Limits(
        pairs_per_connection=200,
        topics_per_frame=10,
        commands=Rate(10, 1.0),
        connects=Rate(500, 300.0),
        rest_weight=Rate(600, 5.0),
        commands_in_flight=1,
        frame_bytes=ARGS_CHARACTERS,
    ),
    FUTURES: Limits(
        pairs_per_connection=200,
        topics_per_frame=200,
        commands=Rate(10, 1.0),
        connects=Rate(500, 300.0),
        rest_weight=Rate(600, 5.0),
        commands_in_flight=1,
        frame_bytes=ARGS_CHARACTERS,
    ),
}

HEARTBEAT = Heartbeat(send='{"req_id":"ping","op":"ping"}', every_s=20.0, answer_s=10.0)

STATUS = {"Trading": InstrumentStatus.TRADING}  # every other value, known or new, is not tradable
PRE_LAUNCH = "PreLaunch"
PERPETUAL = "LinearPerpetual"

ALREADY = "already subscribed"  # a refusal that says: you have it
OK = 0
BUSY = frozenset((10000, 10016))  # time-out and error of their server: a read may be sent again
TOO_MANY_REQUESTS, TOO_MANY_VISITS = 429, 10006
FORBIDDEN = 403
STAY_AWAY_S = {FORBIDDEN: 600.0, TOO_MANY_REQUESTS: 5.0}  # the address is banned for at least ten minutes
TOO_MANY_VISITS_S = 1.0  # a rolling window of one second
