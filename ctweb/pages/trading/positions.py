"""`/trading/positions/`: what is held and what it came to, paper and live apart."""

from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.feeds.market import MarketType
from apps.trading import selectors
from apps.trading.execution.pretrade.market import RedisMarket
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
        "days": _days(list(usage.filter(day=timezone.now().date()))),
        "positions": [_valued(row) for row in rows.exclude(amount=0)[: shown.MOST_ROWS]],
        "closed": rows.filter(amount=0).exclude(realised=0)[:20],
        "wallets": [(row, reserved.get((row.account_id, row.asset))) for row in wallets[: shown.MOST_ROWS]],
    }


def _valued(row: Position) -> dict[str, Any]:
    """With the middle of its book and what it would bring there; where no book is LIVE, what the exchange told."""
    mark = _market(settings.REDIS_URL).mid(row.pair.key)
    result = row.told_unrealised
    if mark is not None and row.entry_price is not None:
        result = (mark - row.entry_price) * row.amount
    return {"row": row, "mark": mark, "result": result, "facing": _facing(row)}


def _facing(row: Position) -> str:
    if row.pair.market_type == MarketType.SPOT:
        return _("held")
    return _("LONG") if row.amount > 0 else _("SHORT")


@lru_cache(maxsize=4)
def _market(url: str) -> RedisMarket:
    """The one of this process; made when it is first needed."""
    return RedisMarket.at(url)


def _days(rows: list[RiskUsage]) -> list[dict[str, Any]]:
    """One line of sums per mode, live money first; modes are never added up."""
    found = []
    for mode in (AccountMode.LIVE, AccountMode.TESTNET, AccountMode.PAPER):
        of_mode = [row for row in rows if row.account.mode == mode]
        if of_mode:
            sums = {name: sum((getattr(row, name) or Decimal(0) for row in of_mode), Decimal(0)) for name in SUMS}
            found.append({"mode": mode.value, "rows": of_mode, **sums})
    return found
