"""What the pages of trading have in common: whose rows are shown, and the frame around them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.trading import selectors
from apps.trading.models import Account, AccountMode, Order, OrderFill, OrderIntent
from apps.trading.order_state import FINAL
from ctweb.pages.snapshot import fleet_now

MOST_ROWS = 200


def page(request: HttpRequest, template: str, name: str, context: dict[str, Any]) -> HttpResponse:
    """A whole page; `accounts` are those whose news it listens to."""
    frame = {"page": name, "states": fleet_now().figures.states, "accounts": accounts(request)}
    return render(request, template, {**frame, **context})


def accounts(request: HttpRequest) -> list[Account]:
    """Those that the person may see and that are not closed; live money first."""
    rows = selectors.accounts(user=request.user).filter(active=True)
    return sorted(rows, key=lambda row: (row.mode != AccountMode.LIVE, row.exchange.code, row.market_type, row.name))


def orders(request: HttpRequest) -> dict[str, Any]:
    """For partials/orders.html; `?show=all` has those that are over too, `?account=` one account's."""
    rows = Order.objects.select_related("account", "pair__exchange", "trade")
    rows = _of_account(request, selectors.visible(rows, user=request.user))
    if request.GET.get("show") != "all":
        rows = rows.exclude(status__in=list(FINAL))
    return {"orders": rows[:MOST_ROWS], "show": request.GET.get("show", "open"), "most": MOST_ROWS}


def intents(request: HttpRequest, most: int = 12) -> dict[str, Any]:
    """For partials/intents.html: the last wishes, with what risk said of them."""
    rows = OrderIntent.objects.select_related("account", "pair__exchange", "trade", "user")
    return {"intents": _of_account(request, selectors.visible(rows, user=request.user))[:most]}


def fills(request: HttpRequest, most: int = 12) -> dict[str, Any]:
    rows = OrderFill.objects.select_related("account", "order__pair__exchange", "order__account")
    return {"fills": _of_account(request, selectors.visible(rows, user=request.user))[:most]}


def _of_account(request: HttpRequest, rows: Any) -> Any:
    asked = request.GET.get("account", "")
    return rows.filter(account=int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else rows
