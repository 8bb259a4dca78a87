"""Which lanes have work, who does it, and how executors fare: for the page and REST.

Lanes are read from the database. What an executor has counted it tells Redis itself, under `executor:<holder>`, once a
second at most; who says nothing for ten seconds is gone.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

from apps.feeds.leases import NOBODY
from apps.feeds.models import Lease
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import PREFIX, lane_of
from apps.trading.models import IntentState, OrderIntent

log = structlog.get_logger(__name__)

EVERY_S = 1.0
GONE_S = 10
TIMEOUT_S = 0.1
REST_S = 5.0  # after a failure nothing is told for so long: who tells has orders to send
MOST_LANES = 500


class LaneStatus(Struct, frozen=True, kw_only=True):
    """`depth` intents wait, the first for `age_ms`; `in_flight` have a request under way or without an answer.

    What `is_misnamed` is not called after its account and pair: executors pass it over.
    """

    lane: str
    account_id: int
    pair_id: int
    is_misnamed: bool
    depth: int
    age_ms: int | None
    in_flight: int
    holder: str  # empty: nobody
    fence: int


class ExecutorStatus(Struct, frozen=True, kw_only=True):
    """`counts` by name: `orders placed`, `intents RISK_DENIED`, `lanes busy`, ... since it began."""

    holder: str
    build_id: str
    host: str
    pid: int
    at_ms: int
    counts: dict[str, int]


def lanes(*, account_ids: list[int] | None = None) -> list[LaneStatus]:
    """Those with intents that wait or are under way, the one that waits longest first; of some accounts, or of all."""
    states = (IntentState.NEW, IntentState.SENDING)
    rows = OrderIntent.objects.filter(state__in=states).order_by()
    if account_ids is not None:
        rows = rows.filter(account__in=account_ids)
    waiting = Q(state=IntentState.NEW)
    counted = rows.values("lane", "account_id", "pair_id").annotate(
        depth=Count("id", filter=waiting),
        since=Min("created_at", filter=waiting),
        in_flight=Count("id", filter=~waiting),
        now=Now(),
    )
    found = list(counted.order_by("since", "lane", "account_id", "pair_id")[:MOST_LANES])
    held = _holders([row["lane"] for row in found])
    return [_status(row, *held.get(row["lane"], (NOBODY, 0))) for row in found]


def executors(redis: Redis) -> list[ExecutorStatus]:
    """Those that live, by their names. Raises RedisError."""
    names = sorted(redis.scan_iter(match="executor:*", count=1_000))
    told = redis.mget(names) if names else []
    return [msgspec.json.decode(each, type=ExecutorStatus) for each in told if each]  # type: ignore[union-attr]


class Reporter:
    """Tells Redis what executors have counted; safe to use from threads, and never raises."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._told: dict[str, float] = {}
        self._rests_until = 0.0

    def report(self, executor: Executor) -> None:
        now = time.monotonic()
        if now < self._rests_until or now - self._told.get(executor.holder, -EVERY_S) < EVERY_S:
            return
        self._told[executor.holder] = now
        try:
            self._redis.set(f"executor:{executor.holder}", msgspec.json.encode(status(executor)), ex=GONE_S)
        except RedisError as error:
            self._rests_until = now + REST_S
            log.info("executor not told of", holder=executor.holder, error=str(error))


def status(executor: Executor) -> ExecutorStatus:
    host, pid, *_ = executor.holder.split(":")
    return ExecutorStatus(
        holder=executor.holder,
        build_id=executor.build_id,
        host=host,
        pid=int(pid),
        at_ms=time.time_ns() // 1_000_000,
        counts=dict(executor.tally.counts()),
    )


def _holders(names: list[str]) -> dict[str, tuple[str, int]]:
    """Lane -> who holds it now, and under which fence."""
    rows = Lease.objects.filter(resource__in=[PREFIX + lane for lane in names], expires_at__gt=Now())
    return {
        resource.removeprefix(PREFIX): (holder, fence)
        for resource, holder, fence in rows.values_list("resource", "holder", "fence")
    }


def _status(row: Mapping[str, Any], holder: str, fence: int) -> LaneStatus:
    lane, since, now = row["lane"], row["since"], row["now"]
    age = None if since is None else now - since
    return LaneStatus(
        lane=lane,
        account_id=row["account_id"],
        pair_id=row["pair_id"],
        is_misnamed=lane != lane_of(row["account_id"], row["pair_id"]),
        depth=row["depth"],
        age_ms=None if age is None else max(round(age.total_seconds() * 1000), 0),
        in_flight=row["in_flight"],
        holder=holder,
        fence=fence,
    )
