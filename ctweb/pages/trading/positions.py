"""`/trading/positions/`: what is held and what it came to, paper and live apart."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.trading import selectors
from apps.trading.models import AccountMode, Position, RiskUsage, Wallet
from ctweb.pages.roles import trader_required
from ctweb.pages.trading import shown

SUMS = ("equity", "realised", "unrealised", "fees", "funding")


@login_required
@trader_required
@require_GET
def positions(request: HttpRequest) -> HttpResponse:
    context = {**_held(request), "page_keys": [("o", _("orders"))]}
    return shown.page(request, "trading/positions.html", "positions", context)


@login_required
@trader_required
@require_GET
def held(request: HttpRequest) -> HttpResponse:
    """The panels alone, for htmx."""
    return render(request, "trading/held.html", _held(request))


def _held(request: HttpRequest) -> dict[str, Any]:
    usage = selectors.visible(RiskUsage.objects.select_related("account__exchange"), user=request.user)
    wallets = selectors.visible(Wallet.objects.select_related("account__exchange"), user=request.user)
    rows = selectors.visible(Position.objects.select_related("account", "pair__exchange"), user=request.user)
    wallets = wallets.filter(account__active=True).exclude(total=0)
    reserved = selectors.reserved(account_ids={row.account_id for row in wallets})
    return {
        "days": _days([row for row in usage if row.day is not None]),
        "positions": rows.exclude(amount=0)[: shown.MOST_ROWS],
        "closed": rows.filter(amount=0).exclude(realised=0)[:20],
        "wallets": [(row, reserved.get((row.account_id, row.asset))) for row in wallets[: shown.MOST_ROWS]],
    }


def _days(rows: list[RiskUsage]) -> list[dict[str, Any]]:
    """One line of sums per mode, live money first; modes are never added up."""
    found = []
    for mode in (AccountMode.LIVE, AccountMode.TESTNET, AccountMode.PAPER):
        of_mode = [row for row in rows if row.account.mode == mode]
        if of_mode:
            sums = {name: sum((getattr(row, name) or Decimal(0) for row in of_mode), Decimal(0)) for name in SUMS}
            found.append({"mode": mode.value, "rows": of_mode, **sums})
    return found
