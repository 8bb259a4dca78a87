"""Names: topics and back, instruments from rows of instruments-info."""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.bybit import facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "bybit"


class StreamKind(Enum):
    BOOK = "book"
    TRADES = "trades"
    IGNORED = "ignored"


class Stream(NamedTuple):
    symbol: str
    kind: StreamKind
    window: int | None = None


def name(market_type: MarketType, topic: Topic) -> str:
    if topic.kind is TopicKind.TRADES:
        return f"publicTrade.{topic.symbol}"
    return f"orderbook.{facts.BOOK_LEVELS[topic.depth]}.{topic.symbol}"


@lru_cache(maxsize=8192)
def stream(name: str) -> Stream:
    """What a topic's name says; raise MalformedFrame for one that is not documented."""
    if name.startswith(facts.IGNORED_TOPICS):
        return Stream("", StreamKind.IGNORED)
    channel, _, rest = name.partition(".")
    if channel == "publicTrade" and rest:
        return Stream(rest, StreamKind.TRADES)
    levels, _, symbol = rest.partition(".")
    if channel == "orderbook" and symbol and levels in map(str, facts.WINDOWS):
        return Stream(symbol, StreamKind.BOOK, int(levels))
    raise MalformedFrame(f"unknown topic {name[:60]!r}")


class PriceFilter(Struct, rename="camel"):
    tick_size: str = ""


class LotSizeFilter(Struct, rename="camel"):
    qty_step: str = ""  # linear
    base_precision: str = ""  # spot
    min_order_qty: str = ""
    min_order_amt: str = ""
    min_notional_value: str = ""


class Listing(Struct, rename="camel"):
    """One row of instruments-info, spot or linear."""

    symbol: wire.Name
    base_coin: wire.Name
    quote_coin: wire.Name
    status: str
    price_filter: PriceFilter
    lot_size_filter: LotSizeFilter
    contract_type: str | None = None
    settle_coin: str | None = None
    is_pre_listing: bool = False


def instrument(market_type: MarketType, row: Listing) -> Instrument | None:
    """None for what we do not watch: dated and inverse contracts, those before their launch, rows without steps."""
    is_spot = market_type is MarketType.SPOT
    if row.is_pre_listing or row.status == facts.PRE_LAUNCH:
        return None
    if not is_spot and row.contract_type != facts.PERPETUAL:
        return None
    lots = row.lot_size_filter
    tick = wire.rule_number(row.price_filter.tick_size)
    lot = wire.rule_number(lots.base_precision if is_spot else lots.qty_step)
    if tick is None or lot is None:
        return None
    settle = row.settle_coin or row.quote_coin
    quote = row.quote_coin if is_spot else settle  # `BTCPERP` is quoted in the USDC that it settles in
    return Instrument(
        exchange=EXCHANGE,
        market_type=market_type,
        pair=f"{row.base_coin}/{quote}",
        symbol=row.symbol,
        base=row.base_coin,
        quote=quote,
        settle=settle,
        tick=tick,
        lot=lot,
        min_amount=None if is_spot else wire.rule_number(lots.min_order_qty),  # spot does not check it any more
        min_notional=wire.rule_number(lots.min_order_amt if is_spot else lots.min_notional_value),
        status=facts.STATUS.get(row.status, InstrumentStatus.SUSPENDED),
    )
