"""Myself, my second factor, my tokens, the trail and alerts, by REST."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from knox.models import AuthToken
from msgspec import to_builtins
from rest_framework import generics, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users import alerts, second_factor
from apps.users.models import Alert, Audit
from apps.users.rest import confirmation
from apps.users.rest.exceptions import Conflict
from apps.users.rest.idempotency import idempotent
from apps.users.rest.parameters import refuse_unknown, word, yes_or_no
from apps.users.rest.serializers import StrictSerializer
from apps.users.roles import ADMIN, OPERATOR, has_role, role_of
from apps.users.selectors import verify_audit
from apps.users.serializers import (
    AlertSerializer,
    AuditSerializer,
    FirstCodeBody,
    MeSerializer,
    NewTokenSerializer,
    RemoveFactorBody,
    TokenRequestSerializer,
    TokenSerializer,
    VerdictSerializer,
)
from apps.users.services import MOST_TOKENS, actor_of, make_token, may_have_another_token, revoke_token

LARGEST = 2**63 - 1  # of a primary key
ALERT_FILTERS = [
    *(OpenApiParameter(name, str) for name in ("kind", "scope", "scope_id")),
    OpenApiParameter("open", bool),
]
FILTERS = [OpenApiParameter("action", str), OpenApiParameter("user", str), OpenApiParameter("object", str)]


class MeView(APIView):
    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        return Response(_me(request))


class SecondFactorView(APIView):
    """One's own device. It is begun on /me/, where its secret is shown once: no answer here ever has that.

    Neither remembers what was sent with an idempotency key: a code counts once anyhow.
    """

    @extend_schema(request=FirstCodeBody, responses=MeSerializer)
    def post(self, request: Request) -> Response:
        """The first code of a device that was begun: from now on it counts."""
        body = FirstCodeBody(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        try:
            second_factor.confirm(user=user, code=body.validated_data["code"], actor=actor_of(request))
        except second_factor.CodeRefused as refused:
            raise ValidationError({"code": [str(refused)]}) from None
        return Response(_me(request))

    @extend_schema(request=RemoveFactorBody, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Take it away, with password and code."""
        body = RemoveFactorBody(data=request.data)
        body.is_valid(raise_exception=True)
        confirmation.require(request, body.validated_data["password"])
        given = confirmation.require_code(request, body.validated_data["code"], needed=True)
        user: Any = request.user
        second_factor.remove(user=user, actor=actor_of(request, second_factor=given))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokensView(APIView):
    """One's own tokens, for programs: `Authorization: Token ...`. Who has a second factor makes one with its code:
    nobody is asked for that where a token is used."""

    @extend_schema(responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        return Response(TokenSerializer(_own(request).order_by("created"), many=True).data)

    @extend_schema(request=TokenRequestSerializer, responses={201: NewTokenSerializer})
    def post(self, request: Request) -> Response:
        body = TokenRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        lifetime = timedelta(days=body.validated_data["days"])
        user: Any = request.user
        made = None
        if may_have_another_token(user.pk):  # asked first: what is refused anyhow uses no code up
            given = confirmation.require_code(request, body.validated_data["code"], needed=False)
            made = make_token(actor=actor_of(request, second_factor=given), lifetime=lifetime)
        if made is None:
            raise Conflict(f"At most {MOST_TOKENS} tokens: revoke one first.")
        row, token = made
        answer = NewTokenSerializer({"id": row.token_key, "token": token, "expiry": row.expiry})
        return Response(answer.data, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, token_id: str) -> Response:
        if not revoke_token(actor=actor_of(request), token_id=token_id):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class AuditView(generics.ListAPIView):
    """Who changed what, latest first: an admin sees all, everybody else what he did himself."""

    serializer_class = AuditSerializer
    queryset = Audit.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Audit]:
        request = self.request
        refuse_unknown(request, [*(one.name for one in FILTERS), "limit", "offset"])
        rows = Audit.objects.all()
        if not has_role(request.user, ADMIN):
            rows = rows.filter(user=request.user.get_username())
        for name in ("action", "user", "object"):
            if name in request.query_params:
                rows = rows.filter(**{name: word(request, name, longest=200)})
        return rows


class AuditVerdictView(APIView):
    """Whether the chain of the trail is whole."""

    read_role = ADMIN

    @extend_schema(responses=VerdictSerializer)
    def get(self, request: Request) -> Response:
        return Response(to_builtins(verify_audit()))


class AlertsView(generics.ListAPIView):
    """What a person must look at, latest first; `open=true` leaves what nobody has acknowledged. Those of single
    accounts are for operators."""

    serializer_class = AlertSerializer
    queryset = Alert.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=ALERT_FILTERS)
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Alert]:
        request = self.request
        refuse_unknown(request, [*(one.name for one in ALERT_FILTERS), "limit", "offset"])
        rows = alerts.seen_by(request.user)
        for name in ("kind", "scope", "scope_id"):
            if name in request.query_params:
                rows = rows.filter(**{name: word(request, name)})
        is_open = yes_or_no(request, "open")
        if is_open is None:
            return rows
        return rows.filter(**alerts.OPEN) if is_open else rows.exclude(**alerts.OPEN)


class AlertAckView(APIView):
    """Somebody has seen it and takes care."""

    read_role = write_role = OPERATOR

    @extend_schema(request=StrictSerializer, responses=AlertSerializer)
    @idempotent
    def post(self, request: Request, alert_id: int) -> Response:
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        row = Alert.objects.filter(pk=min(alert_id, LARGEST)).first()
        if row is None:
            raise NotFound({"id": [f"No alert {alert_id}."]})
        if not alerts.ack(alert_id=row.pk, actor=actor_of(request)):
            row.refresh_from_db()
            raise Conflict(f"It was acknowledged before, by {row.acked_by} at {row.acked_at:%Y-%m-%d %H:%M:%S} UTC.")
        row.refresh_from_db()
        return Response(AlertSerializer(row).data)


def _me(request: Request) -> dict[str, Any]:
    user: Any = request.user
    found = {
        "name": user.get_username(),
        "role": role_of(user),
        "second_factor": second_factor.has_device(user),
    }
    return dict(MeSerializer(found).data)


def _own(request: Request) -> QuerySet[AuthToken]:
    return AuthToken.objects.filter(user_id=request.user.pk)
