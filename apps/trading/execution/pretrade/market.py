"""What risk needs of the market: the top of a book as it is served, and its middle."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace
from redis import Redis
from redis.exceptions import RedisError

from apps.feeds.bus.redis import read_book
from apps.feeds.market import BookKey, BookState
from apps.trading.caches import MARKET, Cache
from apps.trading.risk.view import Top

log = structlog.get_logger(__name__)

LEVELS = 20  # of each side, what R3 counts as the depth
TIMEOUT_S = 0.1  # an order does not wait for Redis
REST_S = 0.5  # after a failure it is not asked for so long
AHEAD_MS = 250  # hosts' clocks differ by so much: what seems to be of the near future is of now


class Market(Protocol):
    """Asked from threads, also inside transactions: it answers within TIMEOUT_S, from memory or Redis."""

    def top(self, key: BookKey) -> Top | None:
        """The book as it is served now; None where nobody serves it."""
        ...

    def mid(self, key: BookKey) -> Decimal | None:
        """Half way between the best prices of a book that is LIVE, else None."""
        ...


class RedisMarket:
    """The books that daemons publish. Redis away means no books, and with no book nothing is ordered.

    Middles, which value what is held, are of the market tier of `caches`. Safe to use from threads.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._mids: Cache[BookKey, _Mid] = Cache("market", MARKET, timer=monotonic)

    @classmethod
    def at(cls, url: str) -> "RedisMarket":
        return cls(Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S))

    def top(self, key: BookKey) -> Top | None:
        if self._monotonic() < self._rests_until:
            return None
        try:
            book = read_book(self._redis, key, LEVELS)
        except RedisError as error:
            self._rests_until = self._monotonic() + REST_S
            log.warning("no books: Redis does not answer", key=str(key), error=str(error))
            return None
        return None if book is None else top_of(book, self._clock())

    def mid(self, key: BookKey) -> Decimal | None:
        return self._mids.get_or_load(key, lambda: _Mid(mid_of(self.top(key)))).price


class _Mid(Struct, frozen=True):
    """None: the book was looked for and had no middle, which is remembered as well."""

    price: Decimal | None


def mid_of(top: Top | None) -> Decimal | None:
    if top is None or top.state is not BookState.LIVE or not 0 < top.bid <= top.ask:
        return None
    return (top.bid + top.ask) / 2


def top_of(book: dict[str, Any], now_ns: int) -> Top | None:
    """A message `book:` as risk takes it; None where a side is empty. That its owner is current was seen to."""
    bids, asks = book["bids"][:LEVELS], book["asks"][:LEVELS]
    if not bids or not asks or book["checked_ns"] is None:
        return None
    return Top(
        state=BookState(book["state"]),
        age_ms=age_ms(book["checked_ns"], now_ns),
        owner_is_current=True,
        bid=exact(bids[0][0]),
        ask=exact(asks[0][0]),
        bid_depth=sum((exact(amount) for _, amount in bids), Decimal(0)),
        ask_depth=sum((exact(amount) for _, amount in asks), Decimal(0)),
    )


def age_ms(at_ns: int, now_ns: int) -> int:
    """Negative for what claims to come from the future, as after a clock was set back: nobody knows how old it is."""
    age = (now_ns - at_ns) // 1_000_000
    return 0 if -AHEAD_MS <= age < 0 else age


def exact(number: float) -> Decimal:
    """The decimal that an exchange wrote, which the float stands for."""
    return Decimal(repr(number))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The book of the lane, read before rows were locked: what it takes to lock them makes it older."""

    top: Top | None
    at: float = 0.0
    monotonic: Callable[[], float] = lambda: 0.0

    def now(self) -> Top | None:
        ago_ms = round((self.monotonic() - self.at) * 1000)
        return None if self.top is None else replace(self.top, age_ms=self.top.age_ms + ago_ms)


def look(market: Market, key: BookKey, monotonic: Callable[[], float]) -> Seen:
    """The book as it is now, asked for before anything is locked."""
    at = monotonic()
    top = market.top(key)
    return Seen(top=top, at=at, monotonic=monotonic)
