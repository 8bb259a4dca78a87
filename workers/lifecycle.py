"""Starts the parts of a process in order and stops them in reverse, each within its deadline."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog
from msgspec import Struct

log = structlog.get_logger(__name__)

SETTLE_S = 14.0  # for all parts together, unless whoever started the process gives it less
SIGNALS = (signal.SIGTERM, signal.SIGINT)
FAILED = 1


class CannotStart(RuntimeError):
    """Why this process refuses to start, in one line."""


class Part(Struct, frozen=True, kw_only=True):
    """`start` is awaited before the next part; `run` then runs beside the others until it is cancelled; `stop` is
    awaited after that. Cancelling and `stop` together have `deadline_s` seconds, all parts together `settle_s`."""

    name: str
    start: Callable[[], Awaitable[None]] | None = None
    run: Callable[[], Coroutine[Any, Any, None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None
    deadline_s: float = 3.0


class Lifecycle:
    """One process: parts that live together. The first signal stops it in order, a second one at once."""

    def __init__(
        self, parts: Sequence[Part], *, on_stopping: Callable[[], None] = lambda: None, settle_s: float = SETTLE_S
    ) -> None:
        self.stopping = asyncio.Event()
        self._parts = parts
        self._on_stopping = on_stopping
        self._settle_s = settle_s
        self._started: list[tuple[Part, asyncio.Task[None] | None]] = []
        self.failures = 0  # of parts, while they ran and while they stopped

    async def serve(self) -> int:
        """Run until a signal, `stopping` or the failure of a part; the exit code of the process."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        try:
            await self._start()
            await self._wait()
        finally:
            self._on_stopping()
            await self._stop()
            for number in SIGNALS:
                loop.remove_signal_handler(number)
        return FAILED if self.failures else 0

    async def _start(self) -> None:
        for part in self._parts:
            if self.stopping.is_set():
                return
            if part.start is not None and not await self._unless_stopped(part.start()):
                return
            task = asyncio.create_task(part.run(), name=part.name) if part.run is not None else None
            self._started.append((part, task))
            log.info("started", part=part.name)

    async def _unless_stopped(self, starting: Awaitable[None]) -> bool:
        """Await it, or give it up when the process is told to stop meanwhile."""
        start, stop = asyncio.ensure_future(starting), asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if start.done():
            start.result()
            return True
        start.cancel()
        await asyncio.wait({start})
        return False

    async def _wait(self) -> None:
        """Until told to stop; a part that ends by itself has failed and ends all."""
        stop = asyncio.ensure_future(self.stopping.wait())
        running = {task for _, task in self._started if task is not None}
        try:
            done, _ = await asyncio.wait({stop, *running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
        for task in done - {stop}:
            self.failures += 1
            log.error("a part ended by itself", part=task.get_name(), exc_info=task.exception())

    async def _stop(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._settle_s
        while self._started:
            part, task = self._started.pop()
            try:
                async with asyncio.timeout_at(min(loop.time() + part.deadline_s, end)):
                    await self._stop_part(part, task)
            except TimeoutError:
                self.failures += 1
                log.error("did not stop in time", part=part.name, deadline_s=part.deadline_s, failures=self.failures)
            except Exception:
                self.failures += 1
                log.exception("failed while stopping", part=part.name, failures=self.failures)
            else:
                log.info("stopped", part=part.name)

    async def _stop_part(self, part: Part, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        if part.stop is not None:
            await part.stop()

    def _signalled(self, number: signal.Signals) -> None:
        if self.stopping.is_set():
            log.warning("second signal: leaving at once", signal=signal.Signals(number).name)
            os._exit(128 + number)
        log.info("stopping", signal=signal.Signals(number).name)
        self.stopping.set()
