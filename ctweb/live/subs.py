"""What one socket has subscribed to: each knows what it sent last and what is due. Pure."""

from typing import Protocol

from apps.feeds.market import FULL_DEPTH
from ctweb.live.feeds import AccountFeed, BookFeed, TapeFeed
from ctweb.live.fleetfeed import FleetFeed
from ctweb.live.protocol import FULL_HZ

_PROOF_OF_LIFE_NS = 1_000_000_000
_TICK_NS = 100_000_000
_UNSENT = -1


class Watched(Protocol):
    """Anything that counts how many subscriptions look at it."""

    watchers: int


class Subscription(Protocol):
    id: int
    conflated: int  # changes that this socket never saw, because newer ones came first

    @property
    def feed(self) -> Watched: ...

    def due(self, now_ns: int) -> bytes | None:
        """The next message of this subscription, counted as sent; None: nothing new."""

    def forget(self) -> None:
        """The next message is a whole one."""


class BookSubscription:
    """A book, or with depth 1 its best prices: the newest state, at most `hz` a second; when quiet, its age."""

    def __init__(self, id: int, feed: BookFeed, *, depth: int, hz: int = 10) -> None:
        self.id = id
        self.feed = feed
        self.conflated = 0
        self.depth = depth
        rate = min(hz, FULL_HZ) if depth == FULL_DEPTH else hz
        self._every_ns = 1_000_000_000 // rate - _TICK_NS // 2  # frames leave on ticks: half a tick of slack
        self._sent = _UNSENT
        self._sent_ns = 0

    def due(self, now_ns: int) -> bytes | None:
        since = now_ns - self._sent_ns
        if self.feed.version != self._sent and since >= self._every_ns:
            fragment = self.feed.fragment(self.depth)
            if self._sent != _UNSENT:
                self.conflated += self.feed.version - self._sent - 1
        elif since >= _PROOF_OF_LIFE_NS and self._sent == self.feed.version:
            fragment = b'"s":"%b"' % self.feed.state.encode()
        else:
            return None
        self._sent, self._sent_ns = self.feed.version, now_ns
        age = self.feed.age_ms(now_ns)
        return b'{"id":%d,"age":%b,%b}' % (self.id, b"null" if age is None else b"%d" % age, fragment)

    def forget(self) -> None:
        self._sent, self._sent_ns = _UNSENT, 0


class TapeSubscription:
    """Trades since the last frame, at most the tape's length; the rest is counted in `skipped`."""

    def __init__(self, id: int, feed: TapeFeed) -> None:
        self.id = id
        self.feed = feed
        self.conflated = 0
        self._sent = _UNSENT

    def due(self, now_ns: int) -> bytes | None:
        if self.feed.version == self._sent:
            return None
        prints, skipped = self.feed.since(self._sent)
        if self._sent == _UNSENT:
            skipped = 0  # what was printed before this tab asked is history, not a loss
        self.conflated += skipped
        self._sent = self.feed.version
        return b'{"id":%d,"t":%b,"skipped":%d}' % (self.id, prints, skipped)

    def forget(self) -> None:
        self._sent = _UNSENT


class AccountSubscription:
    """What happened on one account since the frame before; what was too much is counted in `skipped`."""

    def __init__(self, id: int, feed: AccountFeed, *, account_id: int) -> None:
        self.id = id
        self.feed = feed
        self.account_id = account_id
        self.conflated = 0
        self._sent = feed.version  # what happened before is in the database

    def due(self, now_ns: int) -> bytes | None:
        if self.feed.version == self._sent:
            return None
        events, skipped = self.feed.since(self._sent)
        self._sent = self.feed.version
        self.conflated += skipped
        return b'{"id":%d,"e":%b,"skipped":%d}' % (self.id, events, skipped)

    def forget(self) -> None:
        """What was missed while the tab was hidden is sent with the next frame, or counted."""


class FleetSubscription:
    """The fleet (what changed), one book's row of it, or only daemons and counts."""

    def __init__(self, id: int, feed: FleetFeed, *, key: str = "", daemons: bool = False) -> None:
        self.id = id
        self.feed = feed
        self.conflated = 0
        self._key = key
        self._daemons = daemons
        self._sent = 0

    def due(self, now_ns: int) -> bytes | None:
        if self.feed.version == self._sent:
            return None
        fragment = self._fragment()
        self._sent = self.feed.version
        return None if fragment is None else b'{"id":%d,%b}' % (self.id, fragment)

    def forget(self) -> None:
        self._sent = 0

    def _fragment(self) -> bytes | None:
        if self._daemons:
            return self.feed.daemons()
        return self.feed.row(self._key) if self._key else self.feed.since(self._sent)
