"""Bybit's public REST: requests as values, answers to values. HTTP is 200 even for errors: `retCode` says."""

from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.bybit import facts
from apps.feeds.drivers.bybit.symbols import Listing, instrument
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookSnapshot, MarketType

T = TypeVar("T")


class Book(Struct):
    s: wire.Name
    b: wire.Pairs
    a: wire.Pairs
    ts: wire.Millis
    u: wire.Id


class Page(Struct, Generic[T], rename="camel"):
    list: list[T]
    next_page_cursor: str | None = None


class Ticker(Struct):
    symbol: str
    turnover24h: wire.Amount | None = None


class Head(Struct, rename="camel"):
    ret_code: int
    ret_msg: str = ""


class Answer(Struct, Generic[T]):
    result: T


_head = wire.decoder(Head)
_book = wire.decoder(Answer[Book])
_instruments = wire.decoder(Answer[Page[Listing]])
_tickers = wire.decoder(Answer[Page[Ticker]])


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    """Its id continues the 1000-level topic only."""
    return _get(
        "orderbook", category=facts.CATEGORY[market_type], symbol=symbol, limit=str(facts.SNAPSHOT_LIMIT[depth])
    )


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    book = _result(_book, content)
    if book.s != symbol:
        raise MalformedFrame(f"the book of {book.s!r} in answer to {symbol}", symbol=symbol)
    return BookSnapshot(
        symbol=symbol,
        seq=book.u,
        bids=book.b,
        asks=book.a,
        exchange_ms=book.ts,
        received_ns=received_ns,
        from_rest=True,
    )


def instruments_request(market_type: MarketType, cursor: str = "") -> Request:
    """Spot answers with the whole list and has no pages."""
    query = {"category": facts.CATEGORY[market_type]}
    if market_type is MarketType.FUTURES:
        query["limit"] = str(facts.INSTRUMENTS_PAGE)
    if cursor:
        query["cursor"] = cursor
    return _get("instruments-info", **query)


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    page = _result(_instruments, content)
    rows = (instrument(market_type, row) for row in page.list)
    cursor = page.next_page_cursor if market_type is MarketType.FUTURES else None
    return Catalogue(
        instruments=[row for row in rows if row is not None],
        next_request=instruments_request(market_type, cursor) if cursor else None,
    )


def volumes_request(market_type: MarketType) -> Request:
    return _get("tickers", category=facts.CATEGORY[market_type])


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    page = _result(_tickers, content)
    return {row.symbol: row.turnover24h for row in page.list if row.turnover24h is not None}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    default_s = facts.STAY_AWAY_S.get(status)
    if default_s is not None:
        return wire.retry_header(headers, default_s)
    head = wire.told(_head, content)
    return facts.TOO_MANY_VISITS_S if head is not None and head.ret_code == facts.TOO_MANY_VISITS else None


def _get(path: str, **query: str) -> Request:
    return Request(method="GET", url=f"{facts.REST}/{path}?{urlencode(query)}")


def _result(shape: wire.Decoder[Answer[T]], content: bytes) -> T:
    head = wire.body(_head, content)
    if head.ret_code in facts.BUSY:
        raise Retryable(head.ret_msg)
    if head.ret_code != facts.OK:
        raise Refused(head.ret_msg, code=str(head.ret_code))
    return wire.body(shape, content).result
