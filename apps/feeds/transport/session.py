"""One open socket from the first subscribe to its end: what is read, and what is asked for."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from websockets.exceptions import ConnectionClosed

from apps.feeds.drivers.base import Ack, Closing, Command, Driver, Event, Frame, Ping, Topic, Welcome
from apps.feeds.errors import ConnectionLost, MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, PublicTrade
from apps.feeds.transport.ledger import Ledger, Refusal
from apps.feeds.transport.limits import Pace
from apps.feeds.transport.link import Link, MarketData
from apps.feeds.transport.pulse import Pulse
from apps.feeds.transport.slots import Phase, Slot
from apps.feeds.transport.timed import MOST_WAITING, TimedSocket
from apps.feeds.transport.timing import Timing
from apps.feeds.transport.turns import Turns

log = logging.getLogger(__name__)

BOOK_EVENTS = (BookDelta, BookSnapshot)
UNPROVEN = (Phase.SUBSCRIBING, Phase.SUBSCRIBED)


class Owner(Protocol):
    """What a session reports to; see `Connection`."""

    def lost(self, reason: str, *, idle: bool = False) -> None: ...
    def suspect(self, topics: Sequence[Topic], *, worked: bool) -> None: ...
    def deliver(self, session: "Session", events: list[MarketData]) -> None: ...
    def first_data(self) -> None: ...
    def malformed(self, frame: Frame, error: MalformedFrame, received_ns: int) -> None: ...
    def asked(self, session: "Session", topic: Topic) -> None: ...
    def acknowledged(self, session: "Session", topic: Topic) -> None: ...
    def refused(self, refusal: Refusal) -> None: ...
    def silent(self, topic: Topic) -> None: ...


class Session:
    """Serves one socket; `retiring` is done when another one should take its place."""

    def __init__(
        self,
        socket: TimedSocket,
        *,
        link: Link,
        driver: Driver,
        owner: Owner,
        timing: Timing,
        turns: Turns,
        idle_s: float,
        lifetime_s: float | None,
        clock: Callable[[], int],
    ) -> None:
        self.ledger = Ledger(lambda topic: driver.stream(link.market_type, topic))
        self.retiring: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._socket = socket
        self._link = link
        self._driver = driver
        self._owner = owner
        self._timing = timing
        self._turns = turns
        self._idle_s = idle_s
        self._idle = False
        self._clock = clock
        self._limits = driver.limits(link.market_type)
        self._pace = Pace([rate for rate in (self._limits.commands, self._limits.command_budget) if rate is not None])
        self._wake = asyncio.Event()
        self._next_id = 1
        self._greeted = not self._limits.greeted
        self._worked = False  # the exchange confirmed a subscription
        self._suspects: list[Topic] = []  # what it may have closed the socket for
        self._pulse = Pulse(driver.heartbeat(link.market_type), quiet_s=timing.quiet_s, ask=self._ask_for_life)
        self._opened = self._data = time.monotonic()  # the last market data
        self._retires = None if lifetime_s is None else self._data + lifetime_s
        self._malformed: deque[float] = deque(maxlen=timing.malformed_frames)

    def want(self, topic: Topic) -> None:
        self.ledger.want(topic)
        self._wake.set()

    def drop(self, topic: Topic) -> None:
        self.ledger.drop(topic)
        self._wake.set()

    def renew(self, topic: Topic) -> None:
        self.ledger.renew(topic)
        self._wake.set()

    def ask_snapshot(self, topic: Topic) -> None:
        self.ledger.ask_snapshot(topic, now=time.monotonic(), spacing_s=self._timing.snapshot_s)
        self._wake.set()

    async def run(self) -> None:
        """Serve until the socket is lost, which its owner hears before anything else, or until cancelled."""
        reason = ""
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._read(), name=f"read {self._link.id}")
                parts.create_task(self._command(), name=f"command {self._link.id}")
                parts.create_task(self._pulse.run(), name=f"pulse {self._link.id}")
        except* ConnectionLost as lost:
            reason = str(lost.exceptions[0])
        except* Exception as crash:  # a fault of ours on one socket must not stop the others
            log.exception("session of %s failed", self._link.id)
            reason = f"internal error: {crash.exceptions[0]!r}"
        finally:
            self._turns.leave(self)
            if reason:
                self._owner.lost(reason, idle=self._idle)
                self._owner.suspect(self._suspects, worked=self._worked)
            await self.close()

    async def close(self) -> None:
        """Politely, or at once when there is no time for it."""
        try:
            await self._socket.close()
        finally:
            self._socket.transport.abort()

    async def _read(self) -> None:
        receive = self._socket.receive
        taken_s = 0.0
        while True:
            if taken_s > self._turns.share_s:
                taken_s = 0.0
                await self._turns.next(self, behind=self._socket.waiting > 0)
                if (waiting := self._socket.waiting) > MOST_WAITING:
                    raise ConnectionLost(f"{waiting} frames behind")
            try:
                frame, came = await receive()  # text that is not UTF-8 is the driver's to refuse
            except ConnectionClosed as error:
                if self._limits.closes_within_s is not None:
                    self._suspects = self.ledger.unanswered(time.monotonic() - self._limits.closes_within_s)
                raise ConnectionLost(f"closed by {_who_closed(error)}") from error
            self._pulse.hear()
            self._link.late_s = self._pulse.heard - came
            began = time.thread_time()
            await self._take(frame)
            taken_s += time.thread_time() - began

    async def _take(self, frame: Frame) -> None:
        received_ns = self._clock()
        self._link.frames += 1
        self._link.bytes += len(frame)
        try:
            events = self._driver.parse(self._link.market_type, frame, received_ns)
        except MalformedFrame as error:
            self._owner.malformed(frame, error, received_ns)
            self._count_malformed()
        else:
            await self._sort(events)

    async def _sort(self, events: list[Event]) -> None:
        """Market data of what is subscribed goes on, in order; all else is for this socket."""
        market: list[MarketData] = []
        books, trades = self.ledger.books, self.ledger.trades
        for event in events:
            if isinstance(event, BOOK_EVENTS):
                slot = books.get(event.symbol)
                if slot is not None and isinstance(event, BookSnapshot) and event.from_rest:
                    self._snapshot_came(slot)
            elif isinstance(event, PublicTrade):
                slot = trades.get(event.symbol)
            else:
                await self._control(event)
                continue
            if slot is None or not slot.passing:
                self._link.stray += 1
                continue
            if slot.phase in UNPROVEN:
                self._prove(slot)
            market.append(event)
        if market:
            self._data = self._pulse.heard
            self._owner.deliver(self, market)

    def _snapshot_came(self, slot: Slot) -> None:
        """The question has surely arrived by now, so that the pace of the next one counts from here."""
        if self.ledger.snapshot_came(slot):
            self._pace.take(time.monotonic())
            self._wake.set()

    def _prove(self, slot: Slot) -> None:
        """First data. A topic that was reported as silent runs after all, and its user hears so before."""
        if slot.reported and slot.wanted is not None:
            self._owner.asked(self, slot.wanted)
        self.ledger.arrived(slot)
        self._owner.first_data()

    async def _control(self, event: Event) -> None:
        if isinstance(event, Ack):
            if (without := self.ledger.snapshot_refused(event)) is not None:
                self._pace.take(time.monotonic())
                self.ask_snapshot(without)
            answer = self.ledger.answered(event, time.monotonic())
            for topic in answer.confirmed:
                self._worked = True
                self._owner.acknowledged(self, topic)
            for refusal in answer.refused:
                self._owner.refused(refusal)
            self._wake.set()
        elif isinstance(event, Ping):
            await self._send(event.reply)
        elif isinstance(event, Welcome):
            self._greeted = True
            self._wake.set()
        elif isinstance(event, Closing):
            log.info("%s will be closed by the exchange: %s", self._link.id, event.text)
            self._retire()

    def _count_malformed(self) -> None:
        self._link.malformed += 1
        self._malformed.append(self._pulse.heard)
        many = len(self._malformed) == self._timing.malformed_frames
        if many and self._pulse.heard - self._malformed[0] <= self._timing.malformed_s:
            raise ConnectionLost(f"{len(self._malformed)} malformed frames within {self._timing.malformed_s:g} s")

    async def _command(self) -> None:
        """Bring what is on the wire to what is wanted: unsubscribes first, all within the exchange's limits."""
        while True:
            self._wake.clear()
            self._check(time.monotonic())
            if (delay := self._pace.delay(time.monotonic())) > 0:
                await asyncio.sleep(min(delay, self._timing.check_s))  # then look again: wishes change meanwhile
            elif self._may_command() and (command := self._next()) is not None:
                await self._say(*command)
            elif (topic := self._next_snapshot(time.monotonic())) is not None:
                await self._say_snapshot(topic)
            else:
                await self._woken(self._timing.check_s)

    def _may_command(self) -> bool:
        most = self._limits.commands_in_flight
        return self._greeted and (most is None or self.ledger.in_flight() < most)

    def _next(self) -> tuple[Command, bool] | None:
        """The next command and whether it subscribes."""
        make, topics = self._driver.unsubscribe, self.ledger.leaving()
        joining = not topics
        if joining:
            make, topics = self._driver.subscribe, self.ledger.joining()
        if not topics:
            return None
        return make(self._link.market_type, topics, self._next_id)[0], joining

    def _next_snapshot(self, now: float) -> Topic | None:
        """Of which stream to ask for one: of none while an answer is awaited.

        What is sent at a pace may arrive at once, if the other side or the way to it stalls; what is sent after the
        answer to the one before cannot.
        """
        if self.ledger.asks_snapshot(now - self._timing.ack_s):
            return None
        return next(self.ledger.snapshots_due(now), None)

    async def _say(self, command: Command, joining: bool) -> None:
        self._next_id += 1
        self.ledger.sent(command, joining=joining, now=time.monotonic())
        await self._send(command.frame)
        if joining:
            for topic in command.topics:
                self._owner.asked(self, topic)

    async def _say_snapshot(self, topic: Topic) -> None:
        frame = self._driver.snapshot_command(self._link.market_type, topic, self._next_id)
        self.ledger.snapshot_sent(topic, str(self._next_id), time.monotonic())
        self._next_id += 1
        if frame is not None:
            await self._send(frame)

    def _check(self, now: float) -> None:
        """What time alone brings about."""
        timing = self._timing
        if not self._greeted and now - self._opened > timing.open_s:
            raise ConnectionLost(f"no greeting within {timing.open_s:g} s")
        overdue = self.ledger.overdue(
            now, ack_s=timing.ack_s, ack_tries=timing.ack_tries, first_data_s=timing.first_data_s
        )
        if overdue.unanswered is not None:
            name = self._driver.stream(self._link.market_type, overdue.unanswered)
            raise ConnectionLost(f"{timing.ack_tries} commands for {name} were not answered")
        for topic in overdue.silent:
            self._owner.silent(topic)
        live = any(slot.phase is Phase.LIVE for slot in self.ledger.books.values())
        if live and now - self._data > self._idle_s:
            self._idle = True
            raise ConnectionLost(f"no market data for {self._idle_s:g} s")
        if self._retires is not None and now >= self._retires:
            self._retire()

    def _retire(self) -> None:
        if not self.retiring.done():
            self.retiring.set_result(None)

    async def _ask_for_life(self, frame: Frame | None) -> None:
        if frame is not None:
            await self._send(frame)
            return
        self._pace.take(time.monotonic())
        with contextlib.suppress(ConnectionClosed):  # the reader tells why
            pong = await self._socket.ping()
            asyncio.ensure_future(pong).add_done_callback(lambda _: self._pulse.hear())  # a future: no new task

    async def _send(self, frame: Frame) -> None:
        self._pace.take(time.monotonic())
        with contextlib.suppress(ConnectionClosed):  # the reader tells why
            await self._socket.send(frame)

    async def _woken(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wake.wait()


def _who_closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return f"the network: {error}"
    return f"the exchange: {error.rcvd}"
