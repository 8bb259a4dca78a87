"""CoinEx's public REST: requests as values, answers to values. HTTP is 200 even for errors: `code` says."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Raw, Struct
from msgspec.structs import replace

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.coinex import facts, public
from apps.feeds.drivers.coinex.symbols import Listing, instrument
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, MarketType


class Ticker(Struct):
    market: str
    value: wire.Amount | None = None


class Answer(Struct):
    """`data` may be null in an answer without error: there is nothing."""

    code: int
    message: str = ""
    data: Raw = Raw(b"null")


_answer = wire.decoder(Answer)
_markets = wire.decoder(list[Listing])
_tickers = wire.decoder(list[Ticker])


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    """It has no id that would continue with the stream's."""
    levels = facts.BOOK_LEVELS[depth]
    return _get(market_type, "depth", market=symbol, limit=str(levels), interval=facts.NOT_MERGED)


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    book = public.book(_data(content), received_ns)
    if book.symbol != symbol or isinstance(book, BookDelta):
        raise MalformedFrame(f"no whole book of {symbol}, but something of {book.symbol!r}", symbol=symbol)
    return replace(book, from_rest=True)


def instruments_request(market_type: MarketType) -> Request:
    return _get(market_type, "market")


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    rows = (instrument(market_type, row) for row in wire.decode(_markets, _data(content)))
    return Catalogue(instruments=[row for row in rows if row is not None])


def volumes_request(market_type: MarketType) -> Request:
    return _get(market_type, "ticker")


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    rows = wire.decode(_tickers, _data(content))
    return {row.market: row.value for row in rows if row.value is not None}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    default_s = facts.STAY_AWAY_S.get(status)
    if default_s is not None:
        return wire.retry_header(headers, default_s)
    answer = wire.told(_answer, content)
    return facts.TOO_OFTEN_S if answer is not None and answer.code in facts.TOO_OFTEN else None


def _get(market_type: MarketType, path: str, **query: str) -> Request:
    return Request(method="GET", url=f"{facts.REST[market_type]}/{path}{'?' if query else ''}{urlencode(query)}")


def _data(content: bytes) -> Raw:
    answer = wire.body(_answer, content)
    if answer.code in facts.BUSY:
        raise Retryable(answer.message)
    if answer.code != facts.OK:
        raise Refused(answer.message, code=str(answer.code))
    return answer.data
