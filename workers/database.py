"""The ORM from asyncio: one thread, one connection, and a deadline on every call."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from apps.waits import patience

T = TypeVar("T")
ANSWER_S = 3.0


class DatabaseAwayError(Exception):
    """The database did not answer, or not in time: nothing is known about what it did."""


class Database:
    """Calls go one after another; one that hangs makes the next ones fail at once instead of queueing behind it."""

    def __init__(self, name: str, *, answer_s: float = ANSWER_S) -> None:
        """`answer_s`: how long a call may take that does not say itself."""
        self._answer_s = answer_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"database {name}")
        self._turn = asyncio.Lock()
        self._hanging: Future[Any] | None = None

    async def call(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None, **kwargs: Any) -> T:
        """Run in the thread; raise DatabaseAwayError when the database fails or takes longer than `timeout_s`."""
        within_s = self._answer_s if timeout_s is None else timeout_s
        async with self._turn:
            if self._hanging is not None and not self._hanging.done():
                raise DatabaseAwayError("an earlier call still hangs")
            future = self._thread.submit(_call, function, args, kwargs)
            try:
                async with patience(within_s):
                    return await asyncio.shield(asyncio.wrap_future(future))
            except TimeoutError:
                self._hanging = future
                raise DatabaseAwayError(f"no answer within {within_s:g} s") from None
            except (DatabaseError, InterfaceError) as error:
                raise DatabaseAwayError(str(error)) from error

    async def close(self) -> None:
        """Close the connection, unless a call hangs in it: that one ends with the process."""
        if self._hanging is None or self._hanging.done():
            await asyncio.wrap_future(self._thread.submit(connections.close_all))
        self._thread.shutdown(wait=False, cancel_futures=True)


def _call(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    close_old_connections()  # one that broke is opened anew
    return function(*args, **kwargs)
