"""Names: streams of topics, instruments from `meta` and `spotMeta`.

A symbol is the coin as the sockets spell it: `BTC`, `kPEPE` (a thousand PEPE), `PURR/USDC`, `@107`.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.hyperliquid import facts, trading_facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "hyperliquid"

_TYPES = {TopicKind.BOOK: facts.BOOK, TopicKind.TRADES: facts.TRADES}

Decimals = Annotated[int, Meta(ge=0, le=facts.MAX_SIZE_DECIMALS)]


def subscription(topic: Topic) -> dict[str, str]:
    return {"type": _TYPES[topic.kind], "coin": topic.symbol}


def name(market_type: MarketType, topic: Topic) -> str:
    return f"{_TYPES[topic.kind]}:{topic.symbol}"


class Perpetual(Struct, rename="camel"):
    name: wire.Name
    sz_decimals: Decimals
    is_delisted: bool = False


class Universe(Struct):
    """`meta`; delisted markets stay in it, since orders go by the position."""

    universe: list[Perpetual]


class Token(Struct, rename="camel"):
    name: wire.Name
    sz_decimals: Decimals
    index: wire.Id


class SpotPair(Struct, rename="camel"):
    name: wire.Name
    tokens: tuple[int, int]  # base and quote
    index: wire.Id
    is_canonical: bool = False


class SpotUniverse(Struct):
    """`spotMeta`; several tokens may share a name."""

    tokens: list[Token]
    universe: list[SpotPair]


def perpetuals(meta: Universe) -> list[Instrument]:
    return [
        _instrument(
            MarketType.FUTURES,
            symbol=row.name,
            base=row.name.upper(),
            quote=facts.QUOTE,
            decimals=row.sz_decimals,
            number=number,
            status=InstrumentStatus.DELISTED if row.is_delisted else InstrumentStatus.TRADING,
        )
        for number, row in enumerate(meta.universe)
    ]


def spot_pairs(meta: SpotUniverse) -> list[Instrument]:
    """A pair whose name is taken, by a canonical or an older one, carries its index."""
    tokens = {token.index: token for token in meta.tokens}
    taken: set[str] = set()
    found = []
    for row in sorted(meta.universe, key=lambda row: (not row.is_canonical, row.index)):
        if row.name.startswith(facts.OUTCOMES):
            continue
        base, quote = _tokens(tokens, row)
        ticker, against = asset(base.name), asset(quote.name)
        if f"{ticker}/{against}" in taken:
            ticker = f"{ticker}@{row.index}"
        taken.add(f"{ticker}/{against}")
        found.append(
            _instrument(
                MarketType.SPOT,
                symbol=row.name,
                base=ticker,
                quote=against,
                decimals=base.sz_decimals,
                number=facts.FIRST_SPOT_NUMBER + row.index,
            )
        )
    return found


def _tokens(tokens: dict[int, Token], row: SpotPair) -> Iterator[Token]:
    for index in row.tokens:
        token = tokens.get(index)
        if token is None:
            raise MalformedFrame(f"no token {index}, which {row.name} is made of")
        yield token


def asset(name: str) -> str:
    """The ticker of a token, as the instruments' base and quote spell it."""
    return facts.TICKERS.get(name, name).upper()


def market(coin: str) -> MarketType | None:
    """Which market a coin is of; None for those that are none of ours: outcome tokens, other dexes' perpetuals."""
    if coin.startswith(facts.OUTCOMES) or facts.DEX_MARK in coin:
        return None
    return MarketType.SPOT if facts.PAIR_MARK in coin or coin.startswith(facts.INDEX_MARK) else MarketType.FUTURES


def _instrument(
    market_type: MarketType,
    *,
    symbol: str,
    base: str,
    quote: str,
    decimals: int,
    number: int,
    status: InstrumentStatus = InstrumentStatus.TRADING,
) -> Instrument:
    """There is no fixed tick: `tick` is the finest that a price of few digits may have."""
    return Instrument(
        exchange=EXCHANGE,
        market_type=market_type,
        pair=f"{base}/{quote}",
        symbol=symbol,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal(1).scaleb(-max(0, facts.PRICE_DECIMALS[market_type] - decimals)),
        lot=Decimal(1).scaleb(-decimals),
        min_notional=Decimal(facts.MIN_NOTIONAL),
        status=status,
        number=number,
        price_digits=trading_facts.SIGNIFICANT,
    )
