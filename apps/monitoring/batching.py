"""Which number a row gets and which segment it belongs to: decided where rows are made, not by the writer. Pure."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apps.feeds.market import Instrument
from apps.monitoring.gaps import Gap
from apps.monitoring.rows import TRADES, UPDATES, prefix, text
from apps.monitoring.segments import Place, Span, State

SEGMENT_BYTES = 16 << 20
DAY_NS = 86_400 * 10**9
UNSYNCED_NS = 200_000_000  # what an unclean stop may have cost before the last thing that was found


@dataclass(slots=True, eq=False)
class Counter:
    """event_no of one table, stream and epoch: dense, so that a hole in the history is always a fault."""

    stream: str
    epoch: int
    no: int


@dataclass(slots=True, eq=False)
class OpenBatch:
    """A segment while rows are added to it."""

    batch_id: str
    id_text: bytes
    day_no: int  # days since 1970
    day: str  # YYYYMMDD
    started: dict[Counter, int]  # the table's counters when it was opened
    seen_ns: int | None = None
    rows: int = 0
    size: int = 0


@dataclass(slots=True, eq=False)
class Table:
    name: str
    lanes: "dict[tuple[str, str], Lane]" = field(default_factory=dict)  # by stream and symbol
    counters: dict[str, Counter] = field(default_factory=dict)  # by stream
    batch: OpenBatch | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """What all rows of one book in one table share."""

    table: Table
    instrument: Instrument
    prefix: bytes
    counter: Counter
    seq: int | None = None


@dataclass(slots=True, eq=False)
class Ended:
    """A segment that gets no more rows, and the state that holds once it is sealed."""

    batch: OpenBatch
    spans: list[Span]
    state: State


class Batcher:
    """Both tables' numbers and segments. `nonce` makes the ids of this life of the daemon its own."""

    def __init__(self, daemon: str, former: State, *, nonce: str, batch_size: int, interval_ns: int) -> None:
        self._daemon = daemon
        self._nonce = nonce
        self._batch_size = batch_size
        self._interval_ns = interval_ns
        self._numbers = former.numbers
        until_ns = former.recorded_until_ns - (0 if former.clean else UNSYNCED_NS)
        for place in former.books.values():
            place.until_ns = until_ns if place.until_ns is None else place.until_ns
        self._before = former.books  # books that this life has not met yet
        self._clean = former.clean
        self._tables = {UPDATES: Table(UPDATES), TRADES: Table(TRADES)}
        self._opened = 0
        self.ended: deque[Ended] = deque()

    def lane(self, table: str, stream: str, symbol: str) -> Lane | None:
        return self._tables[table].lanes.get((stream, symbol))

    def open_lane(self, table_name: str, instrument: Instrument, stream: str, epoch: int) -> Lane:
        """The lane of a book that is new here, or whose shard has a new fence."""
        table = self._tables[table_name]
        counter = table.counters.get(stream)
        if counter is None or counter.epoch != epoch:
            counter = self._open_counter(table, stream, epoch)
        lane = Lane(table, instrument, prefix(instrument, stream, epoch), counter)
        table.lanes[stream, instrument.symbol] = lane
        return lane

    def restart_gap(self, lane: Lane, seq: int | None, received_ns: int) -> Gap | None:
        """The gap between a former life's record of a book and its first event in this one.

        None when there was none, or when somebody else owned the shard in between and recorded it.
        """
        instrument, counter = lane.instrument, lane.counter
        place = self._before.pop(str(instrument.key), None)
        if place is None or place.until_ns is None or place.stream != counter.stream:
            return None
        if not place.epoch <= counter.epoch <= place.epoch + 1:
            return None
        return Gap(
            exchange=instrument.exchange,
            market_type=instrument.market_type,
            pair=instrument.pair,
            stream=counter.stream,
            epoch=counter.epoch,
            from_seq=place.seq,
            to_seq=seq,
            from_ns=min(place.until_ns, received_ns),
            to_ns=received_ns,
            reason="the daemon was stopped" if self._clean else "the daemon was killed",
            daemon=self._daemon,
        )

    def batch(self, table: Table, received_ns: int) -> OpenBatch:
        """The segment for a row received now: never two days in one, never more than its share of rows and bytes."""
        batch = table.batch
        day_no = received_ns // DAY_NS
        if batch is not None:
            if batch.day_no == day_no and batch.rows < self._batch_size and batch.size < SEGMENT_BYTES:
                return batch
            self._end(table)
        return self._open(table, day_no, received_ns)

    def end_old(self, now_ns: int) -> None:
        """End segments that have been open for the interval, counted from when they were first seen here."""
        for table in self._tables.values():
            if table.batch is None:
                continue
            if table.batch.seen_ns is None:
                table.batch.seen_ns = now_ns
            elif now_ns - table.batch.seen_ns >= self._interval_ns:
                self._end(table)

    def end_all(self) -> None:
        for table in self._tables.values():
            if table.batch is not None:
                self._end(table)

    def state(self, *names: str) -> State:
        """Numbers of all segments that have ended, and books as they stand; of tables `names` as of now."""
        for name in names:
            table = self._tables[name]
            numbers = dict(self._numbers.get(name, {}))
            numbers.update({stream: (c.epoch, c.no) for stream, c in table.counters.items()})
            self._numbers = {**self._numbers, name: numbers}
        books = dict(self._before)
        for lane in self._tables[UPDATES].lanes.values():
            place = Place(stream=lane.counter.stream, epoch=lane.counter.epoch, seq=lane.seq)
            books[str(lane.instrument.key)] = place
        return State(numbers=self._numbers, books=books)

    def _open_counter(self, table: Table, stream: str, epoch: int) -> Counter:
        last_epoch, last_no = self._numbers.get(table.name, {}).get(stream, (0, 0))
        counter = Counter(stream, epoch, last_no if last_epoch == epoch else 0)
        table.counters[stream] = counter
        if table.batch is not None:
            table.batch.started[counter] = counter.no
        return counter

    def _open(self, table: Table, day_no: int, received_ns: int) -> OpenBatch:
        day = datetime.fromtimestamp(day_no * 86_400, UTC).strftime("%Y%m%d")
        self._opened += 1
        batch_id = f"{self._daemon}-{table.name}-{day}-{received_ns // 10**6:x}x{self._nonce}x{self._opened}"
        started = {counter: counter.no for counter in table.counters.values()}
        table.batch = OpenBatch(batch_id=batch_id, id_text=text(batch_id), day_no=day_no, day=day, started=started)
        return table.batch

    def _end(self, table: Table) -> None:
        batch, table.batch = table.batch, None
        if batch is None:
            return
        spans = [
            Span(stream=counter.stream, epoch=counter.epoch, first_no=start + 1, last_no=counter.no)
            for counter, start in batch.started.items()
            if counter.no > start
        ]
        self.ended.append(Ended(batch, spans, self.state(table.name)))
