"""A daemon's name in the database: claimed before anything else, given back last."""

import asyncio
from collections.abc import Callable

import structlog

from apps.feeds import leases
from workers.database import Database, DatabaseAwayError
from workers.identity import Identity
from workers.lifecycle import CannotStart

log = structlog.get_logger(__name__)

RIVAL_S = leases.DEAD_S + 2.0
AGAIN_S = 1.0


class Presence:
    """`database` is the thread in which the heartbeat is written."""

    def __init__(self, identity: Identity, database: Database) -> None:
        self._identity = identity
        self._database = database

    async def claim(self) -> None:
        """Wait until the database answers and a former process of our name is gone; CannotStart when it is not."""
        deadline = asyncio.get_running_loop().time() + RIVAL_S
        while True:
            rival = await self._insist(self._identity.rival)
            if rival is None:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise CannotStart(f"{rival}: give this one another CT_DAEMON_ID")
            log.warning("waiting for another process to end", rival=rival)
            await asyncio.sleep(AGAIN_S)

    async def leave(self) -> None:
        try:
            await self._database.call(self._identity.leave, timeout_s=1.0)
        except DatabaseAwayError as error:
            log.warning("not signed off, the heartbeat grows old by itself", error=str(error))
        await self._database.close()

    async def _insist(self, function: Callable[[], str | None]) -> str | None:
        while True:
            try:
                return await self._database.call(function)
            except DatabaseAwayError as error:
                log.warning("waiting for the database", error=str(error))
                await asyncio.sleep(AGAIN_S)
