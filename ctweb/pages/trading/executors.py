"""`/trading/executors/`: how execution fares: accounts, lanes, processes, and what they have counted."""

import time
from collections import Counter
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.feeds.models import Lease, TradePair
from apps.trading.execution.gateway.opened import resource_of
from apps.trading.models import Account, Position, RiskState, TradingSwitch, Wallet
from apps.trading.risk.view import Scope, ScopeState
from apps.trading.views.executors import work
from apps.users.alerts import answered_for, waiting
from ctweb.pages.roles import operator_required
from ctweb.pages.trading import shown
from ctweb.pages.trading.accounts import named

MOST_ALERTS, MOST_ANSWERED = 20, 5
TROUBLES = (
    "lost",
    "refused",
    "malformed",
    "reconciles failed",
    "sweeps failed",
    "sweeps in part",
    "failed",
    "unlisted",
    "database_away",
)  # that are counted of an account


@login_required
@operator_required
@require_GET
def executors(request: HttpRequest) -> HttpResponse:
    return shown.page(request, "trading/executors.html", "executors", _work(request))


@login_required
@operator_required
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The panels alone, for htmx."""
    return render(request, "trading/work.html", _work(request))


def _work(request: HttpRequest) -> dict[str, Any]:
    found = work(request.user)
    mine = shown.accounts(request)
    names = named(mine)
    pairs = dict(TradePair.objects.filter(pk__in=[one["pair_id"] for one in found["lanes"]]).values_list("pk", "pair"))
    now_ms = time.time_ns() // 1_000_000
    return {
        "lanes": [
            {**one, "account": names.get(str(one["account_id"]), one["account_id"]), "pair": pairs.get(one["pair_id"])}
            for one in found["lanes"]
        ],
        "executors": [
            {**one, "ago_ms": max(0, now_ms - one["at_ms"]), "counts": sorted(one["counts"].items())}
            for one in found["executors"] or []
        ],
        "unheard": found["executors"] is None,
        "hints_waiting": found["hints_waiting"],
        "processes": [_process(one, now_ms) for one in found["processes"]],
        "cares": _cares(mine, found["processes"], now_ms),
        "troubles": TROUBLES,
        "alerts": waiting()[:MOST_ALERTS],
        "answered": answered_for(request.user)[:MOST_ANSWERED],
        "names_of": names,
        "switch": TradingSwitch.objects.filter(pk=1).first(),
        "build": settings.CT_BUILD_ID,
    }


def _process(one: dict[str, Any], now_ms: int) -> dict[str, Any]:
    caches = [
        {"name": name, **each, "asked": each["hits"] + each["misses"], "share": _share(each["hits"], each["misses"])}
        for name, each in one["caches"].items()
    ]
    return {
        **one,
        "ago_ms": max(0, now_ms - one["at_ms"]),
        "caches": caches,
        "published": sorted(one["published"].items()),
        "hints": sorted(one["hints"].items()),
        "failures": sorted(one["failures"].items()),
    }


def _share(hits: int, misses: int) -> float | None:
    """In %; None where nobody has asked."""
    return 100 * hits / (hits + misses) if hits + misses else None


def _cares(accounts: list[Account], processes: list[dict[str, Any]], now_ms: int) -> list[dict[str, Any]]:
    """Each account: who looks after it, how far, when it was last held against its exchange and what came of that."""
    by_account = {care["account_id"]: (one, care) for one in processes for care in one["accounts"]}
    differ = _differing(accounts)
    states = dict(RiskState.objects.filter(scope=Scope.ACCOUNT).values_list("scope_id", "state"))
    holders = _holders(accounts)
    found = []
    for row in accounts:
        process, care = by_account.get(row.pk, (None, None))
        found.append(
            {
                "account": row,
                "state": states.get(str(row.pk), ""),
                "by": process["word"] if process else holders.get(row.pk, ""),
                "care": care,
                "counts": sorted(care["counts"].items()) if care else [],
                "reconciled_ms": _ago_ms(row.reconciled_at, now_ms),
                "differing": differ[row.pk],
                "timer_ms": None if row.dead_man_ms is None else max(0, row.dead_man_ms - now_ms),
                "is_well": _is_well(row, care, differ[row.pk], states),
            }
        )
    return sorted(found, key=lambda one: one["is_well"])  # what needs a person is on top


def _is_well(row: Account, care: dict[str, Any] | None, differing: int, states: dict[str, str]) -> bool:
    ready = care is not None and care["step"] == "READY" and care["ready"] is not False
    halted = states.get(str(row.pk)) != ScopeState.ACTIVE
    return ready and not differing and not halted and row.dead_man_fired_at is None


def _differing(accounts: list[Account]) -> Counter[int]:
    """Account -> positions and balances that are not what its exchange tells."""
    mine = Q(account__in=[row.pk for row in accounts], mismatch_since__isnull=False)
    found: Counter[int] = Counter()
    for model in (Position, Wallet):
        found.update(model.objects.filter(mine).order_by().values_list("account_id", flat=True))
    return found


def _holders(accounts: list[Account]) -> dict[int, str]:
    """Account -> the daemon that has its lease, where no process has said so itself."""
    resources = {resource_of(row.pk): row.pk for row in accounts}
    held = Lease.objects.filter(resource__in=resources, expires_at__gt=Now())
    return {resources[resource]: f"daemon {holder}" for resource, holder in held.values_list("resource", "holder")}


def _ago_ms(at: datetime | None, now_ms: int) -> int | None:
    return None if at is None else max(0, now_ms - int(at.timestamp() * 1000))
