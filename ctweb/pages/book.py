"""`/book/<exchange>/<market_type>/<pair>/`: one live book, trusted."""

import time
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, Instrument, MarketType
from apps.feeds.models import Exchange
from ctweb.live.feeds import BookFeed
from ctweb.live.shapes import Fleet, Row
from ctweb.live.units import lot_decimals, plain
from ctweb.pages import ladder
from ctweb.pages.roles import viewer_required
from ctweb.pages.snapshot import book_now, fleet_now
from ctweb.pages.urlnames import book_url, pair_of

GROUPS = (1, 10, 100, 1000)
SERVED = ("LIVE", "STALE")


@login_required
@viewer_required
def first(request: HttpRequest) -> HttpResponse:
    """`/book/`: the busiest live book, or the place where pairs are enabled."""
    rows = fleet_now().rows.values()
    if not rows:
        return redirect("pairs")
    best = max(rows, key=lambda row: (row.state == "LIVE", row.msg_s, row.key))
    return redirect(book_url(BookKey.parse(best.key)))


@login_required
@viewer_required
def book(request: HttpRequest, exchange: str, market_type: str, pair: str) -> HttpResponse:
    listed = feeds.catalogue(pairs=[pair_of(pair)])
    instrument = next((one for key, one in listed.items() if key[:2] == (exchange, market_type)), None)
    if instrument is None:
        raise Http404(_("not in the catalogue"))
    feed = book_now(instrument)
    fleet = fleet_now()
    names = dict(Exchange.objects.values_list("code", "name"))
    row = fleet.rows.get(str(instrument.key))
    context = {
        "page": "book",
        "states": fleet.figures.states,
        "instrument": instrument,
        "exchange_name": names.get(exchange, exchange),
        "tick": plain(instrument.tick),
        "size_digits": lot_decimals(instrument),
        "book": feed,
        "age": _age(feed),
        "row": row,
        "depth": 20 if row is None else row.depth,
        "groups": [(multiple, plain(instrument.tick * multiple)) for multiple in GROUPS],
        **_sides(feed),
        "others": _elsewhere(listed, names, fleet, instrument),
        "page_keys": _keys(),
    }
    return render(request, "pages/book.html", context)


def _age(feed: BookFeed) -> str | None:
    age = feed.age_ms(time.time_ns())
    return None if age is None else f"{age} ms"


def _sides(feed: BookFeed) -> dict[str, Any]:
    value = feed.value
    if value is None or feed.state not in SERVED:
        return {"asks": ladder.blank(), "bids": ladder.blank()}
    return {"asks": ladder.rows(feed, value.asks), "bids": ladder.rows(feed, value.bids)}


def _elsewhere(
    listed: Mapping[BookKey, Instrument], names: Mapping[str, str], fleet: Fleet, here: Instrument
) -> list[dict[str, Any]]:
    """Every instrument of the pair, spot first: what can be compared with this book."""
    keys = sorted(listed, key=lambda key: (key.market_type is not MarketType.SPOT, key.exchange))
    return [_other(key, names, fleet.rows.get(str(key)), here) for key in keys]


def _other(key: BookKey, names: Mapping[str, str], row: Row | None, here: Instrument) -> dict[str, Any]:
    name = names.get(key.exchange, key.exchange)
    return {
        "key": str(key),
        "url": book_url(key),
        "name": name,
        "short": f"{name[:3]} {key.market_type[:1]}",
        "market_type": key.market_type.value,
        "enabled": row is not None,
        "here": key == here.key,
    }


def _keys() -> list[tuple[str, str]]:
    return [
        ("2 5 0", _("depth 20, 50, full")),
        ("[ ]", _("group prices")),
        ("q", _("size in quote")),
        ("r", _("resync")),
        (_("Space"), _("freeze the ladder; data keeps arriving")),
    ]
