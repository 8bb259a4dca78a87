import asyncio
import hashlib
from pathlib import Path

import msgspec
import pytest

from apps.feeds.tests.waiting import until
from apps.monitoring.gaps import Gap
from apps.monitoring.recorder import Recorder
from apps.monitoring.rows import TRADES, UPDATES, facts
from apps.monitoring.segments import SealedBatch, Span
from apps.monitoring.spool import SpoolBusyError
from apps.monitoring.tests.events import NOON_NS, STREAM, delta, instrument, trade

BTC = instrument()
ETH = instrument("ETH/USDT")
SECOND_NS = 10**9
MIDNIGHT_NS = NOON_NS + 43_200 * SECOND_NS


class Life:
    """One life of the daemon's recorder on a folder."""

    def __init__(self, directory: Path, **options: object) -> None:
        self.directory = directory
        self.sealed: list[SealedBatch] = []
        self.shed: list[str] = []
        arguments = {"batch_size": 1000, "batch_interval_s": 3600, "clock": lambda: NOON_NS + SECOND_NS} | options
        self.recorder = Recorder(
            directory=directory,
            daemon="d1",
            on_sealed=self.sealed.append,
            on_shed=lambda instruments: self.shed.extend(one.pair for one in instruments),
            **arguments,
        )
        self.running = asyncio.ensure_future(self.recorder.run())

    async def written(self) -> None:
        """Everything that was recorded lies on disk."""
        await until(lambda: self.recorder._ring.rows == 0)

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})
        await self.recorder.close()

    async def die(self) -> None:
        """End as a SIGKILL would: nothing is sealed, the folder is free."""
        self.running.cancel()
        await asyncio.wait({self.running})
        self.recorder._thread.shutdown()
        self.recorder._spool.close()

    def gaps(self) -> list[Gap]:
        files = sorted((self.directory / "d1").glob("gaps-*.json"))
        return [gap for file in files for gap in msgspec.json.decode(file.read_bytes(), type=list[Gap])]


def content(batch: SealedBatch, suffix: str = ".seg") -> bytes:
    return Path(batch.path).with_suffix(suffix).read_bytes()


def numbers(batches: list[SealedBatch], table: str = UPDATES) -> list[int]:
    found = [batch for batch in batches if batch.table == table]
    return [row.event_no for batch in found for row in facts(table, content(batch))]


async def test_events_are_sealed_in_order_with_dense_numbers(tmp_path):
    life = Life(tmp_path)
    for seq in range(1, 11):
        life.recorder.book(BTC, STREAM, 7, delta(seq))
        life.recorder.book(ETH, STREAM, 7, delta(seq, symbol="ETHUSDT"))
        life.recorder.trade(BTC, STREAM, 7, trade(seq))
    await life.stop()
    assert numbers(life.sealed) == list(range(1, 21))
    assert numbers(life.sealed, TRADES) == list(range(1, 11))


async def test_a_sealed_segment_says_what_it_holds(tmp_path):
    life = Life(tmp_path)
    life.recorder.book(BTC, STREAM, 7, delta(1))
    life.recorder.book(BTC, STREAM, 8, delta(2))
    await life.stop()
    (batch,) = life.sealed
    data = content(batch)
    assert (batch.rows, batch.bytes, batch.day) == (2, len(data), "20250301")
    assert batch.sha256 == hashlib.sha256(data).hexdigest()
    assert batch.spans == [
        Span(stream=STREAM, epoch=7, first_no=1, last_no=1),
        Span(stream=STREAM, epoch=8, first_no=1, last_no=1),
    ]
    assert {row.batch_id for row in facts(UPDATES, data)} == {batch.batch_id}
    assert msgspec.json.decode(content(batch, ".json"), type=SealedBatch) == batch


async def test_a_segment_is_sealed_by_rows(tmp_path):
    life = Life(tmp_path, batch_size=4)
    for seq in range(1, 11):
        life.recorder.book(BTC, STREAM, 7, delta(seq))
    await until(lambda: len(life.sealed) == 2)
    await life.stop()
    assert [batch.rows for batch in life.sealed] == [4, 4, 2]
    assert numbers(life.sealed) == list(range(1, 11))


