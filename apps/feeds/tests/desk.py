"""The sink of a pool in tests: books as a daemon holds them, and notes of all that happens."""

from collections import defaultdict
from collections.abc import Collection

from apps.feeds.book.books import Tracked
from apps.feeds.capture import Watcher
from apps.feeds.drivers.base import Driver, Frame, Topic, TopicKind
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookKey, BookSnapshot, Levels, MarketType, PublicTrade, in_base
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.toy import Watched
from apps.feeds.transport.http import Http
from apps.feeds.transport.link import Link, MarketData

AGAIN_S = 0.1  # after a snapshot that was of no use


class Desk(Watcher, Watched):
    def __init__(self, driver: Driver, market_type: MarketType, http: Http) -> None:
        Watcher.__init__(self, driver, market_type, http, again_s=AGAIN_S)
        Watched.__init__(self)
        self.prints: defaultdict[str, list[PublicTrade]] = defaultdict(list)
        self.events_of: defaultdict[str, list[BookSnapshot | BookDelta]] = defaultdict(list)
        self.removed: defaultdict[str, int] = defaultdict(int)  # levels that went from the middle of a book
        self.resyncs: defaultdict[str, list[str]] = defaultdict(list)
        self.waits: dict[BookKey, str] = {}
        self.losses: list[str] = []
        self.served_without_socket = 0

    def closed(self, link: Link, topics: Collection[Topic], reason: str, retry_in_s: float) -> None:
        super().closed(link, topics, reason, retry_in_s)
        self.losses.append(reason)
        closed = [self.books.get(topic.symbol) for topic in topics if topic.kind is TopicKind.BOOK]
        self.served_without_socket += sum(one is not None and one.builder.book is not None for one in closed)
        self.note()

    def events(self, link: Link, events: list[MarketData]) -> None:
        super().events(link, events)
        for event in events:
            if isinstance(event, PublicTrade):
                self.prints[event.symbol].append(event)
        self.note()

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        super().malformed(link, frame, error, received_ns)
        self.note()

    def acknowledged(self, link: Link, topic: Topic) -> None:
        self.note()

    def refused(self, link: Link, topic: Topic, code: str, text: str) -> None:
        super().refused(link, topic, code, text)
        self.note()

    def waiting(self, subscription: Subscription, reason: str) -> None:
        super().waiting(subscription, reason)
        self.waits[subscription.key] = reason
        self.note()

    def apply(self, event: BookSnapshot | BookDelta) -> None:
        """In base currency, as a daemon does it."""
        tracked = self.books.get(event.symbol)
        if tracked is None:
            return
        event = in_base(event, tracked.instrument)
        self.events_of[event.symbol].append(event)
        before, gaps = _top(tracked), tracked.counts.gaps
        super().apply(event)
        if tracked.counts.gaps > gaps:
            self.resyncs[event.symbol].append(tracked.reason)
        else:
            self.removed[event.symbol] += _gone(before, _top(tracked))
        self.note()


def _top(tracked: Tracked) -> tuple[Levels, Levels]:
    book = tracked.builder.book
    return ([], []) if book is None else book.top(20)


def _gone(before: tuple[Levels, Levels], after: tuple[Levels, Levels]) -> int:
    """Prices that are no more, although the book still reaches beyond them."""
    count = 0
    for was, now_is in zip(before, after, strict=True):
        prices = {price for price, _ in now_is}
        if prices:
            low, high = min(prices), max(prices)
            count += sum(low < price < high and price not in prices for price, _ in was)
    return count
