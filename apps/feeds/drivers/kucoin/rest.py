"""KuCoin's public REST: requests as values, answers to values. `code` tells of errors, whatever the HTTP status."""

from collections.abc import Mapping
from typing import Annotated, Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

from msgspec import Meta, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.kucoin import facts
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.drivers.kucoin.symbols import Listing, instrument
from apps.feeds.drivers.kucoin.values import Stamp, snapshot
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookSnapshot, MarketType

T = TypeVar("T")


class Head(Struct):
    code: int | str
    msg: str = ""


class Book(Struct, gc=False):
    """`time` on spot, `ts` on futures, neither in the unified answer."""

    sequence: wire.Id
    bids: wire.Pairs
    asks: wire.Pairs
    symbol: str | None = None
    time: Stamp | None = None
    ts: Stamp | None = None


class Ticker(Struct):
    """24 h volume in quote currency: `volValue` of classic spot, `turnoverOf24h` of classic futures, or unified."""

    symbol: str
    volValue: wire.Amount | None = None  # noqa: N815 - spelt as on the wire
    turnoverOf24h: wire.Amount | None = None  # noqa: N815
    quoteVolume: wire.Amount | None = None  # noqa: N815


class Wrapped(Struct, Generic[T], rename={"rows": "list"}):
    """How the unified API gives a list, and classic spot its tickers; other lists come as they are."""

    rows: list[T] | None = None
    ticker: list[T] | None = None


class Answer(Struct, Generic[T]):
    data: T


class Server(Struct):
    endpoint: Annotated[str, Meta(pattern="^wss?://[^?#]+$")]


class Token(Struct, rename="camel"):
    token: Annotated[str, Meta(min_length=1)]
    instance_servers: list[Server]


Listings: TypeAlias = list[Listing] | Wrapped[Listing]
Tickers: TypeAlias = list[Ticker] | Wrapped[Ticker]

_head = wire.decoder(Head)
_book = wire.decoder(Answer[Book])
_listings = wire.decoder(Answer[Listings])
_tickers = wire.decoder(Answer[Tickers])
_token = wire.decoder(Answer[Token])


def token_request(market_type: MarketType) -> Request:
    return Request(method="POST", url=f"{facts.HOSTS[market_type]}{facts.TOKEN_PATH}", weight=facts.TOKEN_WEIGHT)


def address(content: bytes) -> str:
    """The socket that the answer to `token_request` opens, once."""
    told = _result(_token, content)
    if not told.instance_servers:
        raise MalformedFrame("a token without a server")
    query = urlencode({"token": told.token, "connectId": facts.CONNECT_ID})
    return f"{told.instance_servers[0].endpoint}?{query}"


def snapshot_request(generation: Generation, market_type: MarketType, symbol: str, depth: int) -> Request:
    """The full classic book of spot is refused: it takes a signature."""
    url, query, weight = facts.SNAPSHOT[generation][market_type][depth]
    return Request(method="GET", url=f"{url}?{urlencode(query | {'symbol': symbol})}", weight=weight)


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    book = _result(_book, content)
    if book.symbol not in (None, symbol):
        raise MalformedFrame(f"the book of {str(book.symbol)[:60]!r} in answer to {symbol}", symbol=symbol)
    at = book.time if book.ts is None else book.ts
    return snapshot(symbol, book.sequence, book.bids, book.asks, at, received_ns, from_rest=True)


def instruments_request(catalogue: Generation, market_type: MarketType) -> Request:
    url, weight = facts.LISTS[catalogue][market_type]
    return Request(method="GET", url=url, weight=weight)


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    rows = (instrument(market_type, row) for row in _rows(_result(_listings, content)))
    return Catalogue(instruments=[row for row in rows if row is not None])


def volumes_request(catalogue: Generation, market_type: MarketType) -> Request:
    url, weight = facts.VOLUMES[catalogue][market_type]
    return Request(method="GET", url=url, weight=weight)


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    rows = _rows(_result(_tickers, content))
    volumes = ((row.symbol, (row.volValue, row.turnoverOf24h, row.quoteVolume)) for row in rows)
    return {symbol: volume for symbol, any_of in volumes for volume in any_of if volume is not None}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    head = wire.told(_head, content)
    # a 403 in KuCoin's own words is about a key, one without is the firewall's
    shut_out = status == 429 if head is not None else status in facts.STAY_AWAY_S
    if not shut_out and (head is None or str(head.code) not in facts.TOO_OFTEN):
        return None
    for name, value in headers.items():
        if name.lower() == facts.RESET_HEADER and value.isascii() and value.isdigit():
            return int(value) / 1000
    return facts.FIREWALL_S if facts.FIREWALL in content[:1000] else facts.STAY_AWAY_S.get(status, facts.OVERLOADED_S)


def _rows(told: list[T] | Wrapped[T]) -> list[T]:
    rows = told if isinstance(told, list) else told.ticker if told.rows is None else told.rows
    if rows is None:
        raise MalformedFrame("an answer without its list")
    return rows


def _result(shape: wire.Decoder[Answer[T]], content: bytes) -> T:
    head = wire.body(_head, content)
    if str(head.code) in facts.BUSY:
        raise Retryable(head.msg)
    if str(head.code) != facts.OK:
        raise Refused(head.msg, code=str(head.code))
    return wire.body(shape, content).data
