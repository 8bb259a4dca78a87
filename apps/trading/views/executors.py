"""Who works which lanes, by REST."""

from contextlib import closing
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
from apps.trading.execution import monitor
from apps.users.rest.parameters import refuse_unknown
from apps.users.roles import OPERATOR

log = structlog.get_logger(__name__)


class LaneSerializer(serializers.Serializer):
    """`depth` intents wait, the first for `age_ms`; `in_flight` have a request under way or without an answer."""

    lane = serializers.CharField()
    account_id = serializers.IntegerField()
    pair_id = serializers.IntegerField()
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


class WorkSerializer(serializers.Serializer):
    """`executors` is null while Redis, where they say how they are, does not answer."""

    lanes = LaneSerializer(many=True)
    executors = ExecutorSerializer(many=True, allow_null=True)


class ExecutorsView(APIView):
    """Lanes with work, of the accounts that one may see, and the executors that live."""

    read_role = OPERATOR

    @extend_schema(responses=WorkSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        return Response(work(request.user))


def work(user: Any) -> dict[str, Any]:
    lanes = monitor.lanes(account_ids=sorted(selectors.account_ids(user=user)))
    return {"lanes": to_builtins(lanes), "executors": to_builtins(_executors())}


def _executors() -> list[monitor.ExecutorStatus] | None:
    """None: nobody can tell."""
    try:
        with closing(connect_sync(settings.REDIS_URL)) as redis:
            return monitor.executors(redis)
    except (RedisError, MsgspecError) as error:
        log.warning("executors not heard", error=str(error))
        return None
