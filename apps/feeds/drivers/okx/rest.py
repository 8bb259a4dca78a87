"""OKX's public REST: requests as values, answers to values. An error may come with HTTP 200: `code` says."""

from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.okx import facts
from apps.feeds.drivers.okx.symbols import Listing, instrument
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookSnapshot, MarketType

T = TypeVar("T")


class Book(Struct, rename="camel"):
    asks: wire.Rows
    bids: wire.Rows
    ts: wire.Millis
    seq_id: wire.Id | None = None


class Ticker(Struct):
    instId: str  # noqa: N815 - spelt as on the wire: "24h" has no camel case of its own
    last: str = ""
    volCcy24h: str = ""  # noqa: N815 - in quote currency on spot, in coins on contracts


class Head(Struct):
    code: str
    msg: str = ""


class Answer(Struct, Generic[T]):
    data: list[T]


_head = wire.decoder(Head)
_books = wire.decoder(Answer[Book])
_instruments = wire.decoder(Answer[Listing])
_tickers = wire.decoder(Answer[Ticker])


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    query = urlencode({"instId": symbol, "sz": facts.BOOK_LEVELS})
    return Request(method="GET", url=f"{facts.REST}/market/books?{query}")


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    books = _rows(_books, content)
    if len(books) != 1:
        raise MalformedFrame(f"{len(books)} books in one answer", symbol=symbol)
    book = books[0]
    return BookSnapshot(
        symbol=symbol,
        seq=book.seq_id,
        bids=wire.levels(book.bids),
        asks=wire.levels(book.asks),
        exchange_ms=book.ts,
        received_ns=received_ns,
        from_rest=True,
    )


def instruments_request(market_type: MarketType) -> Request:
    return _list("public/instruments", market_type)


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    rows = (instrument(market_type, row) for row in _rows(_instruments, content))
    return Catalogue(instruments=[row for row in rows if row is not None])


def volumes_request(market_type: MarketType) -> Request:
    return _list("market/tickers", market_type)


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    """Contracts tell their volume in coins: the last price makes quote currency of it."""
    volumes = {}
    for row in _rows(_tickers, content):
        volume, last = wire.rule_number(row.volCcy24h), wire.rule_number(row.last)
        if volume is not None and last is not None:
            volumes[row.instId] = float(volume if market_type is MarketType.SPOT else volume * last)
    return volumes


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    default_s = facts.STAY_AWAY_S.get(status)
    if default_s is None:
        head = wire.told(_head, content)
        default_s = facts.TOO_MANY_S if head is not None and head.code == facts.TOO_MANY_CODE else None
    return None if default_s is None else wire.retry_header(headers, default_s)


def _list(path: str, market_type: MarketType) -> Request:
    url = f"{facts.REST}/{path}?instType={facts.INSTRUMENT_TYPE[market_type]}"
    return Request(method="GET", url=url, weight=facts.LIST_WEIGHT)


def _rows(shape: wire.Decoder[Answer[T]], content: bytes) -> list[T]:
    head = wire.body(_head, content)
    if head.code in facts.BUSY:
        raise Retryable(head.msg)
    if head.code != facts.OK:
        raise Refused(head.msg, code=head.code)
    return wire.body(shape, content).data
