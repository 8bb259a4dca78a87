"""Names: streams from topics, instruments from rows of the market lists, classic and unified.

Everything is keyed by `symbol`, which outlives renames (`BCHSV-USDT` is BSV/USDT today).
"""

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.kucoin import facts
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.market import FULL_DEPTH, Instrument, InstrumentStatus, MarketType

EXCHANGE = "kucoin"

Number: TypeAlias = int | float | str | None  # lists write some rules as numbers and some as text


def name(generation: Generation, market_type: MarketType, topic: Topic) -> str:
    """One text for what the wire says in several fields; no answer spells it."""
    if generation is Generation.CLASSIC:
        return f"{channel(market_type, topic)}:{topic.symbol}"
    if topic.kind is TopicKind.TRADES:
        return f"{facts.TRADES}:{topic.symbol}"
    return f"{facts.BOOKS}:{topic.symbol}:{facts.BOOK_DEPTH[topic.depth]}"


def channel(market_type: MarketType, topic: Topic) -> str:
    """The classic channel, which symbols follow after a colon."""
    if topic.kind is TopicKind.TRADES:
        return facts.CLASSIC_TRADES[market_type]
    return (facts.CLASSIC_CHANGES if topic.depth == FULL_DEPTH else facts.CLASSIC_WHOLE)[market_type]


class Listing(Struct, rename="camel"):
    """One row of any list: of spot and of futures, as the classic API and as the unified one name things."""

    symbol: wire.Name
    base_currency: wire.Name
    quote_currency: wire.Name
    tick_size: Number = None
    price_increment: Number = None  # classic spot
    base_increment: Number = None
    base_min_size: Number = None
    min_funds: Number = None
    enable_trading: bool | None = None
    base_order_step: Number = None  # unified spot
    min_base_order_size: Number = None
    min_quote_order_size: Number = None
    trading_status: str | None = None  # unified
    lot_size: Number = None  # futures, in contracts
    is_inverse: bool = False
    type: str | None = None  # classic futures
    multiplier: Number = None
    settle_currency: str | None = None
    status: str | None = None
    contract_type: str | None = None  # unified futures
    unit_size: Number = None
    settlement_currency: str | None = None


def instrument(market_type: MarketType, row: Listing) -> Instrument | None:
    """None for what we do not watch: inverse and dated contracts, other settle currencies, rows without steps.

    A linear contract is `multiplier` coins and is quoted in what it settles in.
    """
    base, quote = row.base_currency, row.quote_currency
    size: Decimal | None = Decimal(1)
    if market_type is MarketType.SPOT:
        tick, lot = _number(row.price_increment, row.tick_size), _number(row.base_increment, row.base_order_step)
        least = _number(row.base_min_size, row.min_base_order_size)
        least_cost = _number(row.min_funds, row.min_quote_order_size)
    elif _linear(row):
        base, quote = facts.COINS.get(base, base), row.settle_currency or row.settlement_currency or quote
        tick, lot, size = _number(row.tick_size), _number(row.lot_size), _number(row.multiplier, row.unit_size)
        least, least_cost = lot, None
    else:
        return None
    if tick is None or lot is None or size is None:
        return None
    status = row.status or row.trading_status or str(row.enable_trading).lower()
    return Instrument(
        exchange=EXCHANGE,
        market_type=market_type,
        pair=f"{base}/{quote}",
        symbol=row.symbol,
        base=base,
        quote=quote,
        settle=quote,
        tick=tick,
        lot=lot,
        contract_size=size,
        min_amount=least,
        min_notional=least_cost,
        status=facts.STATUS.get(status, InstrumentStatus.SUSPENDED),
    )


def _linear(row: Listing) -> bool:
    settle, kind = row.settle_currency or row.settlement_currency, row.type or row.contract_type
    return not row.is_inverse and settle in facts.SETTLES and kind in facts.PERPETUALS


def _number(*told: Number) -> Decimal | None:
    """The first that the row has."""
    return next((wire.rule_number(str(one)) for one in told if one is not None), None)
