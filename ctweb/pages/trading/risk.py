"""`/trading/risk/`: what is stopped and what came of it, limits, alerts. It needs neither Redis nor the socket."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.feeds.models import Exchange
from apps.trading import limit_settings, selectors
from apps.trading.halts import closing, halting, scopes
from apps.trading.limit_settings import PAIR
from apps.trading.models import (
    Account,
    HaltMode,
    Order,
    RiskLimit,
    RiskUsage,
    Trade,
    TradingSwitch,
)
from apps.trading.order_state import FINAL
from apps.trading.risk import limits
from apps.trading.risk.view import Scope, ScopeState
from apps.users.alerts import answered_for, waiting_for
from ctweb.pages.roles import operator_required, viewer_required
from ctweb.pages.trading import shown
from ctweb.pages.trading.accounts import named

MOST_LINES = 100
MOST_ANSWERED = 5  # alerts that somebody has acknowledged
MOST_REPORTS = 6  # of scopes that are stopped, the widest first
NEXT_MODE = {"": "cancel", HaltMode.STOP: "cancel", HaltMode.CANCEL: "flatten"}  # what a sheet offers first
CENT = Decimal("0.01")
USED_SHARE = Decimal("0.8")  # from here on a limit is nearly used up


@login_required
@viewer_required
@require_GET
def risk(request: HttpRequest) -> HttpResponse:
    context = {**_now(request), **_set(request), "scopes": [*(scope.value for scope in Scope), PAIR]}
    return shown.page(request, "trading/risk.html", "risk", context)


@login_required
@viewer_required
@require_GET
def now(request: HttpRequest) -> HttpResponse:
    """The panels that change, for htmx once a second."""
    return render(request, "trading/risk_now.html", _now(request))


@login_required
@viewer_required
@require_GET
def what_is_set(request: HttpRequest) -> HttpResponse:
    """What people set, for htmx every few seconds: which build may send, live money, limits."""
    return render(request, "trading/risk_set.html", _set(request))


@login_required
@viewer_required
@require_GET
def state(request: HttpRequest) -> JsonResponse:
    """What the frame of every page asks every few seconds."""
    found = selectors.stopped(user=request.user)
    answer = {
        "state": found.state,
        "since_ms": None if found.since is None else int(found.since.timestamp() * 1000),
        "by": found.by,
        "reason": found.reason,
        "scopes": found.scopes,
        "live": selectors.live_accounts(),
        "alerts": waiting_for(request.user).count(),
    }
    return JsonResponse(answer)


@login_required
@operator_required
@require_GET
def left(request: HttpRequest) -> HttpResponse:
    """What a halt of `?scope=` that flattens would close and what not, for its sheet: of accounts that one may see."""
    scope, _colon, scope_id = request.GET.get("scope", "global:").replace("\x00", "").partition(":")
    if scope not in list(Scope) or not scopes.exists(Scope(scope), scope_id):
        raise Http404(_("no such scope"))
    accounts = {row.pk: row for row in shown.accounts(request)}
    held = [(each, accounts.get(each.account_id)) for each in closing.holdings(scope, scope_id)]
    rows = [(each, account) for each, account in held if account is not None]
    context = {"closes": [row for row in rows if row[0].amount], "leaves": [row for row in rows if row[0].left]}
    return render(request, "trading/left.html", context)


def _now(request: HttpRequest) -> dict[str, Any]:
    accounts = {row.pk: row for row in shown.accounts(request)}
    names = named(list(accounts.values()))
    switches = _switches(request, names)
    return {
        "halts": [_halt(one, accounts) for one in switches if one["row"].state != ScopeState.ACTIVE][:MOST_REPORTS],
        "switches": switches,
        "alerts": waiting_for(request.user)[:50],
        "answered": answered_for(request.user)[:MOST_ANSWERED],
        "used": _used(request),
        "names_of": names,
    }


def _set(request: HttpRequest) -> dict[str, Any]:
    seen = list(limit_settings.seen_by(request.user))
    return {
        "names": [(name, limit_settings.default(name), limit_settings.ceilings()[name]) for name in limits.CEILINGS],
        "limits": seen,
        "senseless": [row for row in seen if not limits.makes_sense(row.name, row.value)],
        "switch": TradingSwitch.objects.filter(pk=1).first(),
        "build": settings.CT_BUILD_ID,
    }


def _halt(one: dict[str, Any], accounts: dict[int, Account]) -> dict[str, Any]:
    """What one scope's halt has come to, as far as the person may see."""
    row = one["row"]
    report = halting.report(scope=Scope(row.scope), scope_id=row.scope_id)
    lines = (
        [(line, accounts[line.account_id]) for line in report.lines if line.account_id in accounts] if report else []
    )
    holdings = (
        [(each, accounts[each.account_id]) for each in report.holdings if each.account_id in accounts] if report else []
    )
    name = _("everything") if row.scope == Scope.GLOBAL else f"{row.scope} {one['name']}"
    more = max(0, len(lines) - MOST_LINES)
    parts = {"closes": [one for one in holdings if one[0].amount], "leaves": [one for one in holdings if one[0].left]}
    return {"report": report, "name": name, "lines": lines[:MOST_LINES], "more": more, **parts}


