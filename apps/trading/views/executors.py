"""Who works which lanes, by REST."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from drf_spectacular.utils import extend_schema
from msgspec import MsgspecError, to_builtins
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds.bus.redis import connect_sync
from apps.trading import selectors
from apps.trading.execution.executors import monitor, vitals
from apps.users import paging
from apps.users.rest.parameters import refuse_unknown
from apps.users.roles import OPERATOR

log = structlog.get_logger(__name__)


class LaneSerializer(serializers.Serializer):
    """`depth` intents wait, the first for `age_ms`; `in_flight` have a request under way or without an answer.

    What `is_misnamed` is not called after its account and pair: executors pass it over."""

    lane = serializers.CharField()
    account_id = serializers.IntegerField()
    pair_id = serializers.IntegerField()
    is_misnamed = serializers.BooleanField()
    depth = serializers.IntegerField()
    age_ms = serializers.IntegerField(allow_null=True)
    in_flight = serializers.IntegerField()
    holder = serializers.CharField()
    fence = serializers.IntegerField()


class ExecutorSerializer(serializers.Serializer):
    holder = serializers.CharField()
    build_id = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    at_ms = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())


class CacheSerializer(serializers.Serializer):
    hits = serializers.IntegerField()
    misses = serializers.IntegerField()
    size = serializers.IntegerField()


class CareSerializer(serializers.Serializer):
    """An account that a process looks after; `ready` and `whole` are null on paper, where nothing is pushed."""

    account_id = serializers.IntegerField()
    step = serializers.CharField()
    reason = serializers.CharField()
    ready = serializers.BooleanField(allow_null=True)
    whole = serializers.BooleanField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class ProcessSerializer(serializers.Serializer):
    """`caches` by tier; `published`, messages to the bus, and `hints`, to executors, by what came of them; `failures`,
    faults of ours, by the work that failed."""

    process = serializers.CharField()
    word = serializers.CharField()
    build_id = serializers.CharField()
    at_ms = serializers.IntegerField()
    caches = serializers.DictField(child=CacheSerializer())
    published = serializers.DictField(child=serializers.IntegerField())
    hints = serializers.DictField(child=serializers.IntegerField())
    failures = serializers.DictField(child=serializers.IntegerField())
    accounts = CareSerializer(many=True)


class PagesSerializer(serializers.Serializer):
    """Alerts at the pager, or by mail: `waiting` ones have not reached it, the oldest since `since`; `tries` of all."""

    delivered = serializers.IntegerField()
    waiting = serializers.IntegerField()
    tries = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)


class WorkSerializer(serializers.Serializer):
    """`executors`, and of `processes` all but the one that answers, are missing while Redis, where they say how they
    are, does not answer: `executors` and `hints_waiting` are null then."""

    lanes = LaneSerializer(many=True)
    executors = ExecutorSerializer(many=True, allow_null=True)
    processes = ProcessSerializer(many=True)
    hints_waiting = serializers.IntegerField(allow_null=True)
    pages = PagesSerializer()
    mails = PagesSerializer()


class ExecutorsView(APIView):
    """Lanes with work and the accounts that one may see, and the processes and executors that live."""

    read_role = OPERATOR

    @extend_schema(responses=WorkSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        return Response(work(request.user))


@dataclass(frozen=True, kw_only=True)
class _Told:
    executors: list[monitor.ExecutorStatus]
    processes: list[vitals.Vitals]
    hints_waiting: int


def work(user: Any) -> dict[str, Any]:
    """Of other people's accounts nothing is told."""
    seen = selectors.account_ids(user=user)
    told = _told()
    processes = [*(told.processes if told else []), vitals.own(word="web", build_id=settings.CT_BUILD_ID)]
    return {
        "lanes": to_builtins(monitor.lanes(account_ids=sorted(seen))),
        "executors": to_builtins(told.executors) if told else None,
        "processes": [_shown(each, seen) for each in processes],
        "hints_waiting": told.hints_waiting if told else None,
        "pages": to_builtins(paging.standing()),
        "mails": to_builtins(paging.standing(paging.MAILS)),
    }


def _shown(process: vitals.Vitals, seen: frozenset[int]) -> dict[str, Any]:
    row: dict[str, Any] = to_builtins(process)
    return {**row, "accounts": [each for each in row["accounts"] if each["account_id"] in seen]}


def _told() -> _Told | None:
    """None: nobody can tell."""
    try:
        with closing(connect_sync(settings.REDIS_URL)) as redis:
            return _Told(
                executors=monitor.executors(redis),
                processes=vitals.told(redis),
                hints_waiting=vitals.hints_that_wait(redis),
            )
    except (RedisError, MsgspecError) as error:
        log.warning("executors not heard", error=str(error))
        return None
