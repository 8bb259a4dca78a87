"""Names: channels from topics and back, instruments from rows of the market lists.

Spot symbols have no separator (`龙虾USDT` exists): base and quote come from the list.
"""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.mexc import facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "mexc"


class Stream(NamedTuple):
    """A channel of spot: `kind` is its name without version and pace, the rest may hold a symbol."""

    kind: str
    words: tuple[str, ...]


def channel(topic: Topic) -> str:
    """Of futures, without `sub.` and `push.`."""
    return facts.FUTURES_TRADES if topic.kind is TopicKind.TRADES else facts.FUTURES_BOOK[topic.depth]


def name(market_type: MarketType, topic: Topic) -> str:
    if market_type is MarketType.FUTURES:
        return futures_name(channel(topic), topic.symbol)
    pattern = facts.SPOT_TRADES if topic.kind is TopicKind.TRADES else facts.SPOT_BOOK[topic.depth]
    return pattern.format(topic.symbol)


def futures_name(channel: str, symbol: str) -> str:
    """One text for what the wire says in two fields."""
    return f"{channel}:{symbol}"


@lru_cache(maxsize=8192)
def stream(name: str) -> Stream:
    """What the name of a spot channel says; raise MalformedFrame for what is none."""
    market, _, rest = name.partition("@")
    channel, *words = rest.split("@")
    kind, version, _ = channel.partition(".v3.api")
    if market != "spot" or not kind or not version:
        raise MalformedFrame(f"unknown channel {name[:60]!r}")
    return Stream(kind, tuple(words))


class SpotListing(Struct, rename="camel"):
    """One row of exchangeInfo. The minima are in fields named "precision"; decimals are numbers."""

    symbol: wire.Name
    status: str
    base_asset: wire.Name
    quote_asset: wire.Name
    base_asset_precision: wire.Decimals
    quote_asset_precision: wire.Decimals  # of prices
    base_size_precision: str = ""  # least amount
    quote_amount_precision: str = ""  # least notional
    is_spot_trading_allowed: bool = False
    trade_side_type: int = facts.ALL_SIDES


class FuturesListing(Struct, rename="camel"):
    """One row of contract/detail; `base_coin` may be an internal id, `base_coin_name` is the ticker."""

    symbol: wire.Name
    base_coin: wire.Name
    quote_coin: wire.Name
    settle_coin: wire.Name
    contract_size: Decimal
    price_unit: Decimal
    vol_unit: Decimal
    state: int
    min_vol: Decimal | None = None
    base_coin_name: str = ""
    future_type: int = facts.PERPETUAL
    api_allowed: bool = True
    concept_plate: list[str] = []


def spot_instrument(row: SpotListing) -> Instrument:
    trades = (row.status, row.trade_side_type) == (facts.ONLINE, facts.ALL_SIDES) and row.is_spot_trading_allowed
    return Instrument(
        exchange=EXCHANGE,
        market_type=MarketType.SPOT,
        pair=f"{row.base_asset}/{row.quote_asset}",
        symbol=row.symbol,
        base=row.base_asset,
        quote=row.quote_asset,
        settle=row.quote_asset,
        tick=wire.step(row.quote_asset_precision),
        lot=wire.step(row.base_asset_precision),
        min_amount=wire.rule_number(row.base_size_precision),
        min_notional=wire.rule_number(row.quote_amount_precision),
        status=InstrumentStatus.TRADING if trades else InstrumentStatus.SUSPENDED,
    )


def futures_instrument(row: FuturesListing) -> Instrument | None:
    """None for what we do not watch: dated and coin-margined contracts, stocks and the like, rows without steps."""
    base = row.base_coin_name or row.base_coin
    tick, lot, size = map(wire.rule_number, (row.price_unit, row.vol_unit, row.contract_size))
    tradfi = facts.TRADFI_ZONE in row.concept_plate or row.base_coin.endswith(facts.STOCK_SUFFIX)
    if row.future_type != facts.PERPETUAL or row.settle_coin != row.quote_coin or tradfi:
        return None
    if tick is None or lot is None or size is None:
        return None
    status = facts.FUTURES_STATUS.get(row.state, InstrumentStatus.SUSPENDED)
    return Instrument(
        exchange=EXCHANGE,
        market_type=MarketType.FUTURES,
        pair=f"{base}/{row.quote_coin}",
        symbol=row.symbol,
        base=base,
        quote=row.quote_coin,
        settle=row.settle_coin,
        tick=tick,
        lot=lot,
        contract_size=size,
        min_amount=wire.rule_number(row.min_vol),
        status=status if row.api_allowed else InstrumentStatus.SUSPENDED,
    )
