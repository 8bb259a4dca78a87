"""`/fleet/`: is everything all right, and if not, what and where?"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.feeds.market import BookKey
from apps.feeds.models import Exchange, TradePair
from ctweb.live.shapes import Fleet, Market, Row
from ctweb.pages.roles import viewer_required
from ctweb.pages.snapshot import fleet_now
from ctweb.pages.urlnames import book_url

RATE_STEPS = (1, 5, 20, 60)  # updates per second, as in static/js/tiles.js


@login_required
@viewer_required
def fleet(request: HttpRequest) -> HttpResponse:
    now = fleet_now()
    names = dict(Exchange.objects.values_list("code", "name"))
    context = {
        "page": "fleet",
        "fleet": now,
        "states": now.figures.states,
        "lines": _lines(now, names),
        "exchanges": names,
        "page_keys": [
            ("← ↑ ↓ →", _("move over the tiles")),
            ("Enter", _("open the book")),
            ("n", _("next book that is not live")),
            ("r", _("resync")),
            ("1–4", _("colour by state, age, latency, gaps")),
        ],
    }
    return render(request, "pages/fleet.html", context)


def _lines(fleet: Fleet, names: Mapping[str, str]) -> list[dict[str, Any]]:
    ranks = _ranks(fleet.rows)
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(fleet.rows.values(), key=lambda row: ranks[row.key]):
        key = BookKey.parse(row.key)
        grouped.setdefault((key.exchange, key.market_type.value), []).append(row)
    return [_line(market, grouped[market.exchange, market.market_type], ranks, names) for market in fleet.markets]


def _line(market: Market, rows: Iterable[Row], ranks: Mapping[str, int], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "exchange": market.exchange,
        "name": names.get(market.exchange, market.exchange),
        "market_type": market.market_type,
        "tiles": [_tile(row, ranks[row.key]) for row in rows],
        "bad": {state: count for state, count in market.states.items() if count and state != "LIVE"},
        "pairs": market.pairs,
        "msg_s": market.msg_s,
        "age_p99": market.age_p99,
        "lag_p99": market.lag_p99,
        "gaps_1h": market.gaps_1h,
        "sockets": market.sockets,
        "clock_ms": market.clock_ms,
    }


def _tile(row: Row, rank: int) -> dict[str, Any]:
    key = BookKey.parse(row.key)
    return {
        "key": row.key,
        "state": row.state,
        "step": sum(row.msg_s > limit for limit in RATE_STEPS),
        "rank": rank,
        "url": book_url(key),
        "label": f"{key.pair} {key.exchange} {key.market_type} {row.state}",
    }


def _ranks(rows: Mapping[str, Row]) -> dict[str, int]:
    """Place of each book by 24 h volume within the whole fleet; unknown volumes last."""
    pairs = {BookKey.parse(key).pair for key in rows}
    listed = TradePair.objects.filter(pair__in=pairs).values_list("exchange__code", "market_type", "pair", "volume_24h")
    volumes = {f"{code}:{market}:{pair}": volume or Decimal(0) for code, market, pair, volume in listed}
    order = sorted(rows, key=lambda key: (-volumes.get(key, Decimal(0)), key))
    return {key: rank for rank, key in enumerate(order)}
