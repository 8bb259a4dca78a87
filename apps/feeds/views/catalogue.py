"""Exchanges and what they list, by REST."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds import selectors, services
from apps.feeds.market import InstrumentStatus, MarketType
from apps.feeds.models import Exchange, TradePair
from apps.feeds.serializers import ExchangeEditSerializer, ExchangeSerializer, InstrumentSerializer
from apps.users.rest.idempotency import idempotent
from apps.users.rest.parameters import choice, refuse_unknown, word
from apps.users.roles import ADMIN
from apps.users.services import actor_of

MARKETS = [market.value for market in MarketType]
STATUSES = [one.value for one in InstrumentStatus]
ORDERS = ("pair", "-pair", "volume_24h", "-volume_24h")
FILTERS = [
    OpenApiParameter("q", str, description="Words, all of which are found in exchange, market type, pair or symbol"),
    OpenApiParameter("exchange", str),
    OpenApiParameter("market_type", str, enum=MARKETS),
    OpenApiParameter("quote", str),
    OpenApiParameter("status", str, enum=STATUSES),
    OpenApiParameter("order", str, enum=ORDERS),
]
PAGING = ("limit", "offset")


class ExchangesView(APIView):
    @extend_schema(responses=ExchangeSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        return Response(ExchangeSerializer(Exchange.objects.all(), many=True).data)


class ExchangeView(APIView):
    """Switch all pairs of an exchange on or off."""

    write_role = ADMIN

    @extend_schema(request=ExchangeEditSerializer, responses=ExchangeSerializer)
    @idempotent
    def patch(self, request: Request, code: str) -> Response:
        if code not in selectors.exchanges():
            raise NotFound({"exchange": [f"Unknown exchange {code[:50]!r}."]})
        body = ExchangeEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.set_exchange_enabled(exchange=code, actor=actor_of(request), **body.validated_data)
        return Response(ExchangeSerializer(Exchange.objects.get(code=code)).data)


class InstrumentsView(generics.ListAPIView):
    """The catalogue, filtered and in pages."""

    serializer_class = InstrumentSerializer
    queryset = TradePair.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[TradePair]:
        request = self.request
        refuse_unknown(request, [*(one.name for one in FILTERS), *PAGING])
        rows = selectors.search(words=word(request, "q", default=""))
        asked = {
            "exchange__code": choice(request, "exchange", selectors.exchanges()),
            "market_type": choice(request, "market_type", MARKETS),
            "status": choice(request, "status", STATUSES),
            "quote": word(request, "quote", default="") or None,
        }
        rows = rows.filter(**{column: value for column, value in asked.items() if value is not None})
        return rows.order_by(str(choice(request, "order", ORDERS, default="pair")), "id")
