"""Switches by REST: halting needs no more than one request, going on needs a person and a reason.

None of these remembers what was sent with an idempotency key: a password and a code are among it, and doing them
twice is doing them once.
"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.trading import limit_settings, selectors
from apps.trading.bodies import HaltBody, LiveBody, ReduceBody, ResumeBody
from apps.trading.halts import closing, halting, scopes, switches
from apps.trading.models import Account, HaltMode, RiskState, Trade, TradingSwitch
from apps.trading.risk.view import Scope, ScopeState
from apps.trading.serializers.risk import HoldingSerializer, ReportSerializer, StateSerializer, SwitchSerializer
from apps.trading.views import found, proof
from apps.users.rest import confirmation
from apps.users.rest.parameters import choice, refuse_unknown, word
from apps.users.roles import ADMIN, OPERATOR, TRADER
from apps.users.services import Actor, actor_of

SCOPE = OpenApiParameter("scope", str, enum=[one.value for one in Scope])
SCOPE_ID = OpenApiParameter("scope_id", str, description="Empty (global), exchange, account.id or TRADE.ID")
NOTHING_ALLOWED = {"live_allowed": False, "allowed_build": "", "by": "", "at": None}
OF_ONE = (Scope.ACCOUNT, Scope.TRADE)  # scopes of one account
STATES = [one.value for one in ScopeState]


class StatesView(generics.ListAPIView):
    """Switches; the most severe of those that an order is under counts. Of other people's accounts and TRADE rows
    operators see those that are stopped, since they may stop them, and nobody else any."""

    serializer_class = StateSerializer
    queryset = RiskState.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=[SCOPE, SCOPE_ID, OpenApiParameter("state", str, enum=STATES)])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[RiskState]:
        rows = found.filtered(
            self.request, selectors.switches(user=self.request.user), {"scope_id": "scope_id"}, more=("scope", "state")
        )
        for name, options in (("scope", list(Scope)), ("state", STATES)):
            asked = choice(self.request, name, options)
            rows = rows if asked is None else rows.filter(**{name: asked})
        return rows


class HaltView(APIView):
    """Stop everything, or one scope of it, at once: the row is committed when the answer comes."""

    read_role = write_role = OPERATOR

    @extend_schema(request=HaltBody, responses=StateSerializer)
    def post(self, request: Request) -> Response:
        body = HaltBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        mode = HaltMode(values["mode"])
        actor = _flattening(request, values) if mode is HaltMode.FLATTEN else actor_of(request)
        try:
            row = halting.halt(
                scope=Scope(values["scope"]),
                scope_id=values["scope_id"],
                reason=values["reason"],
                actor=actor,
                mode=mode,
                confirmed=mode is HaltMode.FLATTEN,
            )
        except halting.NoSuchScope as error:
            raise ValidationError({"scope_id": [f"{error}."]}) from None
        return Response(StateSerializer(row).data)


class ReduceView(APIView):
    """Let through only what makes positions smaller."""

    read_role = write_role = OPERATOR

    @extend_schema(request=ReduceBody, responses=StateSerializer)
    def post(self, request: Request) -> Response:
        body = ReduceBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        try:
            row = halting.reduce(
                scope=Scope(values["scope"]),
                scope_id=values["scope_id"],
                reason=values["reason"],
                actor=actor_of(request),
            )
        except halting.NoSuchScope as error:
            raise ValidationError({"scope_id": [f"{error}."]}) from None
        return Response(StateSerializer(row).data)


class ResumeView(APIView):
    """A person lets one scope go on, with reason, password and code."""

    read_role = write_role = TRADER

    @extend_schema(request=ResumeBody, responses=StateSerializer)
    def post(self, request: Request) -> Response:
        body = ResumeBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        check_own(request, values["scope"], values["scope_id"])
        confirmation.require(request, values["password"])
        row = halting.resume(
            scope=Scope(values["scope"]),
            scope_id=values["scope_id"],
            reason=values["reason"],
            actor=proof.with_code(request, values["code"], scope=values["scope"], scope_id=values["scope_id"]),
        )
        return Response(StateSerializer(row).data)


class ReportView(APIView):
    """What a halt has come to: counts of all orders under it, and each order of the accounts that one may see."""

    @extend_schema(parameters=[SCOPE, SCOPE_ID], responses=ReportSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ("scope", "scope_id"))
        scope = str(choice(request, "scope", list(Scope), default=Scope.GLOBAL))
        scope_id = word(request, "scope_id", default="", longest=50)
        seen = selectors.switches(user=request.user).filter(scope=scope, scope_id=scope_id).exists()
        report = halting.report(scope=Scope(scope), scope_id=scope_id) if seen else None
        if report is None:
            raise NotFound({"scope_id": [f"No switch of {scopes.name_of(scope, scope_id)}."]})
        return Response(ReportSerializer(report, context={"seen": selectors.account_ids(user=request.user)}).data)


class FlattenView(APIView):
    """What a halt that flattens would close now, what it would leave, and why: of accounts that one may see."""

    @extend_schema(parameters=[SCOPE, SCOPE_ID], responses=HoldingSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ("scope", "scope_id"))
        scope = str(choice(request, "scope", list(Scope), default=Scope.GLOBAL))
        scope_id = word(request, "scope_id", default="", longest=50)
        seen = set(selectors.account_ids(user=request.user))
        if not _can_be(scope, scope_id) or (scope in OF_ONE and not seen & closing.account_ids(scope, scope_id)):
            raise NotFound({"scope_id": [f"There is no {scopes.name_of(scope, scope_id)}."]})
        rows = [each for each in closing.holdings(scope, scope_id) if each.account_id in seen]
        return Response(HoldingSerializer(rows, many=True).data)


class SwitchView(APIView):
    """What holds for the whole deployment: which build may send orders, and whether live money is on."""

    write_role = ADMIN

    @extend_schema(responses=SwitchSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        row = TradingSwitch.objects.filter(pk=1).first()
        return Response(NOTHING_ALLOWED if row is None else SwitchSerializer(row).data)

    @extend_schema(request=LiveBody, responses=SwitchSerializer)
    def post(self, request: Request) -> Response:
        """Live money on or off; on with reason, password and code."""
        body = LiveBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        actor = actor_of(request)
        if values["live_allowed"]:
            _check_reason(values["reason"], "Turning live money on")
            confirmation.require(request, values["password"])
            actor = proof.given(request, values["code"], needed=True)
        row = switches.allow_live(allowed=values["live_allowed"], actor=actor, reason=values["reason"])
        return Response(SwitchSerializer(row).data)


def check_own(request: Request, scope: str, scope_id: str) -> None:
    """Refuse a scope that is not there, or is about somebody else's account."""
    if not _can_be(scope, scope_id) or not _is_own(request, scope, scope_id):
        raise NotFound({"scope_id": [f"There is no {scopes.name_of(scope, scope_id)}."]})


