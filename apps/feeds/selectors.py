"""Reads of exchanges and their catalogue."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Max, Q, QuerySet

from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType
from apps.feeds.models import Exchange, TradePair


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
    )


def listed(*, exchange: str, market_type: str, pair: str) -> TradePair | None:
    """The catalogue row of one pair."""
    rows = TradePair.objects.select_related("exchange")
    return rows.filter(exchange__code=exchange, market_type=market_type, pair=pair).first()


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