def _switches(request: HttpRequest, names: dict[str, str]) -> list[dict[str, Any]]:
    """Everything first, then what is stopped, then the rest of what the person may see."""
    trades = selectors.visible(Trade.objects.all(), user=request.user)
    pairs = {str(row.pk): f"{row.exchange} {row.pair} {row.strategy or ''}" for row in trades}
    exchanges = dict(Exchange.objects.values_list("code", "name"))
    words = {Scope.EXCHANGE: exchanges, Scope.ACCOUNT: names, Scope.TRADE: pairs}
    found = []
    for row in selectors.switches(user=request.user):
        known = words.get(Scope(row.scope))
        if known is not None and row.scope_id not in known and row.state == ScopeState.ACTIVE:
            continue  # closed, or somebody else's
        name = row.scope_id if known is None else known.get(row.scope_id, row.scope_id)
        found.append({"row": row, "name": name, "next": NEXT_MODE.get(row.mode or "", "flatten")})
    order = [scope.value for scope in Scope]
    return sorted(
        found,
        key=lambda one: (
            one["row"].scope != Scope.GLOBAL,
            one["row"].state == ScopeState.ACTIVE,
            order.index(one["row"].scope),
            one["name"],
        ),
    )


def _used(request: HttpRequest) -> list[dict[str, Any]]:
    """What accounts have used of two limits that people ask for most, nearest to its edge first."""
    usage = selectors.visible(RiskUsage.objects.select_related("account__exchange"), user=request.user)
    set_by_people = [row for row in RiskLimit.objects.all() if limits.makes_sense(row.name, row.value)]
    open_orders = _open_orders()
    found, today = [], timezone.now().date()
    for row in usage.filter(account__active=True):
        home = row.account.exchange.code
        over = {(Scope.GLOBAL, ""), (Scope.EXCHANGE, home), (Scope.ACCOUNT, str(row.account_id))}
        concerned = [(one.name, one.value) for one in set_by_people if (one.scope, one.scope_id) in over]
        have = limits.strictest(concerned, limit_settings.ceilings())
        count = open_orders.get(row.account_id, 0)
        lost = row.fees - row.realised - row.unrealised - row.funding if row.day == today else Decimal(0)
        loss = max(Decimal(0), lost).quantize(CENT)
        most = min(have.max_day_loss_usdt, have.max_day_loss_share * (row.equity or Decimal(0))).quantize(CENT)
        if count:
            found.append(_use(row.account, _("open orders"), Decimal(count), Decimal(have.max_open_account)))
        if loss:
            found.append(_use(row.account, _("daily loss, USDT"), loss, most))
    return sorted(found, key=lambda one: one["share"], reverse=True)[:12]


def _use(account: Account, what: str, used: Decimal, most: Decimal) -> dict[str, Any]:
    share = min(Decimal(1), used / most) if most else Decimal(1)
    return {"account": account, "what": what, "used": used, "most": most, "share": share, "near": share >= USED_SHARE}


def _open_orders() -> dict[int, int]:
    counts: dict[int, int] = {}
    rows = Order.objects.exclude(status__in=list(FINAL)).filter(account__isnull=False, is_external=False)
    for account_id in rows.values_list("account_id", flat=True):
        counts[account_id or 0] = counts.get(account_id or 0, 0) + 1
    return counts
