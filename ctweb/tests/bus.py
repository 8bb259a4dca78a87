"""What daemons publish, written by hand for tests of the live socket."""

import time

from apps.feeds.bus import codec
from apps.feeds.market import Side
from apps.feeds.tests.published import HandMade
from ctweb.live.status import BookStatus, DaemonStatus

NOW_NS = 1_700_000_000_000_000_000


def book(**changes: object) -> HandMade:
    """The book of binance:spot:BTC/USDT with 60 levels a side, best bid 100."""
    return HandMade(**changes)  # type: ignore[arg-type]


def fresh(**changes: object) -> HandMade:
    """Confirmed at this moment."""
    now_ns = time.time_ns()
    return book(received_ns=now_ns, last_event_ns=now_ns, **changes)


def message(source: HandMade, *, fence: int = 7, published_ns: int = NOW_NS, levels: int = 50) -> bytes:
    return codec.encode_book(source, levels=levels, fence=fence, version=source.version, published_ns=published_ns)


def prints(*ids: str) -> bytes:
    """Trades of these ids, all buys of 0.5 at 100.25."""
    return codec.encode_trades(
        codec.TradeMessage(one, Side.BUY, 100.25, 0.5, NOW_NS // 1_000_000, NOW_NS) for one in ids
    )


def book_status(key: str, state: str = "LIVE", **changes: object) -> BookStatus:
    """A healthy book's status, as of a daemon that said just now what it says."""
    values: dict[str, object] = {
        "step": "SYNCED",
        "since_ms": 1_000,
        "age_ms": 40,
        "lag_ms": 12.4,
        "msg_s": 10.0,
        "seq": 88_120,
        "fence": 7,
    }
    return BookStatus(key=key, state=state, **{**values, **changes})  # type: ignore[arg-type]


def daemon_status(*books: BookStatus, now_ms: int, **changes: object) -> DaemonStatus:
    values: dict[str, object] = {"daemon": "d1", "pairs": len(books), "loop_lag_ms": 1.0, "books": list(books)}
    return DaemonStatus(now_ms=now_ms, **{**values, **changes})  # type: ignore[arg-type]
