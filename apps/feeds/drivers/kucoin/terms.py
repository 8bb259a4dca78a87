"""What trading on KuCoin costs, by REST: fees, funding, leverage; classic and unified."""

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.kucoin import answers, signing
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.answers import NONE, Many, Number, number
from apps.feeds.drivers.kucoin.trading_facts import Deed
from apps.feeds.drivers.kucoin.values import Stamp, millis
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import InvalidOrder, MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Credentials,
    Fees,
    FundingPayment,
    MarginMode,
)

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES


class Rate(Struct, rename="camel"):
    symbol: wire.Name
    maker_fee_rate: Number
    taker_fee_rate: Number


class RateList(Struct, rename={"rows": "list", "maker": "makerFeeRate", "taker": "takerFeeRate"}):
    """Unified; or the one rate of classic futures."""

    rows: Many[Rate] = []
    symbol: wire.Word | None = None
    maker: Number = NONE
    taker: Number = NONE


class Paid(Struct, rename="camel"):
    symbol: wire.Name
    settle_currency: wire.Name
    id: wire.Id | wire.Name | None = None
    funding: Number = NONE
    time_point: Stamp | None = None
    funding_fee: Number = NONE  # unified
    settlement_time: Stamp | None = None
    funding_rate: Number = NONE


_rates = wire.decoder(answers.Reply[Many[Rate] | RateList])
_paid = wire.decoder(answers.Reply[answers.Items[Paid]])


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    product = facts.PRODUCT[instrument.market_type]
    values = {"symbol": instrument.symbol, "symbols": instrument.symbol, "tradeType": product}
    return signing.act(keys, instrument.market_type, Deed.FEES, values, now_ms)


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    told = answers.data(_rates, answer)
    rows = told if isinstance(told, list) else told.rows
    pairs = [(row.maker_fee_rate, row.taker_fee_rate) for row in rows if row.symbol == instrument.symbol]
    if isinstance(told, RateList) and told.symbol == instrument.symbol:
        pairs.append((told.maker, told.taker))
    for maker, taker in ((number(maker), number(taker)) for maker, taker in pairs):
        if maker is not None and taker is not None:
            return Fees(maker=maker, taker=taker)
    raise MalformedFrame("no fee rates", symbol=instrument.symbol)


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    values = {"symbol": instrument.symbol, "startAt": str(since_ms), "maxCount": facts.PAGE, "pageSize": facts.PAGE}
    values[facts.CURSORS[facts.generation(keys), FUTURES, Deed.FUNDING]] = cursor or ""
    return signing.act(keys, FUTURES, Deed.FUNDING, values, now_ms)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    told = answers.data(_paid, answer)
    rows = told.items + told.data_list
    last = str(rows[-1].id) if told.has_more and rows and rows[-1].id is not None else answers.cursor(told)
    return Page(rows=[_payment(row) for row in rows if row.symbol == instrument.symbol], cursor=last)


def _payment(row: Paid) -> FundingPayment:
    """Those of unified accounts have no id: one is made of symbol and time."""
    at = row.time_point or row.settlement_time
    paid = number(row.funding_fee) if number(row.funding) is None else number(row.funding)
    if at is None or paid is None:
        raise MalformedFrame("a payment without time or amount", symbol=row.symbol)
    return FundingPayment(
        payment_id=f"{row.symbol}-{millis(at)}" if row.id is None else str(row.id),
        symbol=row.symbol,
        asset=row.settle_currency,
        amount=paid,
        exchange_ms=millis(at),
        rate=number(row.funding_rate),
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> list[Request]:
    """Classic accounts set the margin mode apart, and orders with isolated margin carry their leverage themselves."""
    if instrument.market_type is SPOT or leverage < 1:
        raise InvalidOrder("leverage is for futures, and at least 1")
    change = {"symbol": instrument.symbol, "leverage": str(leverage)}
    leveraged = signing.act(keys, FUTURES, Deed.LEVERAGE, {}, now_ms, fields=change)
    if facts.generation(keys) is facts.UNIFIED:
        return [leveraged]
    moded = {"symbol": instrument.symbol, "marginMode": mode.upper()}
    request = signing.act(keys, FUTURES, Deed.MARGIN_MODE, {}, now_ms, fields=moded)
    return [request, leveraged] if mode is MarginMode.CROSS else [request]


def parse_leverage_set(answer: Answer) -> None:
    answers.succeeded(answer, order=False)
