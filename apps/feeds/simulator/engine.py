"""Makes the markets move and their channels speak, at the rate that is set."""

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Iterable
from typing import Any

from apps.feeds.simulator.faults import Faults
from apps.feeds.simulator.journal import Entry, Journal
from apps.feeds.simulator.market import Market, Trade
from apps.feeds.simulator.sockets import Socket, encode
from apps.feeds.simulator.streams import BookStream, Message, Mover, Stream, TradeStream

NATURAL_MOST = 1000.0  # book messages a second that channels at their own pace may reach together
MAX_LAG_S = 0.5  # what is later than that is left out, not caught up
TURN = 200  # messages before the event loop gets its turn


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Engine:
    """Owns the subscriptions. Only markets that somebody listens to move."""

    def __init__(self, *, faults: Faults, journal: Journal, rng: random.Random, rate: float | None) -> None:
        """`rate`: book messages a second over all channels; None lets each channel keep the exchange's own pace.

        Channels with a clock are never slower than that.
        """
        self.rate = rate
        self.beats = 0
        self._faults = faults
        self._journal = journal
        self._rng = rng
        self._books: dict[Market, list[BookStream]] = {}
        self._trades: dict[Market, list[TradeStream]] = {}
        self._pace = 0.0  # of all live book channels together
        self._due: list[tuple[float, int, Stream]] = []
        self._order = itertools.count()  # breaks ties in the heap
        self._broken = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            done = 0
            while self._due and self._due[0][0] <= now and done < TURN:
                due, _, stream = heapq.heappop(self._due)
                self.beat(stream, now)
                done += 1
                if stream.over:
                    self._shut(stream)
                elif self._is_open(stream):
                    self._schedule(stream, max(due, now - MAX_LAG_S) + self._interval(stream))
            behind = done == TURN
            wait = self._due[0][0] - loop.time() if self._due else 0.02
            await asyncio.sleep(0 if behind else min(max(wait, 0.002), 0.02))

    def set_rate(self, rate: float | None) -> None:
        self.rate = rate
        now = asyncio.get_running_loop().time()
        streams = [stream for _, _, stream in self._due]
        self._due = []
        for stream in streams:
            self._schedule(stream, self._first_due(stream, now))

    def join(self, socket: Socket, stream: Stream, *, greet: bool = True) -> None:
        """Subscribe a socket; what a new socket gets is sent at once unless the market is muted.

        Without `greet` it is only told what changes, until `greet` is called for it.
        """
        if socket in stream.sockets or socket in stream.waiting:
            return
        listing = stream.market.listing
        entry = self._journal.entry(
            socket.id,
            stream.name,
            exchange=listing.exchange,
            market_type=listing.market_type,
            symbol=listing.symbol,
            kind=stream.kind,
        )
        if not (stream.sockets or stream.waiting):
            self._open(stream)
        socket.streams[stream.name] = stream
        stream.sockets[socket] = entry
        if greet:
            self.greet(socket, stream)

    def greet(self, socket: Socket, stream: Stream) -> None:
        """Let a socket that listens start anew, with what new sockets get."""
        entry = stream.sockets.pop(socket, None)
        if entry is not None:
            stream.waiting[socket] = entry
            if not self._muted(stream.market):
                self._greet(stream, now_ms())

    def leave(self, socket: Socket, name: str) -> None:
        stream = socket.streams.pop(name, None)
        if stream is None:
            return
        stream.sockets.pop(socket, None)
        stream.waiting.pop(socket, None)
        if not (stream.sockets or stream.waiting):
            self._shut(stream)

    def beat(self, stream: Stream, now: float) -> None:
        """One turn of a channel: its market moves, the trades are told, the channel says what changed."""
        market = stream.market
        if self._muted(market):
            return
        ms = now_ms()
        if stream.waiting:
            self._greet(stream, ms)
        if isinstance(stream, TradeStream) and not stream.moves and market in self._books:
            return  # the book channels move it
        if not (self._faults.active and self._holds("freeze", market)):
            self._report(market, market.step(now, ms), ms)
        if isinstance(stream, BookStream):
            for other in self._books[market]:
                if other.leads and other is not stream:
                    self._speak(other, now, ms)
            self._speak(stream, now, ms)
        if market.ended:
            self.hang_up(market)
            market.rewind()

    def settle(self, market: Market) -> None:
        """Let every channel that tells changes tell those it still holds, unless the market is muted."""
        for stream in self.books(market):
            if stream.changes and not self._muted(market):
                self._speak(stream, asyncio.get_running_loop().time(), now_ms())

    def tell(self, market: Market, trades: list[Trade]) -> None:
        """Let the trade channels tell what accounts have traded, unless the market is muted."""
        if not self._muted(market):
            self._report(market, trades, now_ms())

    def stir(self, market: Market) -> None:
        """Let a market move for as long as accounts have orders in it, whether anybody listens or not."""
        if not any(isinstance(stream, Mover) for stream in self._trades.get(market, ())):
            self._open(Mover(market))

    def hang_up(self, market: Market) -> None:
        """Cut every socket that listens to this market; nobody listens to it from now on."""
        for stream in [*self._books.get(market, ()), *self._trades.get(market, ())]:
            for socket in [*stream.sockets, *stream.waiting]:
                socket.hang_up()
                self.leave(socket, stream.name)

    def streams(self) -> Iterable[Stream]:
        """All channels that somebody listens to."""
        for books in self._books.values():
            yield from books
        for trades in self._trades.values():
            yield from (stream for stream in trades if not isinstance(stream, Mover))

    def books(self, market: Market) -> list[BookStream]:
        return self._books.get(market, [])

    def _open(self, stream: Stream) -> None:
        stream.open()
        if isinstance(stream, BookStream):
            self._books.setdefault(stream.market, []).append(stream)
            self._pace += stream.pace
        elif isinstance(stream, TradeStream):
            self._trades.setdefault(stream.market, []).append(stream)
        now = asyncio.get_running_loop().time()
        stream.spoke = now
        self._schedule(stream, self._first_due(stream, now))

    def _is_open(self, stream: Stream) -> bool:
        return stream in self._books.get(stream.market, ()) or stream in self._trades.get(stream.market, ())

    def _shut(self, stream: Stream) -> None:
        stream.shut()
        live: dict[Market, Any] = self._books if isinstance(stream, BookStream) else self._trades
        live[stream.market].remove(stream)
        if not live[stream.market]:
            del live[stream.market]
        if isinstance(stream, BookStream):
            self._pace -= stream.pace
        self._due = [item for item in self._due if item[2] is not stream]
        heapq.heapify(self._due)

    def _schedule(self, stream: Stream, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._order), stream))

    def _first_due(self, stream: Stream, now: float) -> float:
        """Channels of one clock speak together; the others are spread."""
        interval = self._interval(stream)
        return now + (interval - now % interval if stream.clocked else self._rng.random() * interval)

    def _interval(self, stream: Stream) -> float:
        if isinstance(stream, TradeStream):
            return 1 / stream.pace  # it only moves markets that no book channel moves
        factor = min(1.0, NATURAL_MOST / self._pace) if self.rate is None else self.rate / self._pace
        if stream.clocked:
            factor = max(factor, 1.0)  # its clients take a late beat for a dead market
        return min(1 / (stream.pace * factor), 3600.0) if factor > 0 else 3600.0

    def _holds(self, fault: str, market: Market) -> bool:
        listing = market.listing
        return self._faults.find(fault, listing.exchange, listing.market_type, listing.symbol) is not None

    def _muted(self, market: Market) -> bool:
        return self._faults.active and self._holds("mute", market)

    def _greet(self, stream: Stream, ms: int) -> None:
        """Bring the others up to date, then start the new sockets from exactly there."""
        if isinstance(stream, BookStream) and stream.sockets and (update := stream.next(ms)) is not None:
            self._publish(stream, update)
        if (first := stream.welcome(ms)) is not None:
            self._write(stream, stream.waiting, first)
        stream.sockets.update(stream.waiting)
        stream.waiting.clear()

    def _report(self, market: Market, trades: list[Trade], ms: int) -> None:
        if trades:
            for stream in self._trades.get(market, ()):
                for message in stream.report(trades, ms):
                    self._publish(stream, message)

    def _speak(self, stream: BookStream, now: float, ms: int) -> None:
        message = None
        if self._faults.active:
            if self._suffers("resnapshot", stream):
                message = stream.again(ms)
            elif self._suffers("reset", stream):
                message = stream.reset(ms)
        message = message or stream.next(ms) or stream.idle(ms, now - stream.spoke)
        if message is not None:
            stream.spoke = now
        while message is not None:
            self.beats += 1
            self._publish(stream, message)
            message = stream.more(ms)

    def _suffers(self, fault: str, stream: Stream) -> bool:
        listing = stream.market.listing
        return self._faults.take(fault, listing.exchange, listing.market_type, stream.name)

    def _publish(self, stream: Stream, message: Message) -> None:
        if not self._faults.active and stream.held is None:
            self._write(stream, stream.sockets, message)
            return
        if self._suffers("gap", stream):
            return  # numbered, and never sent
        if isinstance(stream, BookStream) and self._suffers("cross", stream):
            stream.cross(message)
        if isinstance(stream, BookStream) and self._suffers("checksum", stream):
            stream.spoil_checksum(message)
        if self._suffers("malformed", stream):
            self._write_broken(stream, message)
        if stream.held is None and self._suffers("reorder", stream):
            stream.held = message
            return
        self._write(stream, stream.sockets, message)
        if self._suffers("duplicate", stream):
            self._write(stream, stream.sockets, message)
        if stream.held is not None:
            late, stream.held = stream.held, None
            self._write(stream, stream.sockets, late)

    def _write(self, stream: Stream, sockets: dict[Socket, Entry], message: Message) -> None:
        body = stream.body(message)
        plain = wrapped = b""
        for socket, entry in sockets.items():
            if socket.combined:
                frame = wrapped = wrapped or stream.frame(_wrap(stream.name, body))
            else:
                frame = plain = plain or stream.frame(body)
            if socket.send(frame) and message.told:
                entry.count(message.seq, message.prints)

    def _write_broken(self, stream: Stream, message: Message) -> None:
        """A broken copy of the message, beside the whole one; each other one is cut off."""
        self._broken += 1
        body = stream.broken(message, cut=self._broken % 2 == 1)
        for socket, entry in stream.sockets.items():
            if socket.send(stream.frame(_wrap(stream.name, body) if socket.combined else body)):
                entry.malformed += 1


def _wrap(name: str, body: bytes) -> bytes:
    """Binance's combined form."""
    return b'{"stream":%s,"data":%s}' % (encode(name), body)