async def test_a_segment_is_sealed_by_time(tmp_path):
    now = [NOON_NS]
    life = Life(tmp_path, batch_interval_s=5, clock=lambda: now[0])
    life.recorder.book(BTC, STREAM, 7, delta(1))
    await life.written()
    assert life.sealed == []
    now[0] += 6 * SECOND_NS
    await until(lambda: len(life.sealed) == 1)
    await life.stop()


async def test_a_segment_never_spans_midnight(tmp_path):
    life = Life(tmp_path)
    life.recorder.book(BTC, STREAM, 7, delta(1, MIDNIGHT_NS - 1))
    life.recorder.book(BTC, STREAM, 7, delta(2, MIDNIGHT_NS))
    life.recorder.trade(BTC, STREAM, 7, trade(1, MIDNIGHT_NS + SECOND_NS))
    await life.stop()
    assert [(batch.table, batch.day, batch.rows) for batch in life.sealed] == [
        (UPDATES, "20250301", 1),
        (UPDATES, "20250302", 1),
        (TRADES, "20250302", 1),
    ]


async def test_what_a_kill_left_is_sealed_at_the_next_start(tmp_path):
    first = Life(tmp_path)
    for seq in range(1, 6):
        first.recorder.book(BTC, STREAM, 7, delta(seq))
    await first.written()
    await first.die()
    second = Life(tmp_path)
    await until(lambda: len(second.sealed) == 1)
    assert numbers(second.sealed) == [1, 2, 3, 4, 5]
    await second.stop()


async def test_numbers_go_on_after_a_kill_and_start_again_with_a_new_owner(tmp_path):
    first = Life(tmp_path, batch_size=3)
    for seq in range(1, 6):
        first.recorder.book(BTC, STREAM, 7, delta(seq))
    await until(lambda: len(first.sealed) == 1)
    await first.written()
    await first.die()
    second = Life(tmp_path)
    await until(lambda: len(second.sealed) == 1)
    second.recorder.book(BTC, STREAM, 7, delta(9))
    second.recorder.book(BTC, STREAM, 8, delta(10))
    await second.stop()
    assert [batch.spans for batch in second.sealed] == [
        [Span(stream=STREAM, epoch=7, first_no=4, last_no=5)],
        [
            Span(stream=STREAM, epoch=7, first_no=6, last_no=6),
            Span(stream=STREAM, epoch=8, first_no=1, last_no=1),
        ],
    ]


async def test_numbers_go_on_after_a_clean_stop(tmp_path):
    for life_no in range(3):
        life = Life(tmp_path)
        life.recorder.book(BTC, STREAM, 7, delta(life_no))
        life.recorder.trade(BTC, STREAM, 7, trade(life_no))
        await life.stop()
        assert numbers(life.sealed) == [life_no + 1]
        assert numbers(life.sealed, TRADES) == [life_no + 1]


async def test_a_kill_leaves_a_gap_from_the_last_known_event_to_the_first_new_one(tmp_path):
    first = Life(tmp_path)
    first.recorder.book(BTC, STREAM, 7, delta(1, NOON_NS - SECOND_NS))
    await first.written()
    first.recorder.book(BTC, STREAM, 7, delta(2, NOON_NS))
    await first.written()
    await first.die()
    second = Life(tmp_path)
    second.recorder.book(BTC, STREAM, 8, delta(90, NOON_NS + 60 * SECOND_NS))
    second.recorder.book(BTC, STREAM, 8, delta(91, NOON_NS + 61 * SECOND_NS))
    await second.stop()
    (gap,) = second.gaps()
    assert (gap.pair, gap.stream, gap.epoch, gap.from_seq, gap.to_seq) == ("BTC/USDT", STREAM, 8, 2, 90)
    assert NOON_NS - 2 * SECOND_NS < gap.from_ns <= NOON_NS
    assert gap.to_ns == NOON_NS + 60 * SECOND_NS
    assert gap.reason == "the daemon was killed"


async def test_a_clean_stop_leaves_a_gap_that_starts_with_the_stop(tmp_path):
    first = Life(tmp_path)
    first.recorder.book(BTC, STREAM, 7, delta(1))
    await first.stop()
    second = Life(tmp_path)
    second.recorder.book(BTC, STREAM, 7, delta(9, NOON_NS + 60 * SECOND_NS))
    await second.stop()
    (gap,) = second.gaps()
    assert (gap.from_ns, gap.to_ns) == (NOON_NS + SECOND_NS, NOON_NS + 60 * SECOND_NS)
    assert gap.reason == "the daemon was stopped"


