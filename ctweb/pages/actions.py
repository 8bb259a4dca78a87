"""What pages ask the system to do beside changing rows: resync one book, read the catalogues again."""

from contextlib import closing
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds import selectors as feeds
from apps.feeds.bus.codec import DaemonCommand, command_name, encode_command
from apps.feeds.bus.redis import connect_sync
from apps.feeds.market import BookKey, MarketType
from apps.feeds.tasks import refresh_instruments
from apps.feeds.views import live
from apps.users.rest.exceptions import Unavailable
from apps.users.rest.idempotency import idempotent
from apps.users.roles import OPERATOR
from apps.users.services import actor_of, record


class ResyncSerializer(serializers.Serializer):
    key = serializers.CharField(max_length=200)

    def validate_key(self, text: str) -> BookKey:
        try:
            return BookKey.parse(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


@extend_schema(exclude=True)
class ResyncView(APIView):
    """Tell the daemon that holds a book to drop and rebuild it."""

    read_role = write_role = OPERATOR

    @idempotent
    def post(self, request: Request) -> Response:
        body = ResyncSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key: BookKey = body.validated_data["key"]
        daemon = _owner(key)
        record(actor=actor_of(request), action="book.resync", object=f"book {key}", after={"daemon": daemon})
        _publish(daemon, DaemonCommand(op="resync", key=str(key)))
        return Response({"daemon": daemon})


@extend_schema(exclude=True)
class RefreshView(APIView):
    """Read every market list of the enabled exchanges again; the answer does not wait for it."""

    read_role = write_role = OPERATOR

    @idempotent
    def post(self, request: Request) -> Response:
        markets = [
            (code, market.value) for code, enabled in feeds.exchanges().items() if enabled for market in MarketType
        ]
        record(actor=actor_of(request), action="catalogue.refresh", object=f"{len(markets)} catalogues")
        transaction.on_commit(lambda: _order(markets))
        return Response({"markets": len(markets)})


def _order(markets: list[tuple[str, str]]) -> None:
    for exchange, market_type in markets:
        refresh_instruments.delay(exchange, market_type)


def _owner(key: BookKey) -> str:
    statuses = live.statuses()
    if statuses is None:
        raise Unavailable("redis does not answer")
    held: dict[str, Any] | None = live.books(statuses).get(str(key))
    if held is None:
        raise ValidationError({"key": [f"No daemon holds {key}."]})
    return str(held["daemon"])


def _publish(daemon: str, command: DaemonCommand) -> None:
    try:
        with closing(connect_sync(settings.REDIS_URL)) as redis:
            redis.publish(command_name(daemon), encode_command(command))
    except RedisError as error:
        raise Unavailable("redis does not answer") from error
