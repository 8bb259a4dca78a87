"""The catalogue is read from the exchanges: every hour, and until it succeeds."""

from contextlib import closing
from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.feeds import selectors, services
from apps.feeds.bus.meter import Meter
from apps.feeds.bus.redis import connect_sync
from apps.feeds.drivers import registry
from apps.feeds.errors import Retryable
from apps.feeds.market import Instrument, MarketType
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http

log = structlog.get_logger(__name__)

FRESH = timedelta(hours=1)
PATIENCE_S = 300  # for all pages of one market
PAUSE_S = 60  # between attempts; an empty catalogue stops everything and is asked for more often
FIRST_PAUSE_S = 4


@shared_task
def refresh_due() -> None:
    """Order a refresh of each market whose catalogue is missing or an hour old."""
    oldest = timezone.now() - FRESH
    for (exchange, market_type), read_at in selectors.catalogue_age().items():
        if exchange in registry.exchange_ids() and (read_at is None or read_at < oldest):
            pause_s = FIRST_PAUSE_S if read_at is None else PAUSE_S
            refresh_instruments.apply_async((exchange, market_type.value, pause_s), expires=pause_s)


@shared_task
def refresh_instruments(exchange: str, market_type: str, pause_s: int = 0) -> int:
    """Read one market list; 0 when another process tried within `pause_s`, the exchange keeps us away, or no recording
    is of this market."""
    market = MarketType(market_type)
    name = f"turn:catalogue:{exchange}:{market}"
    with closing(connect_sync(settings.REDIS_URL)) as redis:
        if pause_s and not redis.set(name, 1, nx=True, ex=pause_s):
            return 0
        try:
            count = read_market(exchange, market)
        except Retryable as error:
            log.warning("catalogue not read", exchange=exchange, market_type=market, error=str(error))
            redis.set(name, 1, ex=max(pause_s, int(error.after_s) + 1))
            return 0
        if not count:  # nothing is recorded of it, and that does not change while the recordings are played
            redis.set(name, 1, ex=FRESH)
    return count


def read_market(exchange: str, market_type: MarketType) -> int:
    """Make the catalogue of one market what the exchange lists now; the number of instruments.

    Raises Retryable when the exchange does not answer, or lists nothing, which none means but recordings.
    """
    instruments = loop.run(_fetch(exchange, market_type), timeout=PATIENCE_S)
    recorded = settings.SOURCE == "replay"
    if not instruments and not recorded:
        raise Retryable(f"{exchange} {market_type} lists nothing", after_s=PAUSE_S)
    count = services.sync_instruments(
        exchange=exchange, market_type=market_type, instruments=instruments, may_be_empty=recorded
    )
    log.info("catalogue read", exchange=exchange, market_type=market_type, instruments=count)
    return count


async def _fetch(exchange: str, market_type: MarketType) -> list[Instrument]:
    driver = registry.driver(exchange)
    addresses = Addresses(settings.CT_SIMULATOR_URL)
    async with (
        Meter(settings.REDIS_URL) as meter,
        Http(drivers={exchange: driver}, addresses=addresses, meter=meter) as http,
    ):
        return await http.fetch_instruments(driver, market_type)
