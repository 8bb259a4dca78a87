"""The account at Hyperliquid: what it holds, pays and may do. Everything is public, asked by the account's address."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.hyperliquid import answers, calls, signing, values
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.hyperliquid.facts import QUOTE
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import BadCredentials, InvalidOrder, MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Balance, Credentials, Fees, FundingPayment, MarginMode, Permissions, Position


class Rates(money.Exact, rename="camel"):
    """Shares; "cross" takes, "add" makes."""

    user_cross_rate: Decimal
    user_add_rate: Decimal
    user_spot_cross_rate: Decimal
    user_spot_add_rate: Decimal


class Paid(money.Exact, rename="camel"):
    type: Literal["funding"]
    coin: wire.Name
    usdc: Decimal
    funding_rate: Decimal


class FundingRow(Struct):
    time: wire.Millis
    delta: Paid


FundingRows = Annotated[list[FundingRow], Meta(max_length=values.MAX_ROWS)]


class Status(Struct):
    time: wire.Millis


class Role(Struct):
    role: wire.Word


_spot = wire.decoder(values.SpotState)
_perpetual = wire.decoder(values.PerpetualState)
_rates = wire.decoder(Rates)
_funding: wire.Decoder[list[FundingRow]] = wire.decoder(FundingRows)
_status = wire.decoder(Status)
_role = wire.decoder(Role)


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    what = "spotClearinghouseState" if market_type is MarketType.SPOT else "clearinghouseState"
    return calls.info(what, user=calls.account(keys))


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    if market_type is MarketType.SPOT:
        return values.spot_balances(answers.read(_spot, answer))
    return [values.perpetual_balance(answers.read(_perpetual, answer))]


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    return calls.info("clearinghouseState", user=calls.account(keys))


def parse_positions(answer: Answer) -> Page[Position]:
    return Page(rows=values.positions(answers.read(_perpetual, answer)))


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    return calls.info("userFees", user=calls.account(keys))


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    rates = answers.read(_rates, answer)
    if instrument.market_type is MarketType.SPOT:
        return Fees(maker=rates.user_spot_add_rate, taker=rates.user_spot_cross_rate)
    return Fees(maker=rates.user_add_rate, taker=rates.user_cross_rate)


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """Of all instruments whatever is asked for; the answer is of one."""
    if instrument.market_type is MarketType.SPOT:
        raise InvalidOrder("spot pays no funding")
    start = since_ms if cursor is None else int(cursor)
    return calls.info("userFunding", user=calls.account(keys), startTime=start)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    rows = answers.read(_funding, answer)
    paid = [_payment(row) for row in rows if row.delta.coin == instrument.symbol]
    return Page(rows=paid, cursor=calls.later([row.time for row in rows], facts.FUNDING_PAGE))


def _payment(row: FundingRow) -> FundingPayment:
    """Without an id of its own: `hash` may be all zeros."""
    return FundingPayment(
        payment_id=f"{row.delta.coin}:{row.time}",
        symbol=row.delta.coin,
        asset=QUOTE,
        amount=row.delta.usdc,
        exchange_ms=row.time,
        rate=row.delta.funding_rate,
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> Sequence[Request]:
    if instrument.market_type is MarketType.SPOT:
        raise InvalidOrder("spot has no leverage")
    action = {
        "type": "updateLeverage",
        "asset": calls.number(instrument),
        "isCross": mode is MarginMode.CROSS,
        "leverage": leverage,
    }
    return [calls.action(keys, action, now_ms)]


def parse_leverage_set(answer: Answer) -> None:
    answers.done(answer)


def server_time(market_type: MarketType) -> Request:
    return calls.info("exchangeStatus")


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    """Behind the clock by a block or two."""
    return answers.read(_status, answer).time


def permissions(keys: Credentials, now_ms: int) -> Request:
    """Asks what the wallet that signs is."""
    return calls.info("userRole", user=signing.address(keys.secret))


def parse_permissions(answer: Answer) -> Permissions:
    """Agents trade and cannot take anything out; every other wallet signs for its own money."""
    role = answers.read(_role, answer).role
    if role == facts.MISSING:
        raise BadCredentials("the exchange does not know the wallet that signs", code=role)
    if role != facts.AGENT and role not in facts.MASTERS:
        raise MalformedFrame(f"unknown role {role[:40]!r}")
    return Permissions(read=True, trade_spot=True, trade_futures=True, withdraw=role != facts.AGENT)
