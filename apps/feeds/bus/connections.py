"""Connections of redis-py that lose no cancellation.

redis-py sends within `asyncio.wait_for`, which in Python 3.11 forgets a cancellation that falls together with the end
of the send: the task goes on as if nobody had told it to stop, and whoever waits for its end waits for ever.
"""

import asyncio
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, ConnectionPool, SSLConnection
from redis.asyncio.connection import UnixDomainSocketConnection as UnixConnection


class _Cancellable(AbstractConnection):
    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """As redis-py's, or CancelledError if the task was cancelled meanwhile; the connection is then closed."""
        task = asyncio.current_task()
        before = 0 if task is None else task.cancelling()
        try:
            await super().send_packed_command(command, check_health)
        finally:
            if task is not None and task.cancelling() > before:
                await self.disconnect(nowait=True)  # its answer would be taken for that of the next command
                raise asyncio.CancelledError


class CancellableConnection(_Cancellable, Connection):
    pass


class CancellableSSLConnection(_Cancellable, SSLConnection):
    pass


class CancellableUnixConnection(_Cancellable, UnixConnection):
    pass


CANCELLABLE = {
    Connection: CancellableConnection,
    SSLConnection: CancellableSSLConnection,
    UnixConnection: CancellableUnixConnection,
}


def pool(url: str, **options: Any) -> ConnectionPool:
    """A pool for the address, as `ConnectionPool.from_url` makes it."""
    made = ConnectionPool.from_url(url, **options)
    made.connection_class = CANCELLABLE[made.connection_class]
    return made