def _can_be(scope: str, scope_id: str) -> bool:
    return scope == limit_settings.PAIR or scopes.exists(Scope(scope), scope_id)


def _is_own(request: Request, scope: str, scope_id: str) -> bool:
    account: Account | None = None
    if scope == Scope.ACCOUNT:
        account = Account.objects.get(pk=scope_id)
    elif scope == Scope.TRADE:
        account = Trade.objects.select_related("account").get(pk=scope_id).account
    return account is None or selectors.may_trade(user=request.user, account=account)


def _flattening(request: Request, values: dict[str, Any]) -> Actor:
    """What is held is closed at the market: the person says why, and who he is."""
    _check_reason(values["reason"], "Closing all positions")
    confirmation.require(request, values["password"])
    if not _can_be(values["scope"], values["scope_id"]):
        raise ValidationError({"scope_id": [f"There is no {scopes.name_of(values['scope'], values['scope_id'])}."]})
    return proof.with_code(request, values["code"], scope=values["scope"], scope_id=values["scope_id"])


def _check_reason(reason: str, what: str) -> None:
    if len(reason.strip()) < limit_settings.LEAST_REASON:
        text = f"{what} needs a reason of {limit_settings.LEAST_REASON} characters or more."
        raise ValidationError({"reason": [text]})
