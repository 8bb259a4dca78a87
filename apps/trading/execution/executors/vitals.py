"""How each process of trading fares: what its caches save, what it has told the bus, and the accounts it looks after.

It tells Redis itself, under `trading:<host>:<pid>`, once a second; who says nothing for ten seconds is gone.
"""

import os
import socket
import time
from collections.abc import Mapping, Sequence

import msgspec
import structlog
from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

from apps.trading import caches, publishing
from apps.trading.caches import Stats
from apps.trading.execution.runtime import failing, waking

log = structlog.get_logger(__name__)

PREFIX = "trading:"
GONE_S = 10
TIMEOUT_S = 0.1


class Care(Struct, frozen=True, kw_only=True):
    """One account that a process looks after: how far it is, and what its private socket and its sweeps have counted.

    `ready` and `whole` are null on paper, where nothing is pushed. `whole`: since the last gap everything was swept.
    """

    account_id: int
    step: str  # STARTING RECONCILING READY WAITING
    reason: str = ""
    ready: bool | None = None
    whole: bool | None = None
    counts: dict[str, int] = {}


class Vitals(Struct, frozen=True, kw_only=True):
    """`caches` by tier, `published` and `hints` by what came of them, `failures` by the work that failed; all since the
    process began."""

    process: str
    word: str  # what it is to people: `daemon d1`
    build_id: str
    at_ms: int
    caches: dict[str, Stats]
    published: dict[str, int]
    hints: dict[str, int]
    failures: dict[str, int] = {}
    accounts: list[Care] = []


class Teller:
    """Tells Redis of the own process; never raises."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)

    def tell(self, vitals: Vitals) -> None:
        try:
            self._redis.set(PREFIX + vitals.process, msgspec.json.encode(vitals), ex=GONE_S)
        except RedisError as error:
            log.info("process not told of", process=vitals.process, error=str(error))


def own(
    *,
    word: str,
    build_id: str,
    accounts: Sequence[Care] = (),
    dropped: int = 0,
    failures: Mapping[str, int] | None = None,
) -> Vitals:
    """Of this process. `dropped`: hints that came and found no room. `failures` beside those of `failing`."""
    hints: Mapping[str, int] = {**waking.counts, **({"dropped here": dropped} if dropped else {})}
    return Vitals(
        process=f"{socket.gethostname()[:24]}:{os.getpid()}",
        word=word,
        build_id=build_id,
        at_ms=time.time_ns() // 1_000_000,
        caches=dict(caches.report()),
        published=dict(publishing.counts),
        hints=dict(hints),
        failures={**failing.counts(), **(failures or {})},
        accounts=list(accounts),
    )


def told(redis: Redis) -> list[Vitals]:
    """Of the processes that live, by their words. Raises RedisError, and MsgspecError for what is no vitals."""
    names = sorted(redis.scan_iter(match=f"{PREFIX}*", count=1_000))
    found = redis.mget(names) if names else []
    rows = [msgspec.json.decode(each, type=Vitals) for each in found if each]  # type: ignore[union-attr]
    return sorted(rows, key=lambda each: (each.word, each.process))


def hints_that_wait(redis: Redis) -> int:
    """On Celery's queue, which nobody takes from where no worker runs. Raises RedisError."""
    return int(str(redis.llen(waking.QUEUE)))
