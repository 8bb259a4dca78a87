"""Orders and fills by REST."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds.orders import OrderStatus
from apps.trading import selectors
from apps.trading.bodies import Nothing, OrdersBody
from apps.trading.execution.cancels import cancelling
from apps.trading.models import Order, OrderFill
from apps.trading.order_state import FINAL
from apps.trading.serializers.orders import CancelledSerializer, FillSerializer, OrderDetailSerializer, OrderSerializer
from apps.trading.views import found
from apps.users.rest.exceptions import Conflict
from apps.users.rest.idempotency import idempotent
from apps.users.rest.parameters import choice, yes_or_no
from apps.users.roles import TRADER
from apps.users.services import actor_of

STATUSES = [one.value for one in OrderStatus]


class OrdersView(generics.ListAPIView):
    """Orders, latest first; `open=true` leaves those that are not over."""

    serializer_class = OrderSerializer
    queryset = Order.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(
        parameters=[
            *found.documented(found.OF_ORDER),
            OpenApiParameter("status", str, enum=STATUSES),
            OpenApiParameter("open", bool),
            OpenApiParameter("external", bool, description="Somebody else's, found at the exchange"),
        ]
    )
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Order]:
        request = self.request
        rows = found.filtered(request, found.orders(request), found.OF_ORDER, more=("status", "open", "external"))
        asked = choice(request, "status", STATUSES)
        is_open, external = yes_or_no(request, "open"), yes_or_no(request, "external")
        over = Q(status__in=list(FINAL))
        if asked is not None:
            rows = rows.filter(status=asked)
        if is_open is not None:
            rows = rows.exclude(over) if is_open else rows.filter(over)
        return rows if external is None else rows.filter(is_external=external)


class OrderView(APIView):
    """One order with its events and fills."""

    @extend_schema(responses=OrderDetailSerializer)
    def get(self, request: Request, order_id: int) -> Response:
        row = found.order(request, order_id)
        return Response(OrderDetailSerializer(row).data)


class OrderCancelView(APIView):
    """Ask for its cancel; that it is cancelled is told by the order itself. Asked twice it is one cancel."""

    read_role = write_role = TRADER

    @extend_schema(request=Nothing, responses=OrderSerializer)
    @idempotent
    def post(self, request: Request, order_id: int) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)
        row = found.order(request, order_id)
        if row.account_id is None or row.intent_id is None:
            raise Conflict("It is not ours: it was found at the exchange, and is never touched.")
        found.own_account(request, row.account_id)
        if row.status in FINAL:
            raise Conflict(f"It is over: {row.status}.")
        cancelling.request_cancel(row, actor_of(request))
        return Response(OrderSerializer(found.order(request, row.pk)).data)


class OrdersCancelView(APIView):
    """Ask for the cancel of several orders: of all of them that still work, or of none where one is not one's own."""

    read_role = write_role = TRADER

    @extend_schema(request=OrdersBody, responses=CancelledSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        body = OrdersBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = sorted(set(body.validated_data["orders"]))
        rows = found.own_orders(request, asked)
        working = [row for row in rows if row.status not in FINAL]
        for row in working:
            cancelling.request_cancel(row, actor_of(request))
        return Response(CancelledSerializer({"asked": len(working), "over": len(rows) - len(working)}).data)


class FillsView(generics.ListAPIView):
    """Executions, latest first."""

    serializer_class = FillSerializer
    queryset = OrderFill.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=found.documented(found.OF_FILL))
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[OrderFill]:
        return found.filtered(self.request, found.fills(self.request), found.OF_FILL)


class OpenOrdersView(APIView):
    """The open orders, as the seeds' daemon told them. POST, as the seeds have it, though it changes nothing."""

    @extend_schema(request=None, responses=OrderSerializer(many=True))
    def post(self, request: Request) -> Response:
        rows = selectors.working_orders(user=request.user)
        return Response(OrderSerializer(rows, many=True).data)
