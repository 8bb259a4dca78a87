"""Limits by REST: down at once, up by a person who has proved that it is he.

Neither remembers what was sent with an idempotency key, as in `risk`.
"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.trading import limit_settings
from apps.trading.bodies import LimitBody, RaiseBody
from apps.trading.limit_settings import PAIR
from apps.trading.models import RiskLimit
from apps.trading.risk import limits
from apps.trading.risk.view import Scope
from apps.trading.serializers.risk import LimitNameSerializer, LimitSerializer
from apps.trading.views import found, proof
from apps.trading.views.risk import check_own
from apps.users.rest import confirmation
from apps.users.rest.parameters import choice, refuse_unknown
from apps.users.roles import TRADER
from apps.users.services import actor_of

WORDS = {"scope": [*(one.value for one in Scope), PAIR], "name": list(limits.CEILINGS)}


class LimitsView(generics.ListAPIView):
    """The limits that people have set. Of all that concern an order the strictest holds."""

    serializer_class = LimitSerializer
    write_role = TRADER
    queryset = RiskLimit.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(
        parameters=[
            OpenApiParameter("scope_id", str),
            *(OpenApiParameter(name, str, enum=WORDS[name]) for name in WORDS),
        ]
    )
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[RiskLimit]:
        seen = limit_settings.seen_by(self.request.user)
        rows = found.filtered(self.request, seen, {"scope_id": "scope_id"}, more=tuple(WORDS))
        for name, options in WORDS.items():
            asked = choice(self.request, name, options)
            rows = rows if asked is None else rows.filter(**{name: asked})
        return rows

    @extend_schema(request=LimitBody, responses=LimitSerializer)
    def post(self, request: Request) -> Response:
        """Set one limit: down at once, up by an administrator with reason, password and code."""
        body = LimitBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        if values["scope"] in (Scope.ACCOUNT, Scope.TRADE):  # one that is another's is refused as one that is not there
            check_own(request, values["scope"], values["scope_id"])
        limit_settings.check_scope(values["scope"], values["scope_id"])
        asked = {name: values[name] for name in ("scope", "scope_id", "name", "value")}
        proven = _proven(request, values, rises=limit_settings.rises(**asked))
        row = limit_settings.set_limit(**asked, **proven)
        return Response(LimitSerializer(row).data)


class LimitView(APIView):
    """One limit that was set; without it what is set elsewhere holds, or the default."""

    write_role = TRADER

    @extend_schema(request=RaiseBody, responses={204: None})
    def delete(self, request: Request, limit_id: int) -> Response:
        row = limit_settings.seen_by(request.user).filter(pk=min(limit_id, found.LARGEST)).first()
        if row is None:
            raise NotFound({"id": [f"No limit {limit_id}."]})
        check_own(request, row.scope, row.scope_id)
        body = RaiseBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = {**body.validated_data, "scope": row.scope, "scope_id": row.scope_id}
        proven = _proven(request, values, rises=limit_settings.rises_without(row))
        limit_settings.remove_limit(limit_id=row.pk, **proven)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LimitNamesView(APIView):
    """Which limits there are, their defaults, and how far each may be set in this deployment."""

    @extend_schema(responses=LimitNameSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        ceilings = limit_settings.ceilings()
        rows = [
            {"name": name, "default": limit_settings.default(name), "ceiling": ceilings[name]}
            for name in limits.CEILINGS
        ]
        return Response(LimitNameSerializer(rows, many=True).data)


def _proven(request: Request, values: dict[str, Any], *, rises: bool) -> dict[str, Any]:
    """Who changes a limit and why, for `limit_settings`; one that goes up takes all that it takes, the code last.

    `confirmed` only of what was asked here: what has become a raise meanwhile is refused under its lock.
    """
    actor, reason = actor_of(request), values["reason"]
    confirmed = confirmation.confirmed(request, values["password"]) and rises
    if rises:
        limit_settings.check_raise(actor=actor, reason=reason, confirmed=confirmed)
        actor = proof.with_code(request, values["code"], scope=values["scope"], scope_id=values["scope_id"])
    return {"actor": actor, "reason": reason, "confirmed": confirmed}
