"""Accounts and their keys by REST. What is written of a key is never read again.

What takes a code asks for it outside the transaction of an idempotency key, which would forget a wrong one.
"""

import secrets
from typing import Any

import structlog
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import to_builtins
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds.errors import FeedError
from apps.feeds.orders import Credentials
from apps.trading import accounts, selectors
from apps.trading.bodies import AccountEditBody, Guarded, KeyBody, NewAccountBody, Reasoned, WithCode
from apps.trading.credentials import at_work, keys, simulated
from apps.trading.credentials.probing import Probe
from apps.trading.models import Account, AccountMode, RiskState
from apps.trading.risk.view import Scope
from apps.trading.serializers.accounts import AccountSerializer, KeyAnswerSerializer, KeySerializer
from apps.trading.views import found, proof
from apps.users.rest import confirmation
from apps.users.rest.exceptions import Unavailable
from apps.users.rest.idempotency import answered, asked_first, idempotent
from apps.users.roles import ADMIN, TRADER, has_role
from apps.users.services import Actor, actor_of

log = structlog.get_logger(__name__)

COLUMNS = {"exchange": "exchange__code", "market_type": "market_type", "mode": "mode"}
FILTERS = [OpenApiParameter(name, str) for name in COLUMNS]


class AccountsView(generics.ListAPIView):
    """One's own accounts and the desk's."""

    serializer_class = AccountSerializer
    read_role = write_role = TRADER
    queryset = Account.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Account]:
        return found.filtered(self.request, found.with_key(selectors.accounts(user=self.request.user)), COLUMNS)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        return AccountSerializer(args[0] if args else [], many=True, context=_states())

    @extend_schema(request=NewAccountBody, responses={201: AccountSerializer})
    def post(self, request: Request) -> Response:
        if (known := answered(request)) is not None:
            return known
        body = NewAccountBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        accounts.check_new(**{name: values[name] for name in ("exchange", "market_type", "mode")})
        if values["desk"] and not has_role(request.user, ADMIN):
            raise ValidationError({"desk": ["Only an administrator makes accounts of the desk."]})
        code, is_live = values.pop("code"), values["mode"] == AccountMode.LIVE
        actor = proof.given(request, code, needed=True) if is_live else actor_of(request)
        return self._add(request, actor, values)

    @idempotent
    def _add(self, request: Request, actor: Actor, values: dict[str, Any]) -> Response:
        owner_id = None if values.pop("desk") else request.user.pk
        row = accounts.add(actor=actor, owner_id=owner_id, **values)
        return Response(_one(request, row.pk), status=status.HTTP_201_CREATED)


class AccountView(APIView):
    read_role = write_role = TRADER

    @extend_schema(responses=AccountSerializer)
    def get(self, request: Request, account_id: int) -> Response:
        return Response(_one(request, account_id))

    @extend_schema(request=AccountEditBody, responses=AccountSerializer)
    @idempotent
    def patch(self, request: Request, account_id: int) -> Response:
        row = found.own_account(request, account_id)
        body = AccountEditBody(data=request.data)
        body.is_valid(raise_exception=True)
        accounts.rename(account_id=row.pk, actor=actor_of(request), **body.validated_data)
        return Response(_one(request, row.pk))


class AccountCloseView(APIView):
    """Refused while anything of it may still trade. One that waits for live money is given up."""

    read_role = write_role = TRADER

    @extend_schema(request=Reasoned, responses=AccountSerializer)
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        row = found.own_account(request, account_id)
        body = Reasoned(data=request.data)
        body.is_valid(raise_exception=True)
        end = accounts.close if row.requested_mode is None else accounts.withdraw
        end(account_id=row.pk, actor=actor_of(request), **body.validated_data)
        return Response(_one(request, row.pk))


class AccountApproveView(APIView):
    """Live money, by a second person with reason, password and code; the account stays halted until it is resumed."""

    read_role = write_role = TRADER

    @extend_schema(request=Guarded, responses=AccountSerializer)
    def post(self, request: Request, account_id: int) -> Response:
        row = found.own_account(request, account_id)
        body = Guarded(data=request.data)
        body.is_valid(raise_exception=True)
        confirmation.require(request, body.validated_data["password"])
        accounts.check_approval(account_id=row.pk, actor=actor_of(request))
        actor = proof.given(request, body.validated_data["code"], needed=True)
        accounts.approve(account_id=row.pk, actor=actor, reason=body.validated_data["reason"])
        return Response(_one(request, row.pk))


