"""Binance's accounts: balances, positions, fees, funding, leverage, permissions, time."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.binance import answers, facts
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.signing import signed
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import InvalidOrder, MalformedFrame
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

MAX_ROWS = 5_000  # assets, positions, payments in one answer


class SpotBalance(money.Exact):
    asset: wire.Name
    free: Decimal
    locked: Decimal


class Rates(money.Exact):
    maker: Decimal
    taker: Decimal


class SpotAccount(Struct, rename="camel"):
    balances: Annotated[list[SpotBalance], Meta(max_length=MAX_ROWS)]
    commission_rates: Rates


class FuturesBalance(money.Exact, rename="camel"):
    asset: wire.Name
    balance: Decimal
    available_balance: Decimal


class Risk(money.Exact, rename="camel"):
    symbol: wire.Name
    position_amt: Decimal
    position_side: wire.Word
    entry_price: Decimal
    un_realized_profit: Decimal
    liquidation_price: Decimal
    leverage: Decimal | None = None
    margin_type: wire.Word | None = None


class CommissionRate(money.Exact, rename="camel"):
    symbol: wire.Name
    maker_commission_rate: Decimal
    taker_commission_rate: Decimal


class Income(money.Exact, rename="camel"):
    symbol: wire.Name
    income: Decimal
    asset: wire.Name
    time: wire.Millis
    tran_id: wire.Id


class Restrictions(Struct, rename="camel"):
    enable_reading: bool
    enable_withdrawals: bool
    enable_spot_and_margin_trading: bool
    enable_futures: bool
    ip_restrict: bool
    trading_authority_expiration_time: wire.Millis | None = None


class Time(Struct, rename="camel"):
    server_time: wire.Millis


FuturesBalances: TypeAlias = Annotated[list[FuturesBalance], Meta(max_length=MAX_ROWS)]
Risks: TypeAlias = Annotated[list[Risk], Meta(max_length=MAX_ROWS)]
Incomes: TypeAlias = Annotated[list[Income], Meta(max_length=MAX_ROWS)]

_spot_account = wire.decoder(SpotAccount)
_futures_balances: wire.Decoder[list[FuturesBalance]] = wire.decoder(FuturesBalances)
_risks: wire.Decoder[list[Risk]] = wire.decoder(Risks)
_commission = wire.decoder(CommissionRate)
_incomes: wire.Decoder[list[Income]] = wire.decoder(Incomes)
_restrictions = wire.decoder(Restrictions)
_time = wire.decoder(Time)


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    url, weight = trading.BALANCES[market_type]
    params: dict[str, str | int] = {"omitZeroBalances": "true"} if market_type is MarketType.SPOT else {}
    return signed(keys, "GET", url, params, now_ms, weight=weight)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    if market_type is MarketType.SPOT:
        rows = answers.result(_spot_account, market_type, answer).balances
        return [Balance(asset=row.asset, free=row.free, total=row.free + row.locked) for row in rows]
    return [
        Balance(asset=row.asset, free=row.available_balance, total=row.balance)
        for row in answers.result(_futures_balances, market_type, answer)
    ]


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    url = f"{trading.FUTURES_V3}/positionRisk"
    return signed(keys, "GET", url, {}, now_ms, weight=trading.POSITIONS_WEIGHT)


def parse_positions(answer: Answer) -> Page[Position]:
    """Rows of nothing stand for open orders."""
    rows = answers.result(_risks, MarketType.FUTURES, answer)
    return Page(rows=[_position(row) for row in rows if row.position_amt])


def _position(row: Risk) -> Position:
    return Position(
        symbol=row.symbol,
        side=position_side(row.position_side),
        amount=row.position_amt,
        entry_price=money.positive(row.entry_price),
        unrealised=row.un_realized_profit,
        leverage=row.leverage,
        margin_mode=margin_mode(row.margin_type),
        liquidation_price=money.positive(row.liquidation_price),
    )


def position_side(told: str) -> PositionSide:
    known = trading.POSITION_SIDE.get(told)
    if known is None:
        raise MalformedFrame(f"unknown side of a position: {told[:40]!r}")
    return known


def told_side(told: str | None) -> PositionSide | None:
    """Of an order or an execution; spot tells none."""
    return None if told is None else position_side(told)


def margin_mode(told: str | None) -> MarginMode | None:
    if told is None:
        return None
    known = trading.MARGIN_TOLD.get(told.lower())
    if known is None:
        raise MalformedFrame(f"unknown kind of margin: {told[:40]!r}")
    return known


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    """Spot tells the account's own, without what single symbols have as an exception."""
    url, weight = trading.FEES[instrument.market_type]
    spot = instrument.market_type is MarketType.SPOT
    params = {"omitZeroBalances": "true"} if spot else {"symbol": instrument.symbol}
    return signed(keys, "GET", url, params, now_ms, weight=weight)


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    if instrument.market_type is MarketType.SPOT:
        rates = answers.result(_spot_account, MarketType.SPOT, answer).commission_rates
        return Fees(maker=rates.maker, taker=rates.taker)
    row = answers.result(_commission, MarketType.FUTURES, answer)
    if row.symbol != instrument.symbol:
        raise MalformedFrame("the fees of another symbol", symbol=instrument.symbol)
    return Fees(maker=row.maker_commission_rate, taker=row.taker_commission_rate)


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """Three months back at most. The cursor is a time: rows of it come again, with the same id."""
    params: dict[str, str | int] = {
        "symbol": instrument.symbol,
        "incomeType": "FUNDING_FEE",
        "startTime": cursor or since_ms,
        "limit": trading.PAGE,
    }
    url = f"{facts.REST[MarketType.FUTURES]}/income"
    return signed(keys, "GET", url, params, now_ms, weight=trading.FUNDING_WEIGHT)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    rows = answers.result(_incomes, MarketType.FUTURES, answer)
    cursor = str(max(row.time for row in rows)) if len(rows) >= trading.PAGE else None
    return Page(rows=[_payment(instrument, row) for row in rows], cursor=cursor)


