"""What is held, earned and paid, by REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from apps.trading import selectors
from apps.trading.models import FundingPayment, Position, RiskUsage, Wallet
from apps.trading.serializers.holdings import BalanceSerializer, FundingSerializer, PnlSerializer, PositionSerializer
from apps.trading.views import found
from apps.users.rest.parameters import yes_or_no
from apps.users.roles import TRADER


class PositionsView(generics.ListAPIView):
    """Positions by our fills, beside what the exchange last told; `held=true` leaves out what is closed."""

    serializer_class = PositionSerializer
    read_role = TRADER
    queryset = Position.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=[*found.documented(found.OF_PAIR), OpenApiParameter("held", bool)])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Position]:
        rows = selectors.visible(Position.objects.select_related("account", "pair__exchange"), user=self.request.user)
        rows = found.filtered(self.request, rows, found.OF_PAIR, more=("held",))
        held = yes_or_no(self.request, "held")
        if held is None:
            return rows
        return rows.exclude(amount=0) if held else rows.filter(amount=0)


class BalancesView(generics.ListAPIView):
    """Each asset of each account."""

    serializer_class = BalanceSerializer
    read_role = TRADER
    queryset = Wallet.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=found.documented(found.OF_ACCOUNT))
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Wallet]:
        rows = selectors.visible(Wallet.objects.select_related("account"), user=self.request.user)
        return found.filtered(self.request, rows, found.OF_ACCOUNT)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if args else []
        context = {"reserved": selectors.reserved(account_ids={row.account_id for row in rows})}
        return BalanceSerializer(rows, many=True, context=context)


class PnlView(generics.ListAPIView):
    """The day of each account since 00:00 UTC. Paper and live money are never summed."""

    serializer_class = PnlSerializer
    read_role = TRADER
    queryset = RiskUsage.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=found.documented(found.OF_ACCOUNT))
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[RiskUsage]:
        rows = selectors.visible(RiskUsage.objects.select_related("account"), user=self.request.user)
        return found.filtered(self.request, rows, found.OF_ACCOUNT).order_by("account")


class FundingView(generics.ListAPIView):
    """Funding that was paid (negative) or received, latest first."""

    serializer_class = FundingSerializer
    read_role = TRADER
    queryset = FundingPayment.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=found.documented(found.OF_PAIR))
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[FundingPayment]:
        rows = FundingPayment.objects.select_related("account", "pair__exchange")
        return found.filtered(self.request, selectors.visible(rows, user=self.request.user), found.OF_PAIR)
