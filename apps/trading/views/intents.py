"""Intents by REST: an order by hand goes the same road as a strategy's."""

from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds.market import Side
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading import placing
from apps.trading.bodies import LONGEST_KEY, IntentBody, Nothing
from apps.trading.execution.entry import intake
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.models import IntentState, OrderIntent
from apps.trading.serializers.intents import IntentSerializer, PreviewSerializer
from apps.trading.views import found
from apps.users.models import User
from apps.users.rest.exceptions import Conflict
from apps.users.rest.idempotency import HEADER, idempotent
from apps.users.rest.parameters import choice
from apps.users.roles import TRADER
from apps.users.services import actor_of


class IntentsView(generics.ListAPIView):
    """What people and strategies want, latest first."""

    serializer_class = IntentSerializer
    read_role = write_role = TRADER
    queryset = OrderIntent.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(
        parameters=[*found.documented(found.OF_ORDER), OpenApiParameter("state", str, enum=IntentState.values)],
    )
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[OrderIntent]:
        rows = found.filtered(self.request, found.intents(self.request), found.OF_ORDER, more=("state",))
        state = choice(self.request, "state", IntentState.values)
        return rows if state is None else rows.filter(state=state)

    @extend_schema(
        request=IntentBody,
        responses={200: IntentSerializer, 201: IntentSerializer},
        parameters=[OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description="Or `key` in the body")],
    )
    def post(self, request: Request) -> Response:
        """201: written; its `result` is RISK_DENIED where risk refused it. 200: it was written before."""
        wanted = _wanted(request)
        key = _key(request, wanted.pop("key", None))
        try:
            recorded = placing.place(key=key, **wanted)
        except intake.KeyConflict:
            raise Conflict(f"The key {key!r} was used for another order.") from None
        code = status.HTTP_201_CREATED if recorded.created else status.HTTP_200_OK
        return Response(_intent(request, recorded.intent.pk), status=code)


class IntentPreviewView(APIView):
    """What an order would cost and hold back, and whether risk would let it through; nothing is written."""

    read_role = write_role = TRADER

    @extend_schema(request=IntentBody, responses=PreviewSerializer)
    def post(self, request: Request) -> Response:
        wanted = _wanted(request)
        wanted.pop("key", None)
        return Response(PreviewSerializer(placing.preview(**wanted)).data)


class IntentView(APIView):
    read_role = TRADER

    @extend_schema(responses=IntentSerializer)
    def get(self, request: Request, intent_id: int) -> Response:
        return Response(_intent(request, intent_id))


class IntentCancelView(APIView):
    """End an intent: unsent it is over at once, else its order is cancelled."""

    read_role = write_role = TRADER

    @extend_schema(request=Nothing, responses=IntentSerializer)
    @idempotent
    def post(self, request: Request, intent_id: int) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)
        row = found.intent(request, intent_id)
        found.own_account(request, row.account_id)
        if row.state == IntentState.DONE:
            raise Conflict(f"It is over: {row.result}.")
        placing.cancel(intent=row, actor=actor_of(request))
        return Response(_intent(request, row.pk))


@lru_cache(maxsize=4)
def _market(url: str) -> RedisMarket:
    """The one of this process; made when it is first needed."""
    return RedisMarket.at(url)


def _person(request: Request) -> User:
    """Whoever comes here has signed in."""
    return cast(User, request.user)


def _wanted(request: Request) -> dict[str, Any]:
    """The body in the words of `placing`, and who asks."""
    body = IntentBody(data=request.data)
    body.is_valid(raise_exception=True)
    values = dict(body.validated_data)
    return {
        **values,
        "account": found.named_account(request, values["account"]),
        "side": Side(values["side"]),
        "type": OrderType(values["type"]),
        "tif": TimeInForce(values["tif"]),
        "user": _person(request),
        "market": _market(settings.REDIS_URL),
    }


def _key(request: Request, key: str | None) -> str:
    """Of the body or of the header; both, if there are two, must say the same."""
    header = request.headers.get(HEADER)
    if header is not None and (not header.isprintable() or not 0 < len(header) <= LONGEST_KEY):
        raise ValidationError({HEADER: [f"Must be 1 to {LONGEST_KEY} printable characters."]})
    if None not in (key, header) and key != header:
        raise ValidationError({"key": [f"Differs from {HEADER}."]})
    if key is None and header is None:
        raise ValidationError({"key": [f"Name the order: here, or with {HEADER}. Sent again it is the same one."]})
    return str(key or header)


def _intent(request: Request, intent_id: int) -> dict[str, Any]:
    data: dict[str, Any] = IntentSerializer(found.intent(request, intent_id)).data
    return data
