"""Names: channels and instIds, instruments from rows of the market list."""

from decimal import Decimal

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.drivers.okx import facts
from apps.feeds.market import Instrument, InstrumentStatus, MarketType

EXCHANGE = "okx"


def channel(topic: Topic) -> str:
    return facts.BOOKS if topic.kind is TopicKind.BOOK else facts.TRADES


def name(market_type: MarketType, topic: Topic) -> str:
    return joined(channel(topic), topic.symbol)


def joined(channel: str, symbol: str) -> str:
    """One text for what the wire says in two fields."""
    return f"{channel}:{symbol}"


class Listing(Struct, rename="camel"):
    """One row of public/instruments; every field is text, "" means none."""

    inst_id: wire.Name
    inst_type: str
    state: str
    base_ccy: str = ""
    quote_ccy: str = ""
    settle_ccy: str = ""
    tick_sz: str = ""
    lot_sz: str = ""
    min_sz: str = ""
    ct_type: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    ct_val_ccy: str = ""
    uly: str = ""
    inst_family: str = ""


def instrument(market_type: MarketType, row: Listing) -> Instrument | None:
    """None for what we do not watch: inverse and dated contracts, other settle currencies, rows without steps."""
    if row.inst_type != facts.INSTRUMENT_TYPE[market_type]:
        return None
    tick, lot = wire.rule_number(row.tick_sz), wire.rule_number(row.lot_sz)
    base, quote, size = _spot(row) if market_type is MarketType.SPOT else _swap(row)
    if not base or not quote or tick is None or lot is None or size is None:
        return None
    return Instrument(
        exchange=EXCHANGE,
        market_type=market_type,
        pair=f"{base}/{quote}",
        symbol=row.inst_id,
        base=base,
        quote=quote,
        settle=row.settle_ccy or quote,
        tick=tick,
        lot=lot,
        contract_size=size,
        min_amount=wire.rule_number(row.min_sz),
        status=facts.STATUS.get(row.state, InstrumentStatus.SUSPENDED),
    )


def _spot(row: Listing) -> tuple[str, str, Decimal | None]:
    return row.base_ccy, row.quote_ccy, Decimal(1)


def _swap(row: Listing) -> tuple[str, str, Decimal | None]:
    """Base, quote and coins per contract of a linear swap, blanks for any other.

    A linear contract is quoted in what it settles in; `baseCcy` and `quoteCcy` are empty for derivatives.
    """
    base = (row.uly or row.inst_family).partition("-")[0] or row.ct_val_ccy
    value = wire.rule_number(row.ct_val)
    if row.ct_type != facts.LINEAR or row.settle_ccy not in facts.SETTLES or row.ct_val_ccy != base or value is None:
        return "", "", None
    return base, row.settle_ccy, value * (wire.rule_number(row.ct_mult) or 1)
