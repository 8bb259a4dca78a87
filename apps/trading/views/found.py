"""Rows that somebody names by number: other people's are not there."""

from collections.abc import Collection
from typing import Any, NoReturn

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request

from apps.feeds import selectors as feeds
from apps.feeds.market import MarketType
from apps.trading import selectors
from apps.trading.models import Account, AccountMode, Order, OrderFill, OrderIntent
from apps.users.rest.exceptions import Conflict
from apps.users.rest.parameters import choice, refuse_unknown, whole_number, word

LARGEST = 2**63 - 1  # of a primary key
PAGING = ("limit", "offset")
OF_ACCOUNT = {"account": "account", "mode": "account__mode"}
OF_PAIR = {
    **OF_ACCOUNT,
    "exchange": "pair__exchange__code",
    "market_type": "pair__market_type",
    "pair": "pair__pair",
}
OF_ORDER = {**OF_PAIR, "trade": "trade"}
OF_FILL = {
    **OF_ACCOUNT,
    "order": "order",
    "exchange": "order__pair__exchange__code",
    "market_type": "order__pair__market_type",
    "pair": "order__pair__pair",
}
NUMBERS = ("account", "order", "trade")  # the other columns are compared with texts


def account(request: Request, account_id: int) -> Account:
    """One that the person may see."""
    return _account(request, account_id, NotFound, "id")


def with_key(rows: QuerySet[Account]) -> QuerySet[Account]:
    """For AccountSerializer: what may be read of the key comes along, what is sealed stays where it is."""
    return rows.select_related("key__user").defer("key__sealed")


def own_account(request: Request, account_id: int) -> Account:
    """One that the person may act for."""
    row = account(request, account_id)
    return row if selectors.may_trade(user=request.user, account=row) else _refuse(account_id, NotFound, "id")


def named_account(request: Request, account_id: int) -> Account:
    """One that the person may act for, named in a body: 400 at its field where there is none."""
    row = _account(request, account_id, ValidationError, "account")
    return (
        row if selectors.may_trade(user=request.user, account=row) else _refuse(account_id, ValidationError, "account")
    )


def open_account(request: Request, account_id: int) -> Account:
    row = own_account(request, account_id)
    if not row.active:
        raise Conflict("The account is closed.")
    return row


def order(request: Request, order_id: int) -> Order:
    row = orders(request).filter(pk=_number(order_id)).first()
    if row is None:
        raise NotFound({"id": [f"No order {order_id}."]})
    return row


def own_orders(request: Request, order_ids: Collection[int]) -> list[Order]:
    """Those of these numbers, named in a body: 400 at its field where one is not there, or not one's own to cancel."""
    rows = list(orders(request).filter(pk__in=order_ids, intent__isnull=False))
    mine = [row for row in rows if row.account and selectors.may_trade(user=request.user, account=row.account)]
    missing = sorted(set(order_ids) - {row.pk for row in mine})
    if missing:
        raise ValidationError({"orders": [f"No order {missing[0]} of yours."]})
    return mine


def intent(request: Request, intent_id: int) -> OrderIntent:
    row = intents(request).filter(pk=_number(intent_id)).first()
    if row is None:
        raise NotFound({"id": [f"No intent {intent_id}."]})
    return row


def orders(request: Request) -> QuerySet[Order]:
    rows = Order.objects.select_related("account", "pair__exchange", "trade")
    return selectors.visible(rows, user=request.user)


def intents(request: Request) -> QuerySet[OrderIntent]:
    rows = OrderIntent.objects.select_related("account", "pair__exchange", "trade", "user")
    return selectors.visible(rows, user=request.user)


def fills(request: Request) -> QuerySet[OrderFill]:
    rows = OrderFill.objects.select_related("account", "order__pair__exchange", "order__account")
    return selectors.visible(rows, user=request.user)


def filtered(
    request: Request, rows: QuerySet[Any], columns: dict[str, str], *, more: tuple[str, ...] = ()
) -> QuerySet[Any]:
    """`rows` narrowed down by the parameters that are asked; `columns`: parameter -> column that it is compared with.

    `account` is a number, `mode`, `exchange` and `market_type` are one of theirs, all else is a text; `more` are
    parameters that the view reads itself.
    """
    refuse_unknown(request, [*columns, *more, *PAGING])
    for name, column in columns.items():
        if name not in request.query_params:
            continue
        rows = rows.filter(**{column: _asked(request, name)})
    return rows


def documented(columns: dict[str, str]) -> list[OpenApiParameter]:
    return [OpenApiParameter(name, int if name in NUMBERS else str) for name in columns]


def _asked(request: Request, name: str) -> int | str | None:
    if name in NUMBERS:
        return whole_number(request, name, default=0, least=0, most=10**18 - 1)
    if name == "mode":
        return choice(request, name, AccountMode.values)
    if name == "exchange":
        return choice(request, name, feeds.exchanges())
    if name == "market_type":
        return choice(request, name, [one.value for one in MarketType])
    return word(request, name)


def _account(request: Request, account_id: int, refusal: type[APIException], field: str) -> Account:
    row = with_key(selectors.accounts(user=request.user)).filter(pk=_number(account_id)).first()
    return row or _refuse(account_id, refusal, field)


def _refuse(account_id: int, refusal: type[APIException], field: str) -> NoReturn:
    raise refusal({field: [f"No account {account_id}."]})


def _number(pk: int) -> int:
    return min(pk, LARGEST)
