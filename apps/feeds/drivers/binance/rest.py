"""Binance's public REST: requests as values, answers to values."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.binance import facts
from apps.feeds.drivers.binance.symbols import Listing, instrument
from apps.feeds.errors import MalformedFrame, Refused
from apps.feeds.market import BookSnapshot, MarketType


class Depth(Struct, rename="camel"):
    last_update_id: wire.Id | None = None
    bids: wire.Pairs = []
    asks: wire.Pairs = []
    T: wire.Millis | None = None
    code: int | None = None
    msg: str = ""


class ExchangeInfo(Struct):
    symbols: list[Listing] | None = None
    code: int | None = None
    msg: str = ""


class Volume(Struct, rename="camel"):
    symbol: str
    quote_volume: wire.Amount


_depth = wire.decoder(Depth)
_exchange_info = wire.decoder(ExchangeInfo)
_volumes = wire.decoder(list[Volume])


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    limit, weight = facts.SNAPSHOT[market_type][depth]
    query = urlencode({"symbol": symbol, "limit": limit})
    return Request(method="GET", url=f"{facts.REST[market_type]}/depth?{query}", weight=weight)


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    depth = wire.body(_depth, content)
    _refuse(depth)
    if depth.last_update_id is None:
        raise MalformedFrame("a book without lastUpdateId", symbol=symbol)
    return BookSnapshot(
        symbol=symbol,
        seq=depth.last_update_id,
        bids=depth.bids,
        asks=depth.asks,
        exchange_ms=depth.T,
        received_ns=received_ns,
        from_rest=True,
    )


def instruments_request(market_type: MarketType) -> Request:
    url = f"{facts.REST[market_type]}/exchangeInfo"
    return Request(method="GET", url=url, weight=facts.INSTRUMENTS_WEIGHT[market_type])


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    info = wire.body(_exchange_info, content)
    _refuse(info)
    if info.symbols is None:
        raise MalformedFrame("a market list without symbols")
    rows = (instrument(market_type, row) for row in info.symbols)
    return Catalogue(instruments=[row for row in rows if row is not None])


def volumes_request(market_type: MarketType) -> Request:
    path, weight = facts.VOLUMES[market_type]
    return Request(method="GET", url=f"{facts.REST[market_type]}/{path}", weight=weight)


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    return {row.symbol: row.quote_volume for row in wire.body(_volumes, content)}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    default_s = facts.STAY_AWAY_S.get(status)
    return None if default_s is None else wire.retry_header(headers, default_s)


def _refuse(answer: Depth | ExchangeInfo) -> None:
    if answer.code is not None:
        raise Refused(answer.msg, code=str(answer.code))
