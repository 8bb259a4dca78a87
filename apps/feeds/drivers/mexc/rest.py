"""MEXC's public REST: requests as values, answers to values. Two APIs: futures wrap every answer in an envelope."""

from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.mexc import facts
from apps.feeds.drivers.mexc.symbols import FuturesListing, SpotListing, futures_instrument, spot_instrument
from apps.feeds.errors import Refused, Retryable
from apps.feeds.market import BookSnapshot, MarketType

T = TypeVar("T")
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES


class SpotBook(Struct, rename="camel"):
    last_update_id: wire.Id
    bids: wire.Pairs = []
    asks: wire.Pairs = []


class FuturesBook(Struct):
    version: wire.Id
    bids: wire.Rows = []
    asks: wire.Rows = []
    timestamp: wire.Millis | None = None


class ExchangeInfo(Struct):
    symbols: list[SpotListing]


class SpotTicker(Struct, rename="camel"):
    symbol: str
    quote_volume: wire.Amount | None = None


class FuturesTicker(Struct):
    symbol: str
    amount24: wire.Amount | None = None  # in quote currency


class Head(Struct):
    """Futures say `success`, and its absence is a failure; spot says nothing where all is well."""

    success: bool | None = None
    code: int | None = None
    msg: str | None = None
    message: str | None = None


class Wrapped(Struct, Generic[T]):
    data: T


_head = wire.decoder(Head)
_any_list = wire.decoder(list[SpotTicker])
_spot_book = wire.decoder(SpotBook)
_spot_listings = wire.decoder(ExchangeInfo)
_futures_book = wire.decoder(Wrapped[FuturesBook])
_futures_listings = wire.decoder(Wrapped[list[FuturesListing]])
_futures_tickers = wire.decoder(Wrapped[list[FuturesTicker]])


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    limit = facts.SNAPSHOT_LIMIT[market_type][depth]
    if market_type is SPOT:
        return _get(SPOT, f"depth?{urlencode({'symbol': symbol, 'limit': limit})}")
    return _get(FUTURES, f"depth/{quote(symbol, safe='')}?limit={limit}")


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    if market_type is SPOT:
        spot = _spot(_spot_book, content)
        seq, bids, asks, exchange_ms = spot.last_update_id, spot.bids, spot.asks, None
    else:
        book = _futures(_futures_book, content)
        seq, exchange_ms = book.version, book.timestamp
        bids, asks = wire.levels(book.bids), wire.levels(book.asks)
    return BookSnapshot(
        symbol=symbol,
        seq=seq,
        bids=bids,
        asks=asks,
        exchange_ms=exchange_ms,
        received_ns=received_ns,
        from_rest=True,
    )


def instruments_request(market_type: MarketType) -> Request:
    return _get(market_type, "exchangeInfo" if market_type is SPOT else "detail")


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    if market_type is SPOT:
        return Catalogue(instruments=[spot_instrument(row) for row in _spot(_spot_listings, content).symbols])
    rows = (futures_instrument(row) for row in _futures(_futures_listings, content))
    return Catalogue(instruments=[row for row in rows if row is not None])


def volumes_request(market_type: MarketType) -> Request:
    return _get(market_type, "ticker/24hr" if market_type is SPOT else "ticker")


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    if market_type is SPOT:
        rows = _spot(_any_list, content)
        return {row.symbol: row.quote_volume for row in rows if row.quote_volume is not None}
    tickers = _futures(_futures_tickers, content)
    return {row.symbol: row.amount24 for row in tickers if row.amount24 is not None}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    if status in facts.STAY_AWAY_S:
        return wire.retry_header(headers, facts.STAY_AWAY_S[status])
    head = wire.told(_head, content)
    return facts.TOO_OFTEN_S if head is not None and head.code in facts.TOO_OFTEN else None


def _get(market_type: MarketType, path: str) -> Request:
    return Request(method="GET", url=f"{facts.REST[market_type]}/{path}")


def _spot(shape: wire.Decoder[T], content: bytes) -> T:
    head = wire.told(_head, content)
    if head is not None and head.code not in (None, facts.OK):
        raise _refusal(head)
    return wire.body(shape, content)


def _futures(shape: wire.Decoder[Wrapped[T]], content: bytes) -> T:
    head = wire.body(_head, content)
    if not head.success or head.code != facts.OK:
        raise _refusal(head)
    return wire.body(shape, content).data


def _refusal(head: Head) -> Refused | Retryable:
    text = head.message or head.msg or "refused"
    if head.code in facts.TOO_OFTEN:
        return Retryable(text, after_s=facts.TOO_OFTEN_S)
    if head.code in facts.BUSY:
        return Retryable(text)
    return Refused(text, code="" if head.code is None else str(head.code))
