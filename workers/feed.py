"""From the sockets to books, bus and history: what arrives is recorded, applied and published, in this order of call.

Everything here runs in the event loop and none of it waits. A book that leaves LIVE is published as such before
anything is asked for it. Books that this daemon holds for its own trading only are neither published nor recorded.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import structlog
from msgspec import Struct

from apps.feeds.book.books import Books, Tracked
from apps.feeds.book.builder import Alive, Changed, NeedSnapshot
from apps.feeds.drivers.base import Driver, Frame, Resync, Topic, TopicKind
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookKey, BookSnapshot, BookState, MarketType, PublicTrade, in_base
from apps.feeds.shards import shard_of
from apps.feeds.subscriptions import Subscription
from apps.feeds.transport.link import Link, MarketData
from workers.malformed import Malformed
from workers.meters import LastHour
from workers.outlets import SILENT, Interruptions, Outlet, Recorder, Shows
from workers.tape import Tape

log = structlog.get_logger(__name__)

Market = tuple[str, MarketType]

OWN = 0  # the epoch of what belongs to no shard of ours: fences begin at 1


class Pair(Struct):
    """One pair that this daemon holds."""

    subscription: Subscription
    book: Tracked
    shard: str
    epoch: int
    tape: Tape
    outlet: Outlet
    link: Link | None = None  # that its book's newest event came by
    messages: int = 0
    left_live_s: float | None = None

    @property
    def key(self) -> BookKey:
        return self.subscription.key

    @property
    def is_own(self) -> bool:
        """Held for this daemon's own trading only."""
        return self.epoch == OWN


