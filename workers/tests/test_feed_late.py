"""Answers that come too late for the feed."""

import time
from pathlib import Path

import pytest

from apps.feeds.bus.publisher import Publisher
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.registry import driver
from apps.feeds.market import BookDelta, BookSnapshot, BookState, Instrument, MarketType, PublicTrade
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.listings import instrument
from apps.feeds.transport.link import Link
from workers.feed import Feed
from workers.malformed import Malformed
from workers.outages import Outages


class Rows:
    """A history that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[BookSnapshot | BookDelta] = []

    def book(self, instrument: Instrument, stream: str, epoch: int, event: BookSnapshot | BookDelta) -> None:
        self.events.append(event)

    def trade(self, instrument: Instrument, stream: str, epoch: int, trade: PublicTrade) -> None:
        raise AssertionError("no trades here")


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def feed(rows: Rows, tmp_path: Path) -> Feed:
    return Feed(
        drivers={"binance": driver("binance")},
        publisher=Publisher("redis://127.0.0.1:1/0", hz=10),  # never flushed here
        recorder=rows,
        outages=Outages(daemon="d1", report=lambda gap: None),
        malformed=Malformed(tmp_path),
    )


async def test_a_snapshot_that_arrives_after_its_socket_was_lost_makes_no_book(feed: Feed, rows: Rows):
    listed = instrument("BTC/USDT")
    feed.add(Subscription(instrument=listed, depth=50), epoch=1)
    link = Link(exchange="binance", market_type=MarketType.SPOT, category="public", number=1)
    topic = Topic(kind=TopicKind.BOOK, symbol=listed.symbol, depth=50)
    answer = BookSnapshot(
        symbol=listed.symbol, seq=7, bids=[(1.0, 1.0)], asks=[(2.0, 1.0)], received_ns=time.time_ns(), from_rest=True
    )
    feed.asked(link, topic)
    feed.closed(link, [topic], "cut", 0.1)
    feed.snapshot(listed.key, answer)
    pair = feed.find(listed.key)
    assert pair is not None
    assert (pair.book.state, pair.book.builder.book, rows.events) == (BookState.DOWN, None, [])
