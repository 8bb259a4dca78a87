"""One thread beside an event loop, with a connection to the database of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.db import connections

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Aside:
    """What is begun is ended, though who asked for it is cancelled meanwhile."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def call(self, call: Callable[..., T], *args: Any) -> T:
        waited = asyncio.wrap_future(self._thread.submit(call, *args))
        waited.add_done_callback(self._heard)
        return await asyncio.shield(waited)

    def begin(self, call: Callable[..., T], *args: Any) -> "Future[T]":
        """From any thread; nobody needs to wait for it."""
        done = self._thread.submit(call, *args)
        done.add_done_callback(self._heard)
        return done

    async def end(self, within_s: float) -> None:
        """Wait so long for what is under way; nothing else begins."""
        last = self.begin(connections.close_all)
        self._thread.shutdown(wait=False)
        await asyncio.wait({asyncio.wrap_future(last)}, timeout=within_s)

    def _heard(self, done: "Future[Any] | asyncio.Future[Any]") -> None:
        """Who asked hears it, unless he was cancelled."""
        if not done.cancelled() and (error := done.exception()) is not None:
            log.debug("a thread failed", thread=self._name, error=str(error))
