"""Names: streams from topics, instruments from rows of the market list.

A market's name is never split by guessing: base and quote come from the list.
"""

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.coinex import facts
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "coinex"


def channel(kind: TopicKind) -> str:
    return facts.BOOKS if kind is TopicKind.BOOK else facts.TRADES


def name(market_type: MarketType, topic: Topic) -> str:
    """One text for what the wire says in several fields; no answer spells it."""
    levels = f":{facts.BOOK_LEVELS[topic.depth]}" if topic.kind is TopicKind.BOOK else ""
    return f"{channel(topic.kind)}:{topic.symbol}{levels}"


class Listing(Struct):
    """One market; lists of 2024 had neither `status` nor, on futures, `tick_size`."""

    market: wire.Name
    base_ccy: wire.Name
    quote_ccy: wire.Name
    base_ccy_precision: wire.Decimals
    quote_ccy_precision: wire.Decimals
    min_amount: str = ""
    tick_size: str = ""
    contract_type: str = facts.LINEAR
    status: str = "online"
    is_api_trading_available: bool = True
    is_market_available: bool = True


def instrument(market_type: MarketType, row: Listing) -> Instrument | None:
    """None for what we do not watch: inverse contracts.

    Amounts of linear contracts are coins. The tick is read anew with each list: it may drop to whole dollars.
    """
    if row.contract_type != facts.LINEAR:
        return None
    open_to_us = row.is_api_trading_available and row.is_market_available
    return Instrument(
        exchange=EXCHANGE,
        market_type=market_type,
        pair=f"{row.base_ccy}/{row.quote_ccy}",
        symbol=row.market,
        base=row.base_ccy,
        quote=row.quote_ccy,
        settle=row.quote_ccy,
        tick=wire.rule_number(row.tick_size) or wire.step(row.quote_ccy_precision),
        lot=wire.step(row.base_ccy_precision),
        min_amount=wire.rule_number(row.min_amount),
        status=facts.STATUS.get(row.status, InstrumentStatus.SUSPENDED) if open_to_us else InstrumentStatus.SUSPENDED,
    )