async def test_a_book_that_two_lives_missed_has_one_gap_from_the_first_end(tmp_path):
    for seq, pair in [(1, BTC), (1, ETH), (2, BTC)]:
        life = Life(tmp_path, clock=lambda seq=seq: NOON_NS + seq * SECOND_NS)
        life.recorder.book(pair, STREAM, 7, delta(seq, NOON_NS + seq * SECOND_NS, pair.symbol))
        await life.stop()
    gaps = [gap for gap in life.gaps() if gap.pair == "BTC/USDT"]
    assert [(gap.from_ns, gap.to_ns) for gap in gaps] == [(NOON_NS + SECOND_NS, NOON_NS + 2 * SECOND_NS)]


async def test_there_is_no_gap_when_somebody_else_owned_the_shard_in_between(tmp_path):
    first = Life(tmp_path)
    first.recorder.book(BTC, STREAM, 7, delta(1))
    await first.stop()
    second = Life(tmp_path)
    second.recorder.book(BTC, STREAM, 9, delta(9))
    await second.stop()
    assert second.gaps() == []


async def test_a_full_ring_sheds_and_says_exactly_what(tmp_path):
    life = Life(tmp_path, ring_capacity=10)
    for seq in range(1, 31):  # the writer has no turn in between
        life.recorder.book(BTC, STREAM, 7, delta(seq, NOON_NS + seq))
    for number in range(3):
        life.recorder.trade(ETH, STREAM, 7, trade(number, NOON_NS + 40 + number))
    await until(lambda: bool(life.gaps()))
    life.recorder.book(BTC, STREAM, 7, delta(31, NOON_NS + 50))
    await life.stop()
    assert numbers(life.sealed) == list(range(1, 12))
    book, tape = life.gaps()
    assert (book.pair, book.from_seq, book.to_seq) == ("BTC/USDT", 11, 30)
    assert (book.from_ns, book.to_ns) == (NOON_NS + 11, NOON_NS + 30)
    assert book.reason == "shed 20 rows of orderbook_updates: the disk was behind"
    assert (tape.pair, tape.from_ns, tape.to_ns) == ("ETH/USDT", NOON_NS + 40, NOON_NS + 42)
    assert life.shed == ["BTC/USDT", "ETH/USDT"]


async def test_a_disk_that_refuses_for_a_while_costs_nothing(tmp_path, monkeypatch):
    life = Life(tmp_path)
    life.recorder.book(BTC, STREAM, 7, delta(1))
    await life.written()
    (part,) = (tmp_path / "d1").glob("*.part")
    segment = life.recorder._spool._segments[part.stem]
    whole, segment._index_fd = segment._index_fd, -1  # every write of the index fails
    for seq in range(2, 6):
        life.recorder.book(BTC, STREAM, 7, delta(seq))
    await until(lambda: life.recorder._refused)
    segment._index_fd = whole
    await life.written()
    await life.stop()
    assert numbers(life.sealed) == [1, 2, 3, 4, 5]


async def test_gaps_of_the_feed_are_kept_in_the_folder(tmp_path):
    life = Life(tmp_path)
    gap = Gap(
        exchange="binance",
        market_type="spot",
        pair="BTC/USDT",
        stream=STREAM,
        epoch=7,
        from_ns=NOON_NS,
        to_ns=None,
        reason="gap: had 1, got 5",
        daemon="d1",
    )
    life.recorder.gap(gap)
    await life.stop()
    assert life.gaps() == [gap]


async def test_a_second_recorder_on_the_folder_is_refused(tmp_path):
    life = Life(tmp_path)
    with pytest.raises(SpoolBusyError):
        Life(tmp_path)
    await life.stop()


async def test_the_numbers_for_the_fleet_page_are_counted(tmp_path):
    life = Life(tmp_path, batch_size=2)
    for seq in range(1, 6):
        life.recorder.book(BTC, STREAM, 7, delta(seq))
    await until(lambda: life.recorder.stats.waiting == 2)
    stats = life.recorder.stats
    assert stats.rows_s > 0
    assert stats.spool_bytes > sum(batch.bytes for batch in life.sealed)
    assert 0 <= stats.lag_s < 10
    await life.stop()
