"""OKX's account by REST. Spot and swaps share one wallet, positions are those of swaps."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.okx import answers, signing
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.drivers.okx.facts import INSTRUMENT_TYPE, SPOT
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


class Asset(Struct, rename="camel"):
    """`eq` and `availEq` include profit that is not realised: what futures may use."""

    ccy: wire.Name
    cash_bal: wire.Word
    avail_bal: wire.Word = ""
    avail_eq: wire.Word = ""
    eq: wire.Word = ""


class Wallet(Struct, rename="camel"):
    details: Annotated[list[Asset], Meta(max_length=wire.MAX_PRINTS)]
    u_time: wire.Millis


class Held(Struct, rename="camel"):
    """A position."""

    inst_id: wire.Name
    inst_type: wire.Word
    pos_side: Literal["net", "long", "short"]
    pos: wire.Word
    avg_px: wire.Word = ""
    upl: wire.Word = ""
    lever: wire.Word = ""
    mgn_mode: Literal["cross", "isolated"] | None = None
    liq_px: wire.Word = ""


class Rates(Struct):
    """Shares, negative when charged; of swaps by their settle currency."""

    maker: wire.Word = ""
    taker: wire.Word = ""
    makerU: wire.Word = ""  # noqa: N815 - spelt as on the wire
    takerU: wire.Word = ""  # noqa: N815
    makerUSDC: wire.Word = ""  # noqa: N815
    takerUSDC: wire.Word = ""  # noqa: N815


class Bill(Struct, rename="camel"):
    bill_id: wire.Name
    inst_id: wire.Word
    ccy: wire.Name
    type: wire.Word
    ts: wire.Millis
    bal_chg: wire.Word = ""
    pos_bal_chg: wire.Word = ""


class Clock(Struct):
    ts: wire.Millis


class Config(Struct, rename="camel"):
    perm: wire.Words
    acct_lv: wire.Word
    ip: wire.Words = ""


class Nothing(Struct):
    """A row whose fields are not ours."""


_wallets = wire.decoder(answers.Rows[Wallet])
_held = wire.decoder(answers.Rows[Held])
_rates = wire.decoder(answers.Rows[Rates])
_bills = wire.decoder(answers.Rows[Bill])
_clock = wire.decoder(answers.Rows[Clock])
_config = wire.decoder(answers.Rows[Config])
_nothing = wire.decoder(answers.Rows[Nothing])


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    return signing.get(keys, "/account/balance", {}, now_ms, budget=facts.ACCOUNT)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    return [balance(market_type, row) for row in answers.one(_wallets, answer).details]


def balance(market_type: MarketType, row: Asset) -> Balance:
    total, free = money.amount(row.cash_bal), money.amount(row.avail_bal)
    if market_type is not SPOT:
        equity, usable = money.number(row.eq), money.number(row.avail_eq)
        total, free = total if equity is None else equity, free if usable is None else usable
    return Balance(asset=row.ccy, free=free, total=total)


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    return signing.get(keys, "/account/positions", {"instType": "SWAP"}, now_ms, budget=facts.ACCOUNT)


def parse_positions(answer: Answer) -> Page[Position]:
    return Page(rows=[position(row) for row in answers.rows(_held, answer)])


def position(row: Held) -> Position:
    """`pos` is signed in one-way mode only."""
    side, amount = facts.POSITION_SIDES[row.pos_side], money.amount(row.pos)
    return Position(
        symbol=row.inst_id,
        side=side,
        amount=-abs(amount) if side is PositionSide.SHORT else amount,
        entry_price=money.positive(row.avg_px),
        unrealised=money.number(row.upl),
        leverage=money.positive(row.lever),
        margin_mode=None if row.mgn_mode is None else facts.MARGIN_MODES[row.mgn_mode],
        liquidation_price=money.positive(row.liq_px),
    )


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    params = {"instType": INSTRUMENT_TYPE[instrument.market_type]}
    if instrument.market_type is SPOT:
        params["instId"] = instrument.symbol
    else:
        params["instFamily"] = instrument.symbol.removesuffix("-SWAP")
    return signing.get(keys, "/account/trade-fee", params, now_ms, budget=facts.ACCOUNT, weight=facts.SLOW_WEIGHT)


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    """Lists without a rate of the settle currency's own have the general one."""
    row = answers.one(_rates, answer)
    own = {"USDT": (row.makerU, row.takerU), "USDC": (row.makerUSDC, row.takerUSDC)}
    pair = ("", "") if instrument.market_type is SPOT else own.get(instrument.settle, ("", ""))
    maker, taker = money.number(pair[0] or row.maker), money.number(pair[1] or row.taker)
    if maker is None or taker is None:
        raise MalformedFrame("no fee rates", symbol=instrument.symbol)
    return Fees(maker=-maker, taker=-taker)


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    params = {
        "instType": "SWAP",
        "instId": instrument.symbol,
        "type": facts.FUNDING_BILL,
        "begin": str(since_ms),
        "after": cursor or "",
        "limit": str(facts.PAGE),
    }
    recent = now_ms - since_ms < facts.RECENT_BILLS_MS
    path, weight = ("/account/bills", 1) if recent else ("/account/bills-archive", facts.SLOW_WEIGHT)
    return signing.get(keys, path, params, now_ms, budget=facts.ACCOUNT, weight=weight)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    told = answers.rows(_bills, answer)
    ours = (row for row in told if row.inst_id == instrument.symbol and row.type == facts.FUNDING_BILL)
    return Page(rows=[_payment(row) for row in ours], cursor=told[-1].bill_id if len(told) >= facts.PAGE else None)


def _payment(row: Bill) -> FundingPayment:
    """What an isolated position pays changes its own balance only."""
    return FundingPayment(
        payment_id=row.bill_id,
        symbol=row.inst_id,
        asset=row.ccy,
        amount=money.amount(row.bal_chg) or money.amount(row.pos_bal_chg),
        exchange_ms=row.ts,
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> list[Request]:
    """In one-way mode, and for cross margin in both; orders choose the margin mode themselves."""
    if instrument.market_type is SPOT or leverage < 1:
        raise InvalidOrder("leverage is for futures, and at least 1")
    fields = {"instId": instrument.symbol, "lever": str(leverage), "mgnMode": mode.value}
    return [signing.post(keys, "/account/set-leverage", fields, now_ms, budget=facts.ACCOUNT)]


def parse_leverage_set(answer: Answer) -> None:
    answers.rows(_nothing, answer)


def server_time(market_type: MarketType) -> Request:
    return Request(method="GET", url=f"{facts.HOST}/api/v5/public/time", weight=facts.TIME_WEIGHT)


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    return answers.one(_clock, answer).ts


def permissions(keys: Credentials, now_ms: int) -> Request:
    return signing.get(keys, "/account/config", {}, now_ms, budget=facts.ACCOUNT, weight=facts.SLOW_WEIGHT)


def parse_permissions(answer: Answer) -> Permissions:
    row = answers.one(_config, answer)
    granted = {one.strip() for one in row.perm.split(",")}
    trades = facts.TRADES in granted
    return Permissions(
        read=True,
        trade_spot=trades,
        trade_futures=trades and row.acct_lv != facts.SPOT_ONLY_MODE,
        withdraw=facts.WITHDRAWS in granted,
        ip_bound=bool(row.ip),
    )
