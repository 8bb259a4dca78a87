"""CoinEx's accounts by REST: balances, positions, fees, funding, leverage, the clock, what a key may do."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.coinex import answers, signing
from apps.feeds.drivers.coinex import trading_facts as facts
from apps.feeds.drivers.coinex.answers import Many
from apps.feeds.drivers.coinex.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Balance,
    Credentials,
    Fees,
    FundingPayment,
    MarginMode,
    Permissions,
    Position,
    PositionSide,
)

_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_SIGNS = {"long": 1, "short": -1}


class Holding(money.Exact):
    """`margin` is of futures: what positions hold. `margin_market` names an isolated margin account, not the wallet."""

    ccy: wire.Name
    available: Decimal
    frozen: Decimal
    margin: Decimal = Decimal(0)
    margin_market: wire.Word = ""
    updated_at: wire.Millis = 0


class Held(money.Exact):
    """A position; a market has one, long or short."""

    market: wire.Name
    side: wire.Word
    margin_mode: wire.Word
    open_interest: Decimal
    avg_entry_price: Decimal
    leverage: Decimal
    liq_price: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    updated_at: wire.Millis = 0


class Rates(money.Exact):
    market: wire.Name
    maker_rate: Decimal
    taker_rate: Decimal


class Paid(money.Exact):
    """`funding_value` is the position's value times the rate, whoever paid it."""

    market: wire.Name
    ccy: wire.Name
    position_id: wire.Id
    side: wire.Word
    funding_rate: Decimal
    funding_value: Decimal
    created_at: wire.Millis


class Time(Struct):
    timestamp: wire.Millis


_holdings = wire.decoder(Many[Holding])
_positions = wire.decoder(Many[Held])
_rates = wire.decoder(Rates)
_paid = wire.decoder(Many[Paid])
_time = wire.decoder(Time)


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    path = f"assets/{facts.MARKET[market_type]}/balance"
    return signing.get(keys, market_type, facts.ACCOUNT, path, {}, now_ms)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    return [balance(row) for row in answers.data(_holdings, answer) or () if not row.margin_market]


def balance(told: Holding) -> Balance:
    return Balance(asset=told.ccy, free=told.available, total=told.available + told.frozen + told.margin)


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    content = {"market_type": facts.MARKET_TYPE[FUTURES], "page": cursor or "1", "limit": facts.PAGE_ROWS}
    return signing.get(keys, FUTURES, facts.ACCOUNT, "futures/pending-position", content, now_ms)


def parse_positions(answer: Answer) -> Page[Position]:
    rows, cursor = answers.page(_positions, answer)
    return Page(rows=[position(row) for row in rows], cursor=cursor)


def position(told: Held) -> Position:
    if told.side not in _SIGNS or told.margin_mode not in _MODES:
        raise MalformedFrame(f"unknown side or mode of a position: {told.side[:20]!r}", symbol=told.market)
    return Position(
        symbol=told.market,
        side=PositionSide.NET,
        amount=told.open_interest * _SIGNS[told.side],
        entry_price=money.positive(told.avg_entry_price),
        unrealised=told.unrealized_pnl,
        leverage=told.leverage,
        margin_mode=_MODES[told.margin_mode],
        liquidation_price=money.positive(told.liq_price),
    )


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    """The fees of futures as well are of spot's budget."""
    content = {"market_type": facts.MARKET_TYPE[instrument.market_type], "market": instrument.symbol}
    return signing.get(keys, SPOT, facts.ACCOUNT, "account/trade-fee-rate", content, now_ms)


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    told = answers.data(_rates, answer)
    if told is None or told.market != instrument.symbol:
        raise MalformedFrame("no fees of that market", symbol=instrument.symbol)
    return Fees(maker=told.maker_rate, taker=told.taker_rate)


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    content = {
        "market": instrument.symbol,
        "market_type": facts.MARKET_TYPE[FUTURES],
        "start_time": since_ms,
        "page": cursor or "1",
        "limit": facts.PAGE_ROWS,
    }
    return signing.get(keys, FUTURES, facts.HISTORY, "futures/position-funding-history", content, now_ms)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    rows, cursor = answers.page(_paid, answer)
    return Page(rows=[_payment(row) for row in rows], cursor=cursor)


def _payment(told: Paid) -> FundingPayment:
    """A long pays when the rate is positive, a short when it is negative."""
    if told.side not in _SIGNS:
        raise MalformedFrame(f"unknown side of a position: {told.side[:20]!r}", symbol=told.market)
    size = abs(told.funding_value)
    pays = (told.side == "long") == (told.funding_rate > 0)
    return FundingPayment(
        payment_id=f"{told.position_id}-{told.created_at}",
        symbol=told.market,
        asset=told.ccy,
        amount=-size if pays else size,
        exchange_ms=told.created_at,
        rate=told.funding_rate,
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> Sequence[Request]:
    content = {
        "market": instrument.symbol,
        "market_type": facts.MARKET_TYPE[FUTURES],
        "margin_mode": mode.value,
        "leverage": leverage,
    }
    return (signing.post(keys, FUTURES, facts.PLACE, "futures/adjust-position-leverage", content, now_ms),)


def parse_leverage_set(answer: Answer) -> None:
    answers.done(answer, order=False)


def server_time(market_type: MarketType) -> Request:
    return Request(method="GET", url=f"{facts.BASE}/v2/time")


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    told = answers.data(_time, answer)
    if told is None:
        raise MalformedFrame("no time")
    return told.timestamp


def permissions(keys: Credentials, now_ms: int) -> Request:
    """Nothing tells what a key may do: that it may read is all that can be found out without harm."""
    return balances(keys, SPOT, now_ms)


def parse_permissions(answer: Answer) -> Permissions:
    answers.data(_holdings, answer)
    return Permissions(read=True, trade_spot=None, trade_futures=None, withdraw=None)
