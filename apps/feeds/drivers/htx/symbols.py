"""Names: channels from topics and back, instruments from rows of the market lists.

Spot spells symbols in lower case without a separator, so base and quote come from the list; contracts are `BTC-USDT`.
"""

from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.htx import facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "htx"


class StreamKind(Enum):
    DIFFERENCES = "differences"  # of spot, on a snapshot that is asked for
    REFRESH = "refresh"  # whole books of spot
    INCREMENTAL = "incremental"  # snapshot and differences of contracts
    SPOT_STEP = "spot step"  # whole books, prices not merged
    CONTRACT_STEP = "contract step"
    TRADES = "trades"
    IGNORED = "ignored"


_KINDS = {
    MarketType.SPOT: {
        facts.TRADES: StreamKind.TRADES,
        **dict.fromkeys(facts.DIFFERENCE_CHANNELS, StreamKind.DIFFERENCES),
        **dict.fromkeys(facts.REFRESH_CHANNELS, StreamKind.REFRESH),
        **dict.fromkeys(facts.STEP_CHANNELS[MarketType.SPOT], StreamKind.SPOT_STEP),
    },
    MarketType.FUTURES: {
        facts.TRADES: StreamKind.TRADES,
        **dict.fromkeys(facts.CONTRACT_CHANNELS, StreamKind.INCREMENTAL),
        **dict.fromkeys(facts.STEP_CHANNELS[MarketType.FUTURES], StreamKind.CONTRACT_STEP),
    },
}


class Stream(NamedTuple):
    symbol: str
    kind: StreamKind


def channel(market_type: MarketType, topic: Topic) -> str:
    return facts.TRADES if topic.kind is TopicKind.TRADES else facts.BOOK_CHANNEL[market_type][topic.depth]


def name(market_type: MarketType, topic: Topic) -> str:
    return f"market.{_cased(market_type, topic.symbol)}.{channel(market_type, topic)}"


def _cased(market_type: MarketType, symbol: str) -> str:
    return symbol.lower() if market_type is MarketType.SPOT else symbol.upper()


@lru_cache(maxsize=8192)
def stream(market_type: MarketType, name: str) -> Stream:
    """What a channel's name says; raise MalformedFrame for one that is not documented."""
    market, _, rest = name.partition(".")
    symbol, _, channel = rest.partition(".")
    if market != "market" or not symbol or not channel:
        raise MalformedFrame(f"unknown channel {name[:60]!r}")
    kind = _KINDS[market_type].get(channel)
    if kind is None and not channel.startswith(facts.IGNORED_CHANNELS):
        raise MalformedFrame(f"unknown channel {channel[:60]!r}")
    return Stream(_cased(market_type, symbol), kind or StreamKind.IGNORED)


class SpotListing(Struct, rename="kebab"):
    """One row of common/symbols; steps are told as numbers of decimals."""

    symbol: wire.Name
    base_currency: wire.Name
    quote_currency: wire.Name
    state: str
    price_precision: wire.Decimals
    amount_precision: wire.Decimals
    api_trading: str = ""
    min_order_amt: Decimal | None = None
    limit_order_min_order_amt: Decimal | None = None
    min_order_value: Decimal | None = None


class ContractListing(Struct):
    """One row of swap_contract_info; `contract_size` is in coins, the volume of an order a whole number."""

    symbol: wire.Name  # the coin
    contract_code: wire.Name
    contract_size: Decimal
    price_tick: Decimal
    contract_status: int
    business_type: str = ""


def spot_instrument(row: SpotListing) -> Instrument:
    base, quote = row.base_currency.upper(), row.quote_currency.upper()
    trades = (row.state, row.api_trading) == (facts.ONLINE, facts.ENABLED)
    return Instrument(
        exchange=EXCHANGE,
        market_type=MarketType.SPOT,
        pair=f"{base}/{quote}",
        symbol=row.symbol,
        base=base,
        quote=quote,
        settle=quote,
        tick=wire.step(row.price_precision),
        lot=wire.step(row.amount_precision),
        min_amount=wire.rule_number(row.limit_order_min_order_amt or row.min_order_amt),
        min_notional=wire.rule_number(row.min_order_value),
        status=InstrumentStatus.TRADING if trades else InstrumentStatus.SUSPENDED,
    )


def contract_instrument(row: ContractListing) -> Instrument | None:
    """None for what we do not watch: dated and coin-margined contracts, and rows without steps."""
    coin, _, quote = row.contract_code.partition("-")
    tick, size = wire.rule_number(row.price_tick), wire.rule_number(row.contract_size)
    if row.business_type != facts.PERPETUAL or quote not in facts.SETTLES or tick is None or size is None:
        return None
    return Instrument(
        exchange=EXCHANGE,
        market_type=MarketType.FUTURES,
        pair=f"{coin}/{quote}",
        symbol=row.contract_code,
        base=coin,
        quote=quote,
        settle=quote,
        tick=tick,
        lot=Decimal(1),
        contract_size=size,
        min_amount=Decimal(1),
        status=facts.CONTRACT_STATUS.get(row.contract_status, InstrumentStatus.SUSPENDED),
    )
