"""The rows of MONITORING by REST: the same services as the admin and the pages."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import to_builtins
from rest_framework import generics, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds import selectors as feeds
from apps.feeds.market import MarketType
from apps.feeds.views import live
from apps.monitoring import selectors, services
from apps.monitoring.models import Monitoring
from apps.monitoring.serializers import (
    BulkSerializer,
    ChangeSerializer,
    CostSerializer,
    NewPairSerializer,
    PairEditSerializer,
    PairSerializer,
)
from apps.users.rest.idempotency import idempotent
from apps.users.rest.parameters import choice, refuse_unknown, word, yes_or_no
from apps.users.roles import OPERATOR
from apps.users.services import actor_of

MARKETS = [market.value for market in MarketType]
FILTERS = [
    OpenApiParameter("exchange", str),
    OpenApiParameter("market_type", str, enum=MARKETS),
    OpenApiParameter("pair", str, description="`BTC/USDT`"),
    OpenApiParameter("enabled", bool),
]
LIVE = ("state", "reason", "step", "age_ms", "daemon")


class PairsView(generics.ListAPIView):
    """What is watched."""

    serializer_class = PairSerializer
    write_role = OPERATOR
    queryset = Monitoring.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Monitoring]:
        request = self.request
        refuse_unknown(request, [*(one.name for one in FILTERS), "limit", "offset"])
        rows = Monitoring.objects.all()
        asked = {
            "exchange": choice(request, "exchange", feeds.exchanges()),
            "market_type": choice(request, "market_type", MARKETS),
            "pair": word(request, "pair", default="") or None,
        }
        rows = rows.filter(**{name: value for name, value in asked.items() if value is not None})
        enabled = yes_or_no(request, "enabled")
        return rows if enabled is None else rows.filter(enabled=enabled)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if args else []
        return PairSerializer(rows, many=True, context=_fate(rows))

    @extend_schema(request=NewPairSerializer, responses={201: PairSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        body = NewPairSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = services.add_pair(actor=actor_of(request), **body.validated_data)
        return Response(_one(row.pk), status=status.HTTP_201_CREATED)


class PairView(APIView):
    """One row."""

    write_role = OPERATOR

    @extend_schema(responses=PairSerializer)
    def get(self, request: Request, row_id: int) -> Response:
        return Response(_one(row_id))

    @extend_schema(request=PairEditSerializer, responses=PairSerializer)
    @idempotent
    def patch(self, request: Request, row_id: int) -> Response:
        _one(row_id)
        body = PairEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        reason = values.pop("reason")
        services.edit(ids=[row_id], values=values, actor=actor_of(request), reason=reason)
        return Response(_one(row_id))

    @extend_schema(responses={204: None})
    @idempotent
    def delete(self, request: Request, row_id: int) -> Response:
        _one(row_id)
        services.delete(ids=[row_id], actor=actor_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PairsBulkView(APIView):
    """Many instruments on or off, all or none."""

    read_role = write_role = OPERATOR

    @extend_schema(request=BulkSerializer, responses=ChangeSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        body = BulkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        change = services.enable_pairs(keys=set(values.pop("pairs")), actor=actor_of(request), **values)
        return Response(to_builtins(change))


class PairsPreviewView(APIView):
    """What such a change would cost; nothing is changed."""

    read_role = write_role = OPERATOR

    @extend_schema(request=BulkSerializer, responses=CostSerializer)
    def post(self, request: Request) -> Response:
        body = BulkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        statuses = live.statuses() or []
        found = selectors.cost_of(
            keys=set(asked["pairs"]), enabled=asked["enabled"], depth=asked["depth"], statuses=statuses
        )
        return Response(to_builtins(found))


def _one(row_id: int) -> dict[str, Any]:
    row = Monitoring.objects.filter(pk=row_id).first()
    if row is None:
        raise NotFound({"id": [f"No row {row_id}."]})
    data: dict[str, Any] = PairSerializer(row, context=_fate([row])).data
    return data


def _fate(rows: list[Monitoring]) -> dict[str, Any]:
    """For PairSerializer: what became of these rows."""
    books = live.books(live.statuses() or [])
    held = {row.pk: books.get(str(selectors.key_of(row))) for row in rows}
    return {
        "reasons": selectors.refusals() if rows else {},
        "live": {pk: {name: book.get(name) for name in LIVE} for pk, book in held.items() if book},
    }
