"""`/pairs/`: choose what is watched."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from apps.feeds.drivers.registry import offered_depths
from apps.feeds.market import BookKey, MarketType
from apps.feeds.models import Exchange, TradePair
from apps.monitoring import selectors as monitoring
from apps.users.models import Audit
from ctweb.live.shapes import Fleet
from ctweb.live.units import plain
from ctweb.pages.changes import described
from ctweb.pages.roles import viewer_required
from ctweb.pages.snapshot import fleet_now
from ctweb.pages.urlnames import book_url

FIRST_ROWS = 40
LAST_CHANGES = 12
MARKETS = [market.value for market in MarketType]
FIELDS = ("exchange", "market", "pair", "base", "quote", "symbol", "tick", "lot", "status", "volume")
COLUMNS = ("exchange", "market_type", "pair", "base", "quote", "symbol", "tick", "lot", "status", "volume_24h")


@login_required
@viewer_required
@require_GET
def pairs(request: HttpRequest) -> HttpResponse:
    fleet = fleet_now()
    listed = TradePair.objects.select_related("exchange").order_by("-volume_24h")
    context = {
        "page": "pairs",
        "states": fleet.figures.states,
        "enabled": fleet.figures.enabled,
        "listed": listed.count(),
        "rows": [_row(one, fleet) for one in listed[:FIRST_ROWS]],
        "exchanges": Exchange.objects.all(),
        "query": request.GET.get("q", "")[:100],
        "changes": _changes(),
        "refused": monitoring.loaded().refused,
        "page_keys": [
            ("j k", _("move")),
            ("x", _("select; with Shift a range")),
            ("e", _("enable the selected")),
            ("d", _("disable the selected")),
            ("Enter", _("open the book")),
            ("u", _("undo the last change")),
        ],
    }
    return render(request, "pages/pairs.html", context)


@login_required
@viewer_required
@require_GET
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """The whole catalogue, as rows by position: some thousand instruments in one compressed answer.

    Each exchange has its depths market by market, in the order of MARKETS.
    """
    exchanges = list(Exchange.objects.values_list("pk", "code", "name"))
    place = {pk: index for index, (pk, _code, _name) in enumerate(exchanges)}
    rows = [
        [
            place[row[0]],
            MARKETS.index(row[1]),
            *row[2:6],
            *(plain(value) for value in row[6:8]),
            row[8],
            _number(row[9]),
        ]
        for row in TradePair.objects.order_by("-volume_24h").values_list(*COLUMNS).iterator(chunk_size=2000)
    ]
    depths = offered_depths()
    read_at = TradePair.objects.aggregate(Max("refreshed_at"))["refreshed_at__max"]
    answer = {
        "exchanges": [
            [code, name, [list(depths.get((code, market), ())) for market in MarketType]]
            for _pk, code, name in exchanges
        ],
        "fields": FIELDS,
        "rows": rows,
        "read_ms": None if read_at is None else int(read_at.timestamp() * 1000),
    }
    return JsonResponse(answer)


@login_required
@viewer_required
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """The last changes of what is watched, as a list for htmx."""
    return render(request, "partials/changes.html", {"changes": _changes()})


@login_required
@viewer_required
@require_GET
def refused(request: HttpRequest) -> HttpResponse:
    """The rows that cannot run, with the reason, as a list for htmx."""
    return render(request, "partials/refused.html", {"refused": monitoring.loaded().refused})


def _changes() -> list[dict[str, Any]]:
    rows = Audit.objects.filter(action__regex=r"^(pair|exchange|catalogue)\.").order_by("-change_id")
    return [described(row) for row in rows[:LAST_CHANGES]]


def _row(one: TradePair, fleet: Fleet) -> dict[str, Any]:
    key = BookKey(one.exchange.code, MarketType(one.market_type), one.pair)
    row = fleet.rows.get(str(key))
    return {
        "url": book_url(key),
        "exchange": one.exchange.name,
        "market": one.market_type,
        "pair": one.pair,
        "state": "OFF" if row is None else row.state,
        "tick": plain(one.tick),
        "lot": plain(one.lot),
        "depth": "" if row is None else row.depth or _("full"),
        "daemon": None if row is None else row.daemon,
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
