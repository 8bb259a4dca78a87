"""How long one socket keeps the event loop before everybody else has a turn.

Frames that have come are received without a pause, thousands in a row. Time is what the thread has worked: between busy
threads it waits for most of the time, and coming round once costs it more than many frames do.
"""

import asyncio

ONE_S = 0.1  # of one socket
ALL_S = 0.5  # of all that are behind, together


class Turns:
    """One for all sockets of an event loop."""

    def __init__(self) -> None:
        self._behind: set[object] = set()

    @property
    def behind(self) -> int:
        """Sockets of which more has come than they could take in their last turn."""
        return len(self._behind)

    @property
    def share_s(self) -> float:
        return min(ONE_S, ALL_S / max(1, self.behind))

    async def next(self, socket: object, *, behind: bool) -> None:
        """Wait until everybody else has had a turn."""
        if behind:
            self._behind.add(socket)
        else:
            self.leave(socket)
        await asyncio.sleep(0)

    def leave(self, socket: object) -> None:
        self._behind.discard(socket)
