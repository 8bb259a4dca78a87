"""Names: streams from topics and back, instruments from rows of the market list.

A symbol is never split by guessing (`币安人生USDT` exists): base and quote come from the list.
"""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.binance import facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "binance"


class StreamKind(Enum):
    DIFF = "diff"
    WHOLE = "whole"
    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    SHUTDOWN = "shutdown"
    IGNORED = "ignored"


class Stream(NamedTuple):
    symbol: str
    kind: StreamKind


def name(market_type: MarketType, topic: Topic) -> str:
    """The stream of a topic; upper case would be acknowledged and stay silent."""
    is_book = topic.kind is TopicKind.BOOK
    suffix = facts.BOOK_STREAM[topic.depth] if is_book else facts.TRADE_STREAM[market_type]
    return f"{topic.symbol.lower()}@{suffix}"


@lru_cache(maxsize=8192)
def stream(name: str) -> Stream:
    """What a stream's name says; raise MalformedFrame for one that is not documented."""
    if name.startswith("!"):
        return Stream("", StreamKind.SHUTDOWN if name[1:] == facts.SHUTDOWN else StreamKind.IGNORED)
    symbol, _, suffix = name.partition("@")
    channel = suffix.partition("@")[0]
    if symbol and channel == "depth":
        return Stream(symbol.upper(), StreamKind.DIFF)
    if symbol and channel in ("depth5", "depth10", "depth20"):
        return Stream(symbol.upper(), StreamKind.WHOLE)
    if symbol and channel in ("trade", "aggTrade"):
        return Stream(symbol.upper(), StreamKind(channel))
    if symbol and channel.startswith(facts.IGNORED_STREAMS):
        return Stream(symbol.upper(), StreamKind.IGNORED)
    raise MalformedFrame(f"unknown stream {name[:60]!r}")


class Filter(Struct, rename="camel"):
    filter_type: str
    tick_size: str | None = None
    step_size: str | None = None
    min_qty: str | None = None
    min_notional: str | None = None
    notional: str | None = None


class Listing(Struct, rename="camel"):
    """One symbol of exchangeInfo, spot or USD-M."""

    symbol: wire.Name
    base_asset: wire.Name
    quote_asset: wire.Name
    status: str
    filters: list[Filter]
    contract_type: str | None = None
    underlying_type: str | None = None
    margin_asset: str | None = None


def instrument(market_type: MarketType, row: Listing) -> Instrument | None:
    """None for what we do not watch: dated and tradfi contracts, and rows without steps."""
    if market_type is MarketType.FUTURES and (row.contract_type, row.underlying_type) != (facts.PERPETUAL, facts.COIN):
        return None
    rules = {rule.filter_type: rule for rule in row.filters}
    price, lot = rules.get("PRICE_FILTER"), rules.get("LOT_SIZE")
    tick = wire.rule_number(price.tick_size) if price else None
    step = wire.rule_number(lot.step_size) if lot else None
    if tick is None or step is None or lot is None:
        return None
    notional = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL")
    return Instrument(
        exchange=EXCHANGE,
        market_type=market_type,
        pair=f"{row.base_asset}/{row.quote_asset}",
        symbol=row.symbol,
        base=row.base_asset,
        quote=row.quote_asset,
        settle=row.margin_asset or row.quote_asset,
        tick=tick,
        lot=step,
        min_amount=wire.rule_number(lot.min_qty),
        min_notional=wire.rule_number(notional.min_notional or notional.notional) if notional else None,
        status=facts.STATUS.get(row.status, InstrumentStatus.SUSPENDED),
    )
