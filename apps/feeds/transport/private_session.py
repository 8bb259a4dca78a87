"""One open private socket: from its login to its end."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from websockets.exceptions import ConnectionClosed

from apps.feeds.drivers.base import Closing, Frame, Ping, Welcome
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed, TokenExpired
from apps.feeds.errors import BadCredentials, ConnectionLost, FeedError, MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import AccountEvent, Credentials
from apps.feeds.transport.link import Link
from apps.feeds.transport.pulse import Pulse
from apps.feeds.transport.timed import TimedSocket
from apps.feeds.transport.timing import Timing
from apps.waits import is_set_within

log = logging.getLogger(__name__)


class Owner(Protocol):
    """What a session reports to; see `PrivateSocket`."""

    def deliver(self, events: list[AccountEvent], received_ns: int) -> None: ...
    def whole(self) -> None: ...
    def malformed(self, frame: Frame, error: MalformedFrame, received_ns: int) -> None: ...


class PrivateSession:
    """Logs in, subscribes, then serves until the socket is lost."""

    def __init__(
        self,
        socket: TimedSocket,
        *,
        link: Link,
        trader: Trader,
        keys: Credentials,
        owner: Owner,
        timing: Timing,
        clock: Callable[[], int],
        exchange_ms: Callable[[], int],
        renew: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """`clock` gives our nanoseconds, `exchange_ms` the exchange's time; `renew` keeps the token until cancelled."""
        self._socket = socket
        self._link = link
        self._trader = trader
        self._keys = keys
        self._market: MarketType = link.market_type
        self._owner = owner
        self._timing = timing
        self._clock = clock
        self._exchange_ms = exchange_ms
        self._renew = renew
        self._greeted, self._logged_in = asyncio.Event(), asyncio.Event()
        self._missing = set(trader.private_channels(self._market))
        self._whole = asyncio.Event()
        self._pulse = Pulse(trader.private_heartbeat(self._market), quiet_s=timing.quiet_s, ask=self._ask_for_life)
        self._malformed: deque[float] = deque(maxlen=timing.malformed_frames)

    async def run(self) -> None:
        """Serve until cancelled; raises ConnectionLost when the socket is lost, BadCredentials when it is refused.

        No task group: one whose parts fail at that moment forgets that it was cancelled, and the owner would go on.
        """
        doing = (self._read, self._enter, self._pulse.run, self._renew)
        parts = [asyncio.create_task(part(), name=f"{part.__name__} {self._link.id}") for part in doing]
        failures: list[BaseException] = []
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            failures = await self._end(parts)
        raise self._reason(failures)

    async def _end(self, parts: "list[asyncio.Task[None]]") -> list[BaseException]:
        """What parts failed with; the socket is closed."""
        for part in parts:
            part.cancel()
        try:
            await asyncio.wait(parts)
        finally:
            await self._close()
        ended = [part.exception() for part in parts if not part.cancelled()]
        return [failure for failure in ended if failure is not None]

    def _reason(self, failures: list[BaseException]) -> FeedError:
        for failure in failures:
            if not isinstance(failure, BadCredentials | ConnectionLost):
                # a fault of ours must not end the account's events for good
                log.error("private session of %s failed", self._link.id, exc_info=failure)
                return ConnectionLost(f"internal error: {type(failure).__name__}")
        refusals = [failure for failure in failures if isinstance(failure, BadCredentials)]
        return refusals[0] if refusals else ConnectionLost(str(failures[0]))

    async def _close(self) -> None:
        try:
            await self._socket.close()
        finally:
            self._socket.transport.abort()

    async def _enter(self) -> None:
        """Greeting, login, subscriptions: each within its time."""
        if self._trader.trade_limits(self._market).greeted:
            await self._wait(self._greeted, "no greeting")
        login = self._trader.login(self._keys, self._market, self._exchange_ms())
        if login:
            await self._send_all(login)
            await self._wait(self._logged_in, "no answer to the login")
        await self._send_all(self._trader.subscribe_private(self._keys, self._market, self._exchange_ms()))
        if self._missing:
            await self._wait(self._whole, "no answer to a subscription")
        self._owner.whole()

    async def _wait(self, event: asyncio.Event, failure: str) -> None:
        if not await is_set_within(event, self._timing.ack_s):
            raise ConnectionLost(f"{failure} within {self._timing.ack_s:g} s")

    async def _read(self) -> None:
        while True:
            try:
                frame, _ = await self._socket.receive()
            except ConnectionClosed as error:
                by = "the network" if error.rcvd is None else f"the exchange: {error.rcvd.code}"
                raise ConnectionLost(f"closed by {by}") from None
            received_ns = self._clock()
            self._pulse.hear()
            self._link.frames += 1
            self._link.bytes += len(frame)
            try:
                events = self._trader.parse_private(self._keys, self._market, frame, received_ns)
            except MalformedFrame as error:
                self._owner.malformed(frame, error, received_ns)
                self._count_malformed()
                continue
            await self._sort(events, received_ns)

    async def _sort(self, events: list[PrivateEvent], received_ns: int) -> None:
        """What is the account's goes on, in wire order; all else is for this socket."""
        told: list[AccountEvent] = []
        for event in events:
            if isinstance(event, AccountEvent):
                told.append(event)
            else:
                await self._control(event)
        if told:
            self._owner.deliver(told, received_ns)

    async def _control(self, event: PrivateEvent) -> None:
        if isinstance(event, Ping):
            await self._send(event.reply)
        elif isinstance(event, Welcome):
            self._greeted.set()
        elif isinstance(event, LoggedIn):
            self._logged_in.set()
        elif isinstance(event, LoginRefused):
            raise BadCredentials(f"login: {event.code}: {event.text}", code=event.code)
        elif isinstance(event, Subscribed):
            self._subscribed(event)
        elif isinstance(event, TokenExpired):
            raise ConnectionLost("the token has expired")
        elif isinstance(event, Closing):
            raise ConnectionLost(f"the exchange will close it: {event.text}")

    def _subscribed(self, event: Subscribed) -> None:
        if not event.ok:
            raise ConnectionLost(f"{event.channel} refused: {event.code}: {event.text}")
        self._missing.discard(event.channel)
        if not self._missing:
            self._whole.set()

    def _count_malformed(self) -> None:
        self._link.malformed += 1
        self._malformed.append(time.monotonic())
        many = len(self._malformed) == self._timing.malformed_frames
        if many and self._malformed[-1] - self._malformed[0] <= self._timing.malformed_s:
            raise ConnectionLost(f"{len(self._malformed)} malformed frames within {self._timing.malformed_s:g} s")

    async def _ask_for_life(self, frame: Frame | None) -> None:
        if frame is not None:
            await self._send(frame)
            return
        with contextlib.suppress(ConnectionClosed):  # the reader tells why
            pong = await self._socket.ping()
            asyncio.ensure_future(pong).add_done_callback(lambda _: self._pulse.hear())  # a future: no new task

    async def _send_all(self, frames: list[Frame]) -> None:
        for frame in frames:
            await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        with contextlib.suppress(ConnectionClosed):  # the reader tells why
            await self._socket.send(frame)
