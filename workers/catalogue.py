"""Fills the catalogue of exchanges that have none yet, so that a first run needs no other process."""

import asyncio
from collections.abc import Mapping

import structlog

from apps.feeds import selectors, services
from apps.feeds.drivers.base import Driver
from apps.feeds.errors import FeedError
from apps.feeds.market import MarketType
from apps.feeds.transport.http import Http
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
AGAIN_S = 10.0  # after an exchange did not answer
STORE_S = 60.0  # thousands of rows


class Bootstrap:
    """Reads the market list of every enabled market without one; refreshing them later is a Celery task."""

    def __init__(self, *, database: Database, http: Http, drivers: Mapping[str, Driver]) -> None:
        self._database = database
        self._http = http
        self._drivers = drivers
        self._without: set[tuple[str, MarketType]] = set()  # lists nothing, as a market that is not among recordings

    async def run(self) -> None:
        """Look for empty markets until cancelled: exchanges are switched on while we run."""
        while True:
            pause_s = LOOK_EVERY_S if await self.look() else AGAIN_S
            await asyncio.sleep(pause_s)

    async def look(self) -> bool:
        """Fill what is empty, once; False when something was away."""
        try:
            ages = await self._database.call(selectors.catalogue_age)
        except DatabaseAwayError:
            return False  # whoever reads the tasks has said so
        never = {market for market, read_at in ages.items() if read_at is None and market[0] in self._drivers}
        empty = sorted(never - self._without)
        return all(await asyncio.gather(*(self._fill(exchange, market_type) for exchange, market_type in empty)))

    async def close(self) -> None:
        await self._database.close()

    async def _fill(self, exchange: str, market_type: MarketType) -> bool:
        try:
            instruments = await self._http.fetch_instruments(self._drivers[exchange], market_type)
            if not instruments:
                log.info("no market list here", exchange=exchange, market_type=market_type)
                self._without.add((exchange, market_type))
                return True
            count = await self._database.call(
                services.sync_instruments,
                exchange=exchange,
                market_type=market_type,
                instruments=instruments,
                timeout_s=STORE_S,
            )
        except (FeedError, DatabaseAwayError) as error:
            log.warning("no market list", exchange=exchange, market_type=market_type, error=str(error))
            return False
        log.info("catalogue read", exchange=exchange, market_type=market_type, instruments=count)
        return True
