"""What the pages of trading have in common: whose rows are shown, and the frame around them."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.feeds.orders import OrderStatus
from apps.trading import selectors
from apps.trading.models import Account, AccountMode, Order, OrderFill, OrderIntent
from apps.trading.order_state import FINAL
from ctweb.pages.snapshot import fleet_now

MOST_ROWS = 200
SHOWS = ("open", "doubt", "all")
ASKED = ("show", "account", "pair")
IN_DOUBT_FIRST = Case(When(status=OrderStatus.UNKNOWN, then=Value(0)), default=Value(1))


def page(request: HttpRequest, template: str, name: str, context: dict[str, Any]) -> HttpResponse:
    """A whole page; `accounts` are those whose news it listens to."""
    frame = {"page": name, "states": fleet_now().figures.states, "accounts": accounts(request)}
    return render(request, template, {**frame, **context})


def accounts(request: HttpRequest) -> list[Account]:
    """Those that the person may see and that are not closed; live money first."""
    rows = selectors.accounts(user=request.user).filter(active=True)
    return sorted(rows, key=lambda row: (row.mode != AccountMode.LIVE, row.exchange.code, row.market_type, row.name))


def orders(request: HttpRequest, *, account: Account | None = None) -> dict[str, Any]:
    """For trading/orders_table.html, what is in doubt on top. `?show=all` has those that are over too, `doubt` those
    alone whose fate nobody knows; `?account=` and `?pair=` narrow down, or `account` does."""
    show = request.GET.get("show", "open")
    every = Order.objects.select_related("account", "pair__exchange", "trade", "intent")
    rows = selectors.visible(every, user=request.user)
    rows = _narrowed(request, rows, "pair__pair") if account is None else rows.filter(account=account)
    if show == "doubt":
        rows = rows.filter(status=OrderStatus.UNKNOWN)
    elif show != "all":
        rows = rows.exclude(status__in=list(FINAL))
    found = list(rows.order_by(IN_DOUBT_FIRST, "-id")[:MOST_ROWS])
    return {
        "orders": found,
        "show": show if show in SHOWS else "open",
        "most": MOST_ROWS,
        "beside_form": request.GET.get("beside") == "form",
        "is_cut": len(found) == MOST_ROWS,
        "asked": urlencode({name: request.GET[name] for name in ASKED if request.GET.get(name)}),
    }


def intents(request: HttpRequest, most: int = 12) -> dict[str, Any]:
    """For partials/intents.html: the last wishes, with what risk said of them."""
    rows = OrderIntent.objects.select_related("account", "pair__exchange", "trade", "user")
    return {"intents": _narrowed(request, selectors.visible(rows, user=request.user), "pair__pair")[:most]}


def fills(request: HttpRequest, most: int = 12) -> dict[str, Any]:
    rows = OrderFill.objects.select_related("account", "order__pair__exchange", "order__account")
    return {"fills": _narrowed(request, selectors.visible(rows, user=request.user), "order__pair__pair")[:most]}


def _narrowed(request: HttpRequest, rows: Any, pair: str) -> Any:
    """To `?account=` and `?pair=`; `pair` is the column that says it."""
    account, asked = request.GET.get("account", ""), request.GET.get("pair", "").replace("\x00", "")
    if account.isascii() and account.isdigit() and len(account) < 10:
        rows = rows.filter(account=int(account))
    return rows.filter(**{pair: asked}) if asked else rows
