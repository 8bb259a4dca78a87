"""Reads of exchanges and their catalogue."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Now

from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType
from apps.feeds.models import Daemon, Exchange, TradePair


def exchanges() -> dict[str, bool]:
    """Each known exchange id -> whether it is enabled."""
    return dict(Exchange.objects.values_list("code", "enabled"))


def catalogue(*, pairs: Collection[str] | None = None) -> dict[BookKey, Instrument]:
    """Every listed instrument, or those named `pairs` (`BTC/USDT`) on any exchange."""
    rows = TradePair.objects.select_related("exchange").order_by()
    if pairs is not None:
        rows = rows.filter(pair__in=pairs)
    return {row.key: instrument(row) for row in rows.iterator(chunk_size=2000)}


def instrument(row: TradePair) -> Instrument:
    """The catalogue row as a value; its exchange must have been selected with it."""
    return Instrument(
        exchange=row.exchange.code,
        market_type=MarketType(row.market_type),
        pair=row.pair,
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        settle=row.settle,
        tick=row.tick,
        lot=row.lot,
        contract_size=row.contract_size,
        inverse=row.inverse,
        min_amount=row.min_amount,
        min_notional=row.min_notional,
        status=InstrumentStatus(row.status),
        volume_24h=row.volume_24h,
        number=row.number,
        price_digits=registry.PRICE_DIGITS.get(row.exchange.code),
    )


def listed(*, keys: Collection[BookKey], lock: bool = False) -> dict[BookKey, TradePair]:
    """The catalogue rows of those keys that are listed; locked until the transaction ends, where asked."""
    rows = TradePair.objects.select_related("exchange").filter(pair__in={key.pair for key in keys}).order_by("id")
    if lock:
        rows = rows.select_for_update(of=("self",) if connection.features.has_select_for_update_of else ())
    wanted = set(keys)  # compared here: some collations take Ç for C
    return {row.key: row for row in rows if row.key in wanted}


def search(*, words: str) -> QuerySet[TradePair]:
    """Instruments in which every word is found: in exchange, market type, pair or symbol."""
    rows = TradePair.objects.select_related("exchange")
    for word in words.split():
        rows = rows.filter(
            Q(exchange__code__icontains=word)
            | Q(market_type__icontains=word)
            | Q(pair__icontains=word)
            | Q(symbol__icontains=word)
        )
    return rows


def catalogue_age() -> dict[tuple[str, MarketType], datetime | None]:
    """When each market of each enabled exchange was last read; None: never."""
    codes = Exchange.objects.filter(enabled=True).values_list("code", flat=True)
    read = TradePair.objects.order_by().values_list("exchange__code", "market_type").annotate(Max("refreshed_at"))
    newest = {(code, MarketType(market)): at for code, market, at in read}
    return {(code, market): newest.get((code, market)) for code in codes for market in MarketType}


def live_daemons(*, within_s: float, asks: str = "") -> list[Daemon]:
    """Those whose last heartbeat is younger than `within_s` by the database's clock, and the one that `asks`."""
    young = Q(heartbeat_at__gt=Now() - timedelta(seconds=within_s))
    return list(Daemon.objects.filter(young | Q(id=asks)))
