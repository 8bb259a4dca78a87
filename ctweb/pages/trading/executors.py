"""`/trading/executors/`: which lanes have work, and who does it."""

import time
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.feeds.models import TradePair
from apps.trading import selectors
from apps.trading.models import TradingSwitch
from apps.trading.views.executors import work
from ctweb.pages.roles import operator_required
from ctweb.pages.trading import shown
from ctweb.pages.trading.accounts import named


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
    names = named(list(selectors.accounts(user=request.user)))
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
        "switch": TradingSwitch.objects.filter(pk=1).first(),
    }
