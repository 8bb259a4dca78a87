"""A server that speaks whatever a test wants of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TURNS = 10  # of the event loop, that a connection takes at most from its acceptance until it is served


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Its port on the loopback. When it ends so does every connection, one that just came in as well: asyncio's own
    `wait_closed` waits for none, and what is open when the loop ends is a warning in whatever test comes later."""
    writers: list[asyncio.StreamWriter] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # closed in the midst of an acceptance it would forget the connection
        asyncio.get_running_loop().remove_reader(server.sockets[0].fileno())
        for _ in range(TURNS):
            await asyncio.sleep(0)
        server.close()
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
