"""Puts into Redis what daemons put there, for tests of the API."""

import json
import time
from typing import Any

from apps.feeds.bus import codec
from apps.feeds.tests.published import HandMade


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def publish_book(store: Any, *, full: bool = False, fence: int = 7, **changes: Any) -> None:
    """The book of binance:spot:BTC/USDT, 60 levels a side, of which the top carries 50."""
    now_ns = time.time_ns()
    book = HandMade(received_ns=now_ns, last_event_ns=now_ns, **changes)
    name, levels = (codec.full_name(book.key), 1000) if full else (codec.book_name(book.key), 50)
    store.set(name, codec.encode_book(book, levels=levels, fence=fence, version=book.version, published_ns=now_ns))


def book_status(key: str, state: str = "LIVE", **changes: Any) -> dict[str, Any]:
    return {
        "key": key,
        "state": state,
        "reason": "",
        "step": "SYNCED",
        "age_ms": 40,
        "msg_s": 10.0,
        "fence": 7,
    } | changes


def publish_daemon(store: Any, *books: dict[str, Any], at_ms: int | None = None, **changes: Any) -> None:
    status = {
        "daemon": "d1",
        "role": "monitor",
        "host": "here",
        "now_ms": at_ms or now_ms(),
        "state": "ALIVE",
        "pairs": len(books),
        "capacity": 500,
        "sockets": 1,
        "max_sockets": 20,
        "books": books,
    } | changes
    store.set(codec.daemon_name(str(status["daemon"])), json.dumps(status))
