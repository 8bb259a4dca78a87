"""The fleet and a book as they are at this moment, for the first paint; the socket keeps them fresh."""

import time
from contextlib import closing
from typing import Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from apps.feeds.bus.codec import book_name
from apps.feeds.bus.redis import connect_sync
from apps.feeds.market import Instrument
from apps.feeds.views import live
from ctweb.live.feeds import BookFeed
from ctweb.live.fleet import picture
from ctweb.live.shapes import Fleet
from ctweb.live.sources import enabled_now
from ctweb.live.status import typed

log = structlog.get_logger(__name__)


def fleet_now() -> Fleet:
    """With Redis away no daemon is heard, and every book says so."""
    enabled = enabled_now()
    statuses = typed(live.statuses() or [])
    return picture(statuses, enabled.depths, {}, enabled.refused, time.time_ns() // 1_000_000)


def book_now(instrument: Instrument) -> BookFeed:
    """The book as Redis has it; without one its state is DOWN."""
    name = book_name(instrument.key)
    feed = BookFeed(name, instrument)
    raw: Any = None
    try:
        with closing(connect_sync(settings.REDIS_URL)) as redis:
            raw = redis.get(name)
    except RedisError as error:
        log.warning("redis does not answer", error=str(error))
    feed.offer(raw)
    return feed
