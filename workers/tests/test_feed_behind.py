"""Events that wait for the feed: who shows books hears that they are not what the market is, and when they are."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from apps.feeds.book.books import Tracked
from apps.feeds.drivers.registry import driver
from apps.feeds.market import BookKey, MarketType, PublicTrade
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.book_events import delta, snapshot
from apps.feeds.tests.listings import instrument
from apps.feeds.transport.link import Link
from workers.feed import Feed
from workers.malformed import Malformed

BTC, ETH = (Subscription(instrument=instrument(pair, "bybit"), depth=50) for pair in ("BTC/USDT", "ETH/USDT"))
LINK = Link(exchange="bybit", market_type=MarketType.SPOT, category="public", number=1)


class Told:
    """What is told of each book, with its state at that moment."""

    def __init__(self) -> None:
        self.books: dict[BookKey, Tracked] = {}
        self.story: list[tuple[str, str, str]] = []

    def add(self, source: Tracked) -> None:
        self.books[source.key] = source

    def remove(self, key: BookKey, reason: str) -> None:
        del self.books[key]

    def changed(self, key: BookKey, *, best: bool) -> None:
        self._tell("changed", key)

    def invalidated(self, key: BookKey) -> None:
        self._tell("invalidated", key)

    def traded(self, key: BookKey, trades: Iterable[PublicTrade]) -> None:
        raise AssertionError("no trades here")

    def new(self) -> list[tuple[str, str, str]]:
        """What was told since this was asked before."""
        story, self.story = self.story, []
        return story

    def _tell(self, what: str, key: BookKey) -> None:
        self.story.append((what, key.pair, self.books[key].state))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def feed(told: Told, tmp_path: Path) -> Feed:
    """Two books of one socket, both LIVE."""
    LINK.late_s = 0.0
    feed = Feed(drivers={"bybit": driver("bybit")}, publisher=told, malformed=Malformed(tmp_path))
    for each in (BTC, ETH):
        feed.add(each, epoch=1)
        feed.events(LINK, [snapshot(10, symbol=each.instrument.symbol)])
    told.new()
    return feed


def test_a_book_is_invalidated_once_and_told_of_again_when_we_have_caught_up(feed: Feed, told: Told):
    LINK.late_s = 5.5
    feed.events(LINK, [delta(11)])
    assert told.new() == [("invalidated", "BTC/USDT", "STALE")]
    feed.events(LINK, [delta(12)])
    assert told.new() == []
    LINK.late_s = 0.1
    feed.events(LINK, [delta(13)])
    assert told.new() == [("changed", "BTC/USDT", "LIVE")]


def test_the_quiet_books_of_the_socket_go_with_it(feed: Feed, told: Told):
    LINK.late_s = 5.5
    feed.check()
    assert told.new() == [("invalidated", "BTC/USDT", "STALE"), ("invalidated", "ETH/USDT", "STALE")]
    LINK.late_s = 0.1
    feed.check()
    assert told.new() == [("changed", "BTC/USDT", "LIVE"), ("changed", "ETH/USDT", "LIVE")]


def test_a_gap_while_we_are_behind_is_mended_and_still_not_served(feed: Feed, told: Told):
    LINK.late_s = 5.5
    feed.events(LINK, [delta(12)])
    assert told.new() == [("invalidated", "BTC/USDT", "SYNCING")]
    feed.events(LINK, [snapshot(20)])
    assert told.new() == [("invalidated", "BTC/USDT", "STALE")]