def _payment(instrument: Instrument, row: Income) -> FundingPayment:
    if row.symbol != instrument.symbol:
        raise MalformedFrame("funding of another symbol", symbol=instrument.symbol)
    return FundingPayment(
        payment_id=str(row.tran_id), symbol=row.symbol, asset=row.asset, amount=row.income, exchange_ms=row.time
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> Sequence[Request]:
    if instrument.market_type is MarketType.SPOT or leverage < 1:
        raise InvalidOrder("leverage is for futures, and one at least")
    base = facts.REST[MarketType.FUTURES]
    name = {"symbol": instrument.symbol}
    return (
        signed(keys, "POST", f"{base}/marginType", name | {"marginType": trading.MARGIN[mode]}, now_ms, weight=1),
        signed(keys, "POST", f"{base}/leverage", {**name, "leverage": leverage}, now_ms, weight=1),
    )


def parse_leverage_set(answer: Answer) -> None:
    answers.done(MarketType.FUTURES, answer)


def server_time(market_type: MarketType) -> Request:
    return Request(method="GET", url=f"{facts.REST[market_type]}/time")


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    return answers.result(_time, market_type, answer).server_time


def permissions(keys: Credentials, now_ms: int) -> Request:
    return signed(keys, "GET", trading.RESTRICTIONS, {}, now_ms, weight=1)


def parse_permissions(answer: Answer) -> Permissions:
    row = answers.result(_restrictions, MarketType.SPOT, answer)
    return Permissions(
        read=row.enable_reading,
        trade_spot=row.enable_spot_and_margin_trading,
        trade_futures=row.enable_futures,
        withdraw=row.enable_withdrawals,
        ip_bound=row.ip_restrict,
        expires_ms=row.trading_authority_expiration_time,
    )
