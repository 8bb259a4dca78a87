"""Makes callers wait for their turn under a limit."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import uuid4

from apps.feeds.drivers.base import Rate
from apps.feeds.errors import Retryable
from apps.feeds.transport.limits import MARGIN
from apps.feeds.transport.tallies import Tally

RESERVE = 0.2  # of each budget, for cancels, wherever somebody trades


class Meter(Protocol):
    """Counts what all processes send that the exchanges see as one address."""

    async def enter(
        self, gate: str, doors: Sequence[str], *, ticket: str, rate: Rate, weight: int, spare: int
    ) -> tuple[float, list[float]]:
        """Seconds to wait for room (0.0: it is counted), and those for which each door is shut, if any is.

        `spare` of the rate's count stays free for those who enter without.
        """
        ...

    async def leave(self, gate: str, ticket: str) -> None:
        """What was sent has arrived or never will: its time in the window begins."""
        ...

    async def shut(self, door: str, for_s: float) -> None: ...


class Door:
    """Nobody passes while it is shut. Whoever shares its `tally` and, with a meter, the other processes are told."""

    def __init__(self, name: str, meter: Meter | None = None, tally: Tally | None = None) -> None:
        self.name = name
        self._meter = meter
        self._tally = tally or Tally()

    @property
    def shut_s(self) -> float:
        """Seconds for which it is still shut, as far as this process knows."""
        return self._tally.shut_s(self.name)

    async def shut(self, for_s: float) -> None:
        self.found_shut(for_s)
        if self._meter is not None and for_s > 0:
            await self._meter.shut(self.name, for_s)

    def found_shut(self, for_s: float) -> None:
        self._tally.shut(self.name, for_s)


class Gate:
    """Lets callers through in order of arrival, no faster than the rate allows, and nobody while its door is shut.

    With a meter the rate and the closing times are shared with the other processes under `name` and the door's name.
    A share of the rate may be reserved for urgent callers, who do not wait behind the others either.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        name: str = "",
        meter: Meter | None = None,
        door: Door | None = None,
        reserve: float = 0.0,
        tally: Tally | None = None,
    ) -> None:
        """Without a `door` it has one of its own, and without a `tally` it counts for itself. `reserve` is a share; a
        budget of one request has none to spare."""
        self._rate = rate
        self._name = name
        self._meter = meter
        self._door = door or Door(name, meter)
        self._spare = rate.count - max(1, int(rate.count * (1 - reserve)))
        self._tally = tally or Tally()
        self._lines = {urgent: asyncio.Lock() for urgent in (False, True)}

    @property
    def shut_s(self) -> float:
        """Seconds for which it is still shut, as far as this process knows."""
        return self._door.shut_s

    async def shut(self, for_s: float) -> None:
        await self._door.shut(for_s)

    @asynccontextmanager
    async def turn(
        self, weight: int = 1, *, urgent: bool = False, within_s: float | None = None, door: Door | None = None
    ) -> AsyncIterator[None]:
        """Wait, then send inside the block. `door` is one more that must be open for this caller.

        Raises Retryable while one is shut, also if that happens on the way, and when there is no room `within_s`.
        """
        ticket, spare = uuid4().hex, 0 if urgent else self._spare
        doors = [self._door] if door is None else [self._door, door]
        try:
            async with self._line(urgent, within_s) as deadline:
                await self._enter(doors, ticket, weight, spare, deadline)
            yield
        finally:
            if self._meter is not None:
                await self._meter.leave(self._name, ticket)

    @asynccontextmanager
    async def _line(self, urgent: bool, within_s: float | None) -> AsyncIterator[float]:
        """At its head inside the block; yields until when (monotonic) there must be room."""
        line, deadline = self._lines[urgent], math.inf if within_s is None else time.monotonic() + within_s
        try:
            async with asyncio.timeout(within_s):
                await line.acquire()
        except TimeoutError as error:
            raise Retryable("others wait for the exchange's limit") from error
        try:
            yield deadline
        finally:
            line.release()

    async def _enter(self, doors: Sequence[Door], ticket: str, weight: int, spare: int, deadline: float) -> None:
        counted = False
        while True:
            _check_open(doors)
            ask = self._tally.take if counted else self._tally.delay
            delay = ask(self._name, self._rate, weight, spare=spare)
            if delay <= 0 and counted:
                return
            if delay <= 0:
                delay = await self._count(doors, ticket, weight, spare)
                counted = delay <= 0
            if delay > 0 and time.monotonic() + delay > deadline:
                raise Retryable("no room under the exchange's limit", after_s=delay)
            if delay > 0:
                await asyncio.sleep(delay)

    async def _count(self, doors: Sequence[Door], ticket: str, weight: int, spare: int) -> float:
        """Seconds until the other processes leave room; 0.0 when it is counted."""
        if self._meter is None:
            return 0.0
        rate = Rate(self._rate.count, self._rate.per_s * (1 + MARGIN))
        names = [door.name for door in doors]
        delay, shut = await self._meter.enter(self._name, names, ticket=ticket, rate=rate, weight=weight, spare=spare)
        for door, for_s in zip(doors, shut, strict=False):
            door.found_shut(for_s)
        _check_open(doors)
        return max([delay, *shut])


def _check_open(doors: Sequence[Door]) -> None:
    if (left := max(door.shut_s for door in doors)) > 0:
        raise Retryable("the exchange wants us to stay away", after_s=left)


class Gates:
    """The gates of one event loop by name: whoever sends under one limit takes the same gate."""

    def __init__(self, meter: Meter | None = None, *, reserve: float = 0.0, tally: Tally | None = None) -> None:
        """Without a `meter` the limits are kept by this process alone."""
        self._meter = meter
        self._reserve = reserve
        self._tally = tally or Tally()
        self._gates: dict[str, Gate] = {}
        self._doors: dict[str, Door] = {}

    def of_another_loop(self, meter: Meter | None) -> "Gates":
        """With limits and closed doors in common with these, also while no meter is there; `meter` is that loop's."""
        return Gates(meter, reserve=self._reserve, tally=self._tally)

    def door(self, name: str) -> Door:
        return self._doors.setdefault(name, Door(name, self._meter, self._tally))

    def at(self, name: str, rate: Rate, door: Door) -> Gate:
        """Made by the first who asks, with what it gives."""
        if name not in self._gates:
            self._gates[name] = Gate(
                rate, name=name, meter=self._meter, door=door, reserve=self._reserve, tally=self._tally
            )
        return self._gates[name]
