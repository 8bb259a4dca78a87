"""Hyperliquid's public REST: every request is a POST to /info whose body says what is asked."""

from collections.abc import Mapping

from msgspec import Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.hyperliquid import facts, public, symbols
from apps.feeds.errors import MalformedFrame, Refused
from apps.feeds.market import BookSnapshot, MarketType


class Context(Struct, rename="camel"):
    """What happened to one market today; rows of spot name it, those of perpetuals go by position."""

    coin: str | None = None
    day_ntl_vlm: wire.Amount | None = None  # in quote currency


class PerpetualContexts(Struct, array_like=True):
    meta: symbols.Universe
    contexts: list[Context]


class SpotContexts(Struct, array_like=True):
    meta: Raw
    contexts: list[Context]


_book = wire.decoder(public.Book)
_meta = wire.decoder(symbols.Universe)
_spot_meta = wire.decoder(symbols.SpotUniverse)
_contexts = wire.decoder(PerpetualContexts)
_spot_contexts = wire.decoder(SpotContexts)


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    return _ask("l2Book", coin=symbol)


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    if content.strip() == b"null":
        raise Refused(f"no such coin: {symbol}", code="null")
    book = wire.body(_book, content)
    if book.coin != symbol:
        raise MalformedFrame(f"the book of {book.coin!r} in answer to {symbol}", symbol=symbol)
    return public.snapshot(book, received_ns, from_rest=True)


def instruments_request(market_type: MarketType) -> Request:
    return _ask(facts.CATALOGUE[market_type])


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    if market_type is MarketType.SPOT:
        return Catalogue(instruments=symbols.spot_pairs(wire.body(_spot_meta, content)))
    return Catalogue(instruments=symbols.perpetuals(wire.body(_meta, content)))


def volumes_request(market_type: MarketType) -> Request:
    return _ask(facts.VOLUMES[market_type])


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    if market_type is MarketType.SPOT:
        named = [(row.coin, row) for row in wire.body(_spot_contexts, content).contexts]
    else:
        answer = wire.body(_contexts, content)
        markets, rows = answer.meta.universe, answer.contexts
        if len(markets) != len(rows):
            raise MalformedFrame(f"{len(markets)} markets and {len(rows)} contexts")
        named = [(market.name, row) for market, row in zip(markets, rows, strict=True)]
    return {coin: row.day_ntl_vlm for coin, row in named if coin is not None and row.day_ntl_vlm is not None}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    return wire.retry_header(headers, facts.STAY_AWAY_S) if status == facts.TOO_MANY_REQUESTS else None


def _ask(what: str, **details: str) -> Request:
    return Request(
        method="POST",
        url=facts.INFO,
        weight=facts.WEIGHT[what],
        headers={"Content-Type": "application/json"},  # 415 without it
        body=wire.frame({"type": what, **details}),
    )