class AccountKeyView(APIView):
    """The key of an account: asked about at its exchange, sealed and kept, or forgotten."""

    read_role = write_role = TRADER

    @extend_schema(request=KeyBody, responses=KeyAnswerSerializer)
    def post(self, request: Request, account_id: int) -> Response:
        row = found.open_account(request, account_id)
        if row.mode == AccountMode.PAPER and row.requested_mode is None:
            raise ValidationError({"detail": ["An account on paper needs no key."]})
        body = KeyBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        asked = Credentials(key=values["key"], secret=values["secret"], passphrase=values["passphrase"])
        keys.check_form(asked)
        actor = proof.for_account(request, values["code"], row)
        told = {"cannot_withdraw": values["cannot_withdraw"], "reason": values["reason"]}
        return Response(_kept(row, _asked(row, asked, actor, told), actor, told))

    @extend_schema(request=WithCode, responses={204: None})
    def delete(self, request: Request, account_id: int) -> Response:
        if (known := answered(request)) is not None:
            return known
        row = found.own_account(request, account_id)
        body = WithCode(data=request.data)
        body.is_valid(raise_exception=True)
        actor = proof.for_account(request, body.validated_data["code"], row)
        return self._forget(request, row, actor, body.validated_data["reason"])

    @idempotent
    def _forget(self, request: Request, row: Account, actor: Actor, reason: str) -> Response:
        accounts.remove_key(account_id=row.pk, actor=actor, reason=reason)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SimulatedKeyView(APIView):
    """A key of an account that the simulator opens for it, with some money; as if one had brought it from there."""

    read_role = write_role = TRADER

    @extend_schema(request=Reasoned, responses=KeyAnswerSerializer)
    def post(self, request: Request, account_id: int) -> Response:
        if (known := answered(request)) is not None:
            return known
        row = found.open_account(request, account_id)
        body = Reasoned(data=request.data)
        body.is_valid(raise_exception=True)
        if row.mode != AccountMode.TESTNET:
            raise ValidationError({"detail": ["Only an account in testnet mode takes a key of the simulator."]})
        told = {"cannot_withdraw": True, "reason": body.validated_data["reason"]}
        actor = actor_of(request)
        return asked_first(
            request,
            lambda: _asked(row, _simulated(row), actor, told),
            lambda probe: Response(_kept(row, probe, actor, told)),
        )


def _simulated(row: Account) -> Credentials:
    try:
        return simulated.open_account(row.exchange.code, f"account {row.pk} {secrets.token_hex(4)}")
    except simulated.NoSimulator as error:
        raise Unavailable(str(error)) from None


def _asked(row: Account, asked: Credentials, actor: Actor, told: dict[str, Any]) -> Probe:
    """What the exchange says of a key that may be kept; `told` as `keys.keep` takes it."""
    probe = _probe(row, asked)
    try:
        keys.judge(account=row, found=probe, actor=actor, **told)
    except keys.KeyRefused as refused:
        raise ValidationError({"key": [str(refused)], "findings": to_builtins(refused.findings)}) from None
    return probe


def _kept(row: Account, probe: Probe, actor: Actor, told: dict[str, Any]) -> dict[str, Any]:
    """The answer about a key that is kept now."""
    try:
        kept = keys.keep(account=row, found=probe, actor=actor, **told)
    except keys.NoSealingKey as error:
        raise Unavailable(str(error)) from None
    return {"key": KeySerializer(kept).data, "findings": to_builtins(probe.findings)}


def _probe(row: Account, asked: Credentials) -> Probe:
    """What the exchange says; the key stays out of what is told of a failure."""
    try:
        return keys.ask_exchange(account=row, keys=asked, order=at_work.known(row.pk))
    except (FeedError, TimeoutError) as error:
        log.warning("key not asked about", account=row.pk, error=type(error).__name__)
        raise Unavailable(f"{row.exchange.name} could not be asked: nothing was kept. Try again.") from None


def _one(request: Request, account_id: int) -> dict[str, Any]:
    row = found.account(request, account_id)
    data: dict[str, Any] = AccountSerializer(row, context=_states()).data
    return data


def _states() -> dict[str, Any]:
    """For AccountSerializer: each account's own switch."""
    return {"states": dict(RiskState.objects.filter(scope=Scope.ACCOUNT).values_list("scope_id", "state"))}
