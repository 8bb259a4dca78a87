"""HTX's accounts by REST: balances, positions, fees, funding, leverage, clocks."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.htx import answers, identity, signing
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Balance,
    Credentials,
    Fees,
    FundingPayment,
    MarginMode,
    Position,
    PositionSide,
)


class SpotRow(money.Exact):
    """One currency has a row for each kind of its balance."""

    currency: wire.Name
    type: wire.Word
    balance: Decimal


class SpotBalances(Struct):
    list: Annotated[list[SpotRow], Meta(max_length=wire.MAX_LEVELS)]  # of every currency there is


class Detail(money.Exact):
    currency: wire.Name
    equity: Decimal
    available: Decimal


class Wallet(Struct):
    details: Annotated[list[Detail], Meta(max_length=wire.MAX_PRINTS)]


class Held(money.Exact):
    """`position_side` is both in one-way mode, where `direction` tells long from short."""

    contract_code: wire.Name
    position_side: wire.Word
    direction: wire.Word
    margin_mode: wire.Word
    volume: Decimal
    lever_rate: Decimal
    open_avg_price: wire.Word | None = None
    liquidation_price: wire.Word | None = None
    profit_unreal: Decimal | None = None


class SpotFee(money.Exact, rename="camel"):
    symbol: wire.Name
    actual_maker_rate: Decimal
    actual_taker_rate: Decimal


class SwapFee(money.Exact):
    contract_code: wire.Name
    open_maker_fee: Decimal
    open_taker_fee: Decimal
    close_maker_fee: Decimal
    close_taker_fee: Decimal


class Bill(money.Exact):
    id: wire.Word
    type: wire.Word
    currency: wire.Name
    amount: Decimal
    contract_code: wire.Name
    created_time: wire.Millis


class Clock(Struct):
    """Spot has it as data, contracts have it beside."""

    data: wire.Millis | None = None
    ts: wire.Millis | None = None


_spot_balances = wire.decoder(answers.Data[SpotBalances])
_wallet = wire.decoder(answers.Data[Wallet])
_held = wire.decoder(answers.Rows[Held])
_spot_fees = wire.decoder(answers.Rows[SpotFee])
_swap_fees = wire.decoder(answers.Rows[SwapFee])
_bills = wire.decoder(answers.Rows[Bill])
_clock = wire.decoder(Clock)


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    if market_type is FUTURES:
        return signing.get(keys, FUTURES, facts.READ, "/v5/account/balance", {}, now_ms)
    path = f"/v1/account/accounts/{identity.wallet_id(keys)}/balance"
    return signing.get(keys, SPOT, facts.BALANCE, path, {}, now_ms)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    if market_type is FUTURES:
        wallet = answers.read(_wallet, FUTURES, answer).data
        return [] if wallet is None else [balance(row) for row in wallet.details]
    told = answers.read(_spot_balances, SPOT, answer).data
    return [] if told is None else _spot(told.list)


def balance(told: Detail) -> Balance:
    return Balance(asset=told.currency.upper(), free=told.available, total=told.equity)


def _spot(rows: list[SpotRow]) -> list[Balance]:
    """What is lent or owed is no balance."""
    sums: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        if row.type in (facts.FREE, facts.FROZEN):
            sums.setdefault(row.currency.upper(), {})[row.type] = row.balance
        elif row.type not in facts.OTHER_BALANCES:
            raise MalformedFrame(f"unknown kind of balance {row.type[:40]!r}")
    return [
        Balance(asset=asset, free=parts.get(facts.FREE, Decimal(0)), total=sum(parts.values(), Decimal(0)))
        for asset, parts in sums.items()
    ]


def positions(keys: Credentials, now_ms: int) -> Request:
    return signing.get(keys, FUTURES, facts.READ, "/v5/trade/position/opens", {}, now_ms)


def parse_positions(answer: Answer) -> Page[Position]:
    return Page(rows=[position(row) for row in answers.read(_held, FUTURES, answer).data or ()])


def position(told: Held) -> Position:
    symbol = told.contract_code.upper()
    if told.position_side not in facts.POSITION_SIDES or told.margin_mode not in facts.MARGIN_MODES:
        raise MalformedFrame(f"unknown side or mode of a position: {told.position_side[:20]!r}", symbol=symbol)
    if told.direction not in facts.SIDES:
        raise MalformedFrame(f"unknown direction {told.direction[:20]!r}", symbol=symbol)
    side = facts.POSITION_SIDES[told.position_side]
    is_short = side is PositionSide.SHORT or (side is PositionSide.NET and told.direction == "sell")
    return Position(
        symbol=symbol,
        side=side,
        amount=-told.volume if is_short else told.volume,
        entry_price=money.positive(money.number(told.open_avg_price)),
        unrealised=told.profit_unreal,
        leverage=told.lever_rate,
        margin_mode=facts.MARGIN_MODES[told.margin_mode],
        liquidation_price=money.positive(money.number(told.liquidation_price)),
    )


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    if instrument.market_type is FUTURES:
        content = {"contract_code": instrument.symbol}
        return signing.post(keys, FUTURES, facts.READ, "/linear-swap-api/v1/swap_fee", content, now_ms)
    params = {"symbols": instrument.symbol}
    return signing.get(keys, SPOT, facts.ACCOUNT, "/v2/reference/transact-fee-rate", params, now_ms)


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    """Opening and closing a swap may differ: the dearer of the two."""
    if instrument.market_type is FUTURES:
        for swap in answers.read(_swap_fees, FUTURES, answer).data or ():
            if swap.contract_code == instrument.symbol:
                maker = max(swap.open_maker_fee, swap.close_maker_fee)
                return Fees(maker=maker, taker=max(swap.open_taker_fee, swap.close_taker_fee))
        raise MalformedFrame("no fees of that contract", symbol=instrument.symbol)
    for row in answers.read(_spot_fees, SPOT, answer).data or ():
        if row.symbol == instrument.symbol:
            return Fees(maker=row.actual_maker_rate, taker=row.actual_taker_rate)
    raise MalformedFrame("no fees of that market", symbol=instrument.symbol)


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    start, end, last = answers.window(since_ms, now_ms, cursor)
    params = {
        "contract_code": instrument.symbol,
        "type": ",".join(facts.FUNDING_TYPES),
        "start_time": start,
        "end_time": end,
        "limit": facts.FUTURES_ROWS,
        "from": last,
        "direct": None if last is None else "next",
    }
    return signing.get(keys, FUTURES, facts.READ, "/v5/account/bills", params, now_ms)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    rows = answers.read(_bills, FUTURES, answer).data or []
    last = rows[-1].id if len(rows) >= facts.FUTURES_ROWS else None
    cursor = answers.next_window(answer, "start_time", "end_time", last)
    return Page(rows=[_payment(row) for row in rows], cursor=cursor)


def _payment(told: Bill) -> FundingPayment:
    """Its kind tells whether it was received or paid, whatever the amount's sign."""
    if told.type not in facts.FUNDING_TYPES:
        raise MalformedFrame(f"no funding: {told.type[:20]!r}", symbol=told.contract_code)
    return FundingPayment(
        payment_id=told.id,
        symbol=told.contract_code.upper(),
        asset=told.currency.upper(),
        amount=abs(told.amount) * facts.FUNDING_TYPES[told.type],
        exchange_ms=told.created_time,
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> Sequence[Request]:
    content = {"contract_code": instrument.symbol, "margin_mode": mode.value, "lever_rate": leverage}
    return [signing.post(keys, FUTURES, facts.TRADE, "/v5/position/lever", content, now_ms)]


def parse_leverage_set(answer: Answer) -> None:
    answers.accept(FUTURES, answer, order=False)


def server_time(market_type: MarketType) -> Request:
    path = "/v1/common/timestamp" if market_type is SPOT else "/api/v1/timestamp"
    return Request(method="GET", url=f"https://{facts.HOST[market_type]}{path}")


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    told = answers.read(_clock, market_type, answer)
    now_ms = told.data if market_type is SPOT else told.ts
    if now_ms is None:
        raise MalformedFrame("no time")
    return now_ms
