"""Keeps an account's private socket open, whatever its exchange says of the key."""

import asyncio

from apps.feeds.transport.private import PrivateSocket

AGAIN_S = 60.0


async def keep(socket: PrivateSocket, again_s: float = AGAIN_S) -> None:
    """Until cancelled. A refused key is tried again: a clock that was off, an address or a permission may be mended.

    A person was called by then, and sweeps go on meanwhile.
    """
    while True:
        await socket.run()
        await asyncio.sleep(again_s)
