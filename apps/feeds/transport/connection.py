"""One line of topics: keeps a socket open that carries them, and replaces it before the exchange ends it."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence

from apps.feeds.drivers.base import Driver, Frame, Topic, TopicKind
from apps.feeds.errors import ConnectionLost, MalformedFrame, Retryable
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.backoff import Backoff
from apps.feeds.transport.dial import Fetch, TurnedAwayError, dial, locate
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.handover import Handover
from apps.feeds.transport.ledger import Refusal
from apps.feeds.transport.link import Link, LinkState, MarketData, Sink
from apps.feeds.transport.session import Session
from apps.feeds.transport.suspects import Suspects
from apps.feeds.transport.timing import Timing
from apps.feeds.transport.turns import Turns


class Connection:
    """Topics that share sockets; wishes change at any time, `run` brings them about.

    A lost socket is reported first and then opened again after a growing delay. A socket that is to end (its age, or
    the exchange says so) is replaced without the sink noticing: a second one is opened and subscribed, each stream
    moves over at an event that both have brought (`handover.py`), then the first one is closed. Meanwhile the line
    has two sockets. If either is lost on the way, the whole line counts as lost.
    """

    def __init__(
        self,
        link: Link,
        *,
        driver: Driver,
        sink: Sink,
        addresses: Addresses,
        gate: Gate,
        timing: Timing,
        turns: Turns,
        clock: Callable[[], int],
        rng: random.Random,
        fetch: Fetch,
        on_refused: Callable[["Connection", Topic, float], None],
        on_silent: Callable[["Connection", Topic], None],
    ) -> None:
        self.link = link
        self._wanted: dict[tuple[TopicKind, str], Topic] = {}
        self._sessions: list[Session] = []  # the one in service, then its successor
        self._handover: Handover | None = None
        self._driver = driver
        self._sink = sink
        self._addresses = addresses
        self._fetch = fetch
        self._suspects = Suspects()
        self._gate = gate
        self._timing = timing
        self._turns = turns
        self._clock = clock
        self._rng = rng
        self._backoff = Backoff(first_s=timing.backoff_first_s, most_s=timing.backoff_most_s, rng=rng)
        self._delay_s = 0.0
        self._idle_s = timing.idle_s
        self._on_refused = on_refused
        self._on_silent = on_silent

    @property
    def symbols(self) -> set[str]:
        return {symbol for _, symbol in self._wanted}

    def want(self, topic: Topic) -> None:
        self._wanted[topic.kind, topic.symbol] = topic
        self.link.pairs = len(self.symbols)
        for session in self._sessions:
            session.want(topic)

    def drop(self, topic: Topic) -> None:
        if self._wanted.get((topic.kind, topic.symbol)) == topic:
            del self._wanted[topic.kind, topic.symbol]
            self._suspects.clear(topic)
        self.link.pairs = len(self.symbols)
        for session in self._sessions:
            session.drop(topic)

    def renew(self, topic: Topic) -> None:
        """Subscribe this topic anew, so that the exchange starts its stream from the beginning."""
        for session in self._sessions:
            session.renew(topic)

    def ask_snapshot(self, topic: Topic) -> None:
        """Ask for the book on the socket in service; the answer comes as an event."""
        for session in self._sessions[:1]:
            session.ask_snapshot(topic)

    async def run(self) -> None:
        """Hold a socket with the wanted topics until cancelled."""
        try:
            while True:
                try:
                    session = await self._dial()
                except ConnectionLost as error:
                    self.lost(str(error))
                else:
                    await self._serve(session)
                await asyncio.sleep(self._delay_s)
                self.link.state = LinkState.CONNECTING
        finally:
            if self._sessions:
                self._sink.closed(self.link, list(self._wanted.values()), "closed by us", 0.0)
            self.link.state = LinkState.CLOSED

    async def _dial(self) -> Session:
        """A socket of its own with all wishes noted; ConnectionLost when there is none to be had.

        Where the exchange wants us to stay away, no other connection knocks in the meantime either.
        """
        try:
            async with self._gate.turn():
                url = await locate(self._driver, self.link.market_type, self.link.category, self._fetch)
                socket = await dial(self._addresses.ws(url), self._timing)
        except TurnedAwayError as error:
            await self._gate.shut(self._driver.retry_after(error.status, error.headers, error.body) or 0.0)
            raise
        except Retryable as error:
            raise ConnectionLost(str(error)) from error
        age_s = self._driver.limits(self.link.market_type).connection_age_s
        session = Session(
            socket,
            link=self.link,
            driver=self._driver,
            owner=self,
            timing=self._timing,
            turns=self._turns,
            idle_s=self._idle_s,
            lifetime_s=None if age_s is None else age_s * self._rng.uniform(0.9, 1.0),  # not all at one moment
            clock=self._clock,
        )
        for topic in self._wanted.values():
            session.want(topic)
        for topic in self._suspects:
            session.ledger.suspect(topic)
        return session

    async def _serve(self, session: Session) -> None:
        """Run the session and its successors until a socket is lost."""
        self._opened(session)
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(session.run(), name=f"session {self.link.id}")
                while self._sessions:
                    await asyncio.wait({serving, self._sessions[0].retiring}, return_when=asyncio.FIRST_COMPLETED)
                    if self._sessions:
                        serving = await self._replace(serving, tasks.create_task(self._succeed()))
        finally:
            await session.close()  # a task that is cancelled before its first step closes nothing

    async def _replace(self, serving: asyncio.Task[None], successor: asyncio.Task[None]) -> asyncio.Task[None]:
        """Wait until the successor has caught up and end the old one; when either is lost, end both."""
        deadline = math.inf
        while self._sessions:
            await asyncio.wait({serving, successor}, timeout=self._timing.check_s, return_when=asyncio.FIRST_COMPLETED)
            if self._handover is None:
                continue
            deadline = min(deadline, time.monotonic() + self._timing.handover_s)
            if self._handover.complete() or time.monotonic() >= deadline:
                self._move(self._handover)
                serving.cancel()
                await asyncio.wait({serving})
                return successor
        await asyncio.wait({serving, successor}, return_when=asyncio.FIRST_COMPLETED)  # the lost one closes itself
        serving.cancel()
        successor.cancel()
        return successor

    async def _succeed(self) -> None:
        """Open the next socket, however long that takes, and run it beside the one in service."""
        while True:
            try:
                session = await self._dial()
                break
            except ConnectionLost:
                await asyncio.sleep(self._backoff.next())
        if not self._sessions:  # lost in the same moment
            await session.close()
            return
        self._handover = Handover(self._sessions[0].ledger, session.ledger)
        self._sessions.append(session)
        await session.run()

    def _move(self, handover: Handover) -> None:
        self._handover = None
        del self._sessions[0]
        if rest := handover.finish():
            self._sink.events(self.link, rest)

    def _opened(self, session: Session) -> None:
        self._sessions = [session]
        self.link.reconnects += bool(self.link.opened_ns)
        self.link.opened_ns = self._clock()
        self.link.state = LinkState.OPEN
        self._sink.opened(self.link)

    # What sessions report

    def lost(self, reason: str, *, idle: bool = False) -> None:
        """Tell the sink before anything else is done; the second socket of a lost line has nothing to add.

        Where reconnecting an idle line brings no more data its pairs are just thin: patience doubles.
        """
        if self.link.state is LinkState.BACKOFF:
            return
        if idle:
            self._idle_s *= 2
        self._sessions = []
        self._handover = None
        self._delay_s = max(self._backoff.next(), self._gate.shut_s)
        self.link.state = LinkState.BACKOFF
        self._sink.closed(self.link, list(self._wanted.values()), reason, self._delay_s)

    def suspect(self, topics: Sequence[Topic], *, worked: bool) -> None:
        """The exchange may have closed a socket, which `worked` for others, because of one of these."""
        if (offender := self._suspects.closed(topics, worked=worked)) is not None:
            name = self._driver.stream(self.link.market_type, offender)
            self.refused(Refusal(offender, "socket closed", f"when it was asked for {name}", costly=True))

    def deliver(self, session: Session, events: list[MarketData]) -> None:
        if self._handover is not None:
            old = self._in_service(session)
            events = self._handover.from_old(events) if old else self._handover.from_new(events)
        elif not self._in_service(session):
            return  # lost or replaced, and not closed yet
        if events:
            self._sink.events(self.link, events)

    def first_data(self) -> None:
        self._backoff.reset()

    def malformed(self, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self._sink.malformed(self.link, frame, error, received_ns)

    def asked(self, session: Session, topic: Topic) -> None:
        if self._in_service(session):
            self._sink.asked(self.link, topic)

    def acknowledged(self, session: Session, topic: Topic) -> None:
        self._suspects.clear(topic)
        if self._in_service(session):
            self._sink.acknowledged(self.link, topic)

    def refused(self, refusal: Refusal) -> None:
        self.drop(refusal.topic)
        self._sink.refused(self.link, refusal.topic, refusal.code, refusal.text)
        self._on_refused(self, refusal.topic, self._timing.costly_s if refusal.costly else self._timing.refused_s)

    def silent(self, topic: Topic) -> None:
        self._on_silent(self, topic)

    def _in_service(self, session: Session) -> bool:
        return bool(self._sessions) and self._sessions[0] is session
