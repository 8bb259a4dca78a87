"""`/trading/orders/new/`: an order by hand, beside the live book that it goes to."""

import json
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType
from apps.trading import selectors
from apps.trading.models import Account, AccountMode
from apps.trading.risk.rounding import grain
from ctweb.live.units import lot_decimals, plain
from ctweb.pages import ladder
from ctweb.pages.roles import trader_required
from ctweb.pages.snapshot import book_now, fleet_now
from ctweb.pages.trading import shown, words
from ctweb.pages.urlnames import book_url

LEVELS = 8
PREFERRED = "BTC/USDT"


@login_required
@trader_required
@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """`?account=` and `?pair=` choose; a pair is one that is watched on the account's market."""
    mine = [row for row in shown.accounts(request) if selectors.may_trade(user=request.user, account=row)]
    account = _chosen(request, mine)
    pairs = _pairs(account)
    instrument = _instrument(account, pairs, request.GET.get("pair", ""))
    context = {
        "mine": mine,
        "account": account,
        "pairs": pairs,
        "instrument": instrument,
        **(_market(instrument) if instrument else {}),
        **shown.orders(request, account=account),
        "words": _words(),
        "page_keys": [("b", _("buy")), ("s", _("sell")), (_("Enter"), _("review the order"))],
    }
    return shown.page(request, "trading/new_order.html", "orders", context)


def _chosen(request: HttpRequest, mine: list[Account]) -> Account | None:
    """The one that is asked for, else the default paper account of the first market that is watched."""
    asked = request.GET.get("account", "")
    named = next((row for row in mine if str(row.pk) == asked), None)
    if named is not None:
        return named
    watched = {BookKey.parse(key)[:2] for key in fleet_now().rows}
    usable = [row for row in mine if row.mode == AccountMode.PAPER and (row.exchange.code, row.market_type) in watched]
    return next((row for row in usable if row.is_default and row.market_type == MarketType.SPOT), None) or next(
        iter([*usable, *mine]), None
    )


def _pairs(account: Account | None) -> list[str]:
    """What is watched on the account's market: an order needs a live book."""
    if account is None:
        return []
    keys = (BookKey.parse(key) for key in fleet_now().rows)
    here = (account.exchange.code, account.market_type)
    return sorted(key.pair for key in keys if (key.exchange, key.market_type.value) == here)


def _instrument(account: Account | None, pairs: list[str], asked: str) -> Instrument | None:
    if account is None or not pairs:
        return None
    pair = asked if asked in pairs else PREFERRED if PREFERRED in pairs else pairs[0]
    key = BookKey(account.exchange.code, MarketType(account.market_type), pair)
    found = feeds.catalogue(pairs=[pair]).get(key)
    return found if found is not None and found.status is InstrumentStatus.TRADING else None


def _market(instrument: Instrument) -> dict[str, Any]:
    book = book_now(instrument)
    sides = (book.value.asks, book.value.bids) if book.value is not None and book.state == "LIVE" else ([], [])
    asks, bids = (ladder.rows(book, side)[:LEVELS] for side in sides)
    return {
        "book": book,
        "book_url": book_url(instrument.key),
        "asks": asks,
        "bids": bids,
        "tick": plain(tick_at(instrument, book.value.bids[0][0] if book.value is not None and bids else None)),
        "lot": plain(grain(instrument)),
        "size_digits": lot_decimals(instrument),
        "least": [least_amount(instrument), _exact(instrument.min_notional)],
    }


def tick_at(instrument: Instrument, price: float | None) -> Decimal:
    """The step that holds where the market is; the finest where nobody knows."""
    return instrument.tick if price is None else instrument.step_at(Decimal(repr(float(price))))


def _words() -> str:
    """What the page's script says of limits and refusals, as JSON."""
    limits = {name: [_(label), unit] for name, (label, unit) in words.LIMITS.items()}
    return json.dumps({"limits": limits, "denials": {name: _(text) for name, text in words.DENIALS.items()}})


def least_amount(instrument: Instrument) -> str | None:
    """In base currency, as it is typed in: exchanges of futures count contracts."""
    counted = instrument.min_amount
    return None if counted is None else _exact(counted * instrument.contract_size)


def _exact(value: Any) -> str | None:
    return None if value is None else f"{value.normalize():f}"