class Feed:
    """The sink of the connection pool, and the owner of all books."""

    def __init__(
        self,
        *,
        drivers: Mapping[str, Driver],
        malformed: Malformed,
        publisher: Shows = SILENT,
        recorder: Recorder = SILENT,
        outages: Interruptions = SILENT,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.back_to_live = LastHour()
        self.messages = 0
        self.stray = 0  # events of pairs that are not held any more
        self.fetch_snapshot: Callable[[Subscription], None] = _nowhere
        self.resubscribe: Callable[[BookKey], None] = _nowhere
        self.ask_snapshot: Callable[[BookKey], None] = _nowhere
        self.settled: Callable[[BookKey], None] = _nowhere
        self._drivers = drivers
        self._public = Outlet((publisher,), recorder, outages)
        self._own = Outlet((), SILENT, SILENT)
        self._malformed = malformed
        self._clock = clock
        self._books: dict[Market, Books] = {}
        self._pairs: dict[Market, dict[str, Pair]] = {}  # by symbol
        self._by_key: dict[BookKey, Pair] = {}

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._by_key.values())

    def find(self, key: BookKey) -> Pair | None:
        return self._by_key.get(key)

    def show_to(self, watcher: Shows) -> None:
        """Tell `watcher` of every book from now on, the own ones as well; call it before any is held."""
        self._public = self._public.and_to(watcher)
        self._own = self._own.and_to(watcher)

    def add(self, subscription: Subscription, epoch: int) -> None:
        """Hold a pair of a shard that this daemon owns under `epoch`, or with OWN for its own trading only."""
        instrument = subscription.instrument
        market = (instrument.exchange, instrument.market_type)
        books = self._books.get(market)
        if books is None:
            driver = self._drivers[instrument.exchange]
            books = self._books[market] = Books(
                lambda depth: driver.rule(instrument.market_type, depth),
                silence_s=driver.limits(instrument.market_type).silence_s,
            )
        book = books.add(subscription)
        book.since_ns = self._clock()
        pair = Pair(
            subscription=subscription,
            book=book,
            shard=shard_of(subscription.key),
            epoch=epoch,
            tape=Tape(),
            outlet=self._own if epoch == OWN else self._public,
        )
        self._pairs.setdefault(market, {})[instrument.symbol] = self._by_key[pair.key] = pair
        pair.outlet.add(book)

    def remove(self, pair: Pair, reason: str) -> None:
        market = (pair.key.exchange, pair.key.market_type)
        pair.outlet.outages.end(pair.book, now_ns=self._clock(), ended_by=reason)
        pair.outlet.remove(pair.key, reason)
        self._books[market].remove(pair.key)
        del self._pairs[market][pair.subscription.instrument.symbol], self._by_key[pair.key]

    # The pool's sink

    def opened(self, link: Link) -> None:
        log.info("connected", connection=link.id, pairs=link.pairs)

    def closed(self, link: Link, topics: Collection[Topic], reason: str, retry_in_s: float) -> None:
        say = log.info if link.pairs else log.debug  # without pairs it was us
        say("disconnected", connection=link.id, pairs=link.pairs, reason=reason, retry_in_s=round(retry_in_s, 2))
        for pair in self._pairs_of(link, topics):
            self._down(pair, reason)

    def events(self, link: Link, events: Sequence[MarketData]) -> None:
        pairs = self._pairs.get((link.exchange, link.market_type), {})
        tapes: dict[BookKey, tuple[Pair, list[PublicTrade]]] = {}
        for event in events:
            pair = pairs.get(event.symbol)
            if pair is None:
                self.stray += 1
                continue
            self.messages += 1
            pair.messages += 1
            if isinstance(event, PublicTrade):
                if not pair.tape.fresh(event.trade_id):
                    continue
                trade = in_base(event, pair.subscription.instrument)
                pair.outlet.recorder.trade(pair.subscription.instrument, pair.shard, pair.epoch, trade)
                tapes.setdefault(pair.key, (pair, []))[1].append(trade)
            else:
                pair.link = link
                self._event(pair, event)
        for key, (pair, trades) in tapes.items():
            pair.outlet.traded(key, trades)

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self._malformed.keep(link.exchange, link.id, frame, error, received_ns)

    def asked(self, link: Link, topic: Topic) -> None:
        """A book without a socket has one now. Others go on: their stream may be moving to a fresh socket."""
        for pair in self._pairs_of(link, [topic]):
            if pair.book.state is BookState.DOWN:
                self._open(pair)
            pair.book.asked_ns = self._clock()

    def acknowledged(self, link: Link, topic: Topic) -> None:
        """Proves nothing: SUBSCRIBED is shown with the first data."""

    def refused(self, link: Link, topic: Topic, code: str, text: str) -> None:
        log.warning("refused by the exchange", connection=link.id, symbol=topic.symbol, code=code, text=text)
        for pair in self._pairs_of(link, [topic]):
            self._down(pair, f"refused by the exchange: {code} {text}".strip())

    def waiting(self, subscription: Subscription, reason: str) -> None:
        pair = self.find(subscription.key)
        if pair is not None and pair.book.reason != reason:
            log.warning("pair does not run", book=str(pair.key), reason=reason)
            self._down(pair, reason)

    # What others bring

    def snapshot(self, key: BookKey, snapshot: BookSnapshot) -> None:
        """The answer to `fetch_snapshot`; of no use once its socket is gone, whose events it was to be joined with."""
        pair = self.find(key)
        if pair is not None and pair.book.state is not BookState.DOWN:
            self._event(pair, snapshot)

    def resync(self, key: BookKey, reason: str) -> bool:
        """Drop one book and build it anew; False when there is no such book or no socket for it."""
        pair = self.find(key)
        if pair is None:
            return False
        seq = pair.book.seq
        books = self._books[key.exchange, key.market_type]
        if books.resync(pair.subscription.instrument.symbol, reason, self._clock()) is None:
            return False
        self._left_live(pair, seq, reason)
        self._ask(pair)
        return True

    def check(self) -> None:
        """Look at ages: books that are silent or that we are behind with become STALE, and LIVE again when we are not;
        books that wait for a snapshot too long ask again."""
        now_ns = self._clock()
        for pair in self:
            pair.book.late_ms = _late_ms(pair)
        for market, books in self._books.items():
            for book in books.check(now_ns):
                pair = self._pairs[market][book.instrument.symbol]
                self._entered(pair)
            for book in books.overdue(now_ns):
                self._ask(self._pairs[market][book.instrument.symbol])

    # Inside

    def _event(self, pair: Pair, event: BookSnapshot | BookDelta) -> None:
        book = pair.book
        event = in_base(event, book.instrument)
        pair.outlet.recorder.book(book.instrument, pair.shard, pair.epoch, event)
        if book.state is BookState.DOWN:
            self._open(pair)  # data came before the word that it was asked for
        was, seq = book.state, book.seq
        book.late_ms = _late_ms(pair)
        applied = self._books[book.key.exchange, book.key.market_type].apply(event, self._clock())
        outcome = None if applied is None else applied[1]
        if isinstance(outcome, Changed | Alive):
            if book.state is not was:
                self._entered(pair)
            elif isinstance(outcome, Changed) and was is BookState.LIVE:
                pair.outlet.changed(book.key, best=outcome.best)
        elif isinstance(outcome, NeedSnapshot):
            if outcome.gap:
                pair.outlet.outages.count(book.key, time.monotonic())
            self._left_live(pair, seq, outcome.reason)
            self._ask(pair)

    def _entered(self, pair: Pair) -> None:
        """Tell of a book that is LIVE now, or STALE: nothing of that one is lost, and nothing of it is served."""
        if pair.book.state is BookState.LIVE:
            self._back(pair)
        else:
            pair.left_live_s = pair.left_live_s or time.monotonic()
            pair.outlet.invalidated(pair.key)

    def _back(self, pair: Pair) -> None:
        book = pair.book
        pair.outlet.changed(book.key, best=True)
        pair.outlet.outages.end(book, now_ns=book.received_ns or self._clock(), ended_by="snapshot")
        self.settled(book.key)
        if pair.left_live_s is not None:
            now_s = time.monotonic()
            self.back_to_live.add(now_s, now_s - pair.left_live_s)
            pair.left_live_s = None

    def _left_live(self, pair: Pair, seq: int | None, reason: str) -> None:
        """The book is not served any more, or still not: say so first."""
        if pair.left_live_s is None and pair.book.received_ns is not None:
            pair.left_live_s = time.monotonic()
        pair.outlet.invalidated(pair.key)
        pair.outlet.outages.begin(pair.book, stream=pair.shard, epoch=pair.epoch, seq=seq, reason=reason)

    def _down(self, pair: Pair, reason: str) -> None:
        seq = pair.book.seq
        books = self._books[pair.key.exchange, pair.key.market_type]
        books.socket_closed([pair.subscription.instrument.symbol], reason, self._clock())
        self._left_live(pair, seq, reason)

    def _open(self, pair: Pair) -> None:
        books = self._books[pair.key.exchange, pair.key.market_type]
        books.socket_open([pair.subscription.instrument.symbol], self._clock())
        pair.outlet.changed(pair.key, best=True)

    def _ask(self, pair: Pair) -> None:
        """For the snapshot that the book needs, the way its exchange gives one; a paused pair asks later."""
        if self._clock() < pair.book.paused_until_ns:
            return
        way = self._drivers[pair.key.exchange].resync(pair.key.market_type, pair.book.depth)
        if way is Resync.REST:
            self.fetch_snapshot(pair.subscription)
        elif way is Resync.SOCKET:
            self.ask_snapshot(pair.key)
        else:
            self.resubscribe(pair.key)

    def _pairs_of(self, link: Link, topics: Collection[Topic]) -> Iterator[Pair]:
        """Those whose book is among the topics."""
        pairs = self._pairs.get((link.exchange, link.market_type), {})
        for topic in topics:
            pair = pairs.get(topic.symbol)
            if pair is not None and topic.kind is TopicKind.BOOK:
                yield pair


def _late_ms(pair: Pair) -> float:
    return 0.0 if pair.link is None else 1000 * pair.link.late_s


def _nowhere(_: object) -> None:
    """Until the pool and the snapshots are there."""
