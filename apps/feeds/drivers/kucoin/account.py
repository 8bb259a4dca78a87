"""KuCoin's account by REST, classic and unified. A classic account has one wallet for spot and others for futures."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.kucoin import answers, rest, signing
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.answers import NONE, Many, Number, amount, number, positive
from apps.feeds.drivers.kucoin.facts import HOSTS
from apps.feeds.drivers.kucoin.trading_facts import Deed
from apps.feeds.drivers.kucoin.values import Stamp, millis
from apps.feeds.drivers.trading import Answer, Page, Token
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import (
    Balance,
    Credentials,
    Permissions,
    Position,
    PositionSide,
)

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES


class Asset(Struct):
    """Of a classic account's wallets, or of the unified one."""

    currency: wire.Name
    balance: Number
    available: Number
    type: wire.Word = facts.TRADE_ACCOUNT


class Currencies(Struct):
    currencies: Many[Asset]


class Wallets(Struct, rename="camel"):
    """One classic futures wallet, or all of a unified account."""

    accounts: Many[Currencies] = []
    currency: wire.Name | None = None
    account_equity: Number = NONE
    unrealisedPNL: Number = NONE  # noqa: N815 - spelt as on the wire
    available_balance: Number = NONE


class Held(Struct, rename="camel"):
    """A position, classic (answers and pushes) or unified; `is_open` and marks are not ours."""

    symbol: wire.Name | None = None
    current_qty: Number = NONE
    avg_entry_price: Number = NONE
    unrealised_pnl: Number = NONE
    position_side: Literal["BOTH", "LONG", "SHORT"] = "BOTH"
    size: Number = NONE  # unified
    entry_price: Number = NONE
    unrealized_pn_l: Number = NONE
    leverage: Number = NONE
    margin_mode: Literal["CROSS", "ISOLATED"] | None = None
    liquidation_price: Number = NONE


class Mode(Struct, rename="camel"):
    self_account_mode: Literal["UNIFIED", "CLASSIC"]


class Key(Struct, rename="camel"):
    permission: wire.Words
    ip_whitelist: wire.Words = ""
    expired_at: Stamp | None = None


class Secret(Struct):
    """Nothing of it is shown by `repr`."""

    token: Annotated[str, Meta(min_length=1, max_length=2_000)]

    def __repr__(self) -> str:
        return "Secret(...)"


_wallets = wire.decoder(answers.Reply[Many[Asset] | Wallets])
_held = wire.decoder(answers.Reply[Many[Held] | answers.Items[Held]])
_mode = wire.decoder(answers.Reply[Mode])
_key = wire.decoder(answers.Reply[Key])
_clock = wire.decoder(answers.Reply[wire.Millis])
_token = wire.decoder(answers.Reply[Secret])


def mode(keys: Credentials, now_ms: int) -> list[Request]:
    call = facts.ACCOUNT_MODE._replace(budget=facts.BUDGETS[facts.UNIFIED, SPOT])
    return [signing.signed(keys, HOSTS[SPOT], call, {}, now_ms)]


def parse_mode(answer: Answer) -> str:
    """The generation, for `Credentials.account`."""
    return answers.data(_mode, answer).self_account_mode.lower()


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    values = {"type": facts.TRADE_ACCOUNT, "currency": facts.WALLET_CURRENCY}
    return signing.act(keys, market_type, Deed.BALANCES, values, now_ms)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    told = answers.data(_wallets, answer)
    if isinstance(told, list):
        return [_balance(row) for row in told if row.type == facts.TRADE_ACCOUNT]
    if told.currency is None:
        wire.check_rows(account.currencies for account in told.accounts)
        return [_balance(row) for account in told.accounts for row in account.currencies]
    equity, free = number(told.account_equity), number(told.available_balance)
    if equity is None or free is None:
        raise MalformedFrame("a wallet without its balance")
    return [Balance(asset=told.currency, free=free, total=equity - amount(told.unrealisedPNL))]


def _balance(row: Asset) -> Balance:
    return Balance(asset=row.currency, free=amount(row.available), total=amount(row.balance))


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    return signing.act(keys, FUTURES, Deed.POSITIONS, {}, now_ms)


def parse_positions(answer: Answer) -> Page[Position]:
    told = answers.data(_held, answer)
    rows = told if isinstance(told, list) else told.items
    return Page(rows=[position(row, row.symbol) for row in rows])


def position(row: Held, symbol: str | None) -> Position:
    """Raise MalformedFrame for one that tells neither its symbol nor its size."""
    size = number(row.size) if number(row.current_qty) is None else number(row.current_qty)
    if symbol is None or size is None:
        raise MalformedFrame("a position without symbol or size", symbol=symbol)
    side = facts.POSITION_SIDES[row.position_side]
    profit = number(row.unrealised_pnl)
    return Position(
        symbol=symbol,
        side=side,
        amount=-abs(size) if side is PositionSide.SHORT else size,
        entry_price=positive(row.avg_entry_price) or positive(row.entry_price),
        unrealised=number(row.unrealized_pn_l) if profit is None else profit,
        leverage=_leverage(row),
        margin_mode=None if row.margin_mode is None else facts.MARGIN_MODES[row.margin_mode],
        liquidation_price=positive(row.liquidation_price),
    )


def _leverage(row: Held) -> Decimal | None:
    """As it was set. Of an isolated position classic accounts are told what it comes to now, which moves with the mark
    price; what was set their orders carry."""
    is_classic = number(row.current_qty) is not None
    return None if is_classic and row.margin_mode != "CROSS" else positive(row.leverage)


def server_time(market_type: MarketType) -> Request:
    call = facts.CLOCK[market_type]
    return Request(method=call.method, url=HOSTS[market_type] + call.path, weight=call.weight)


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    return answers.data(_clock, answer)


def permissions(keys: Credentials, now_ms: int) -> Request:
    return signing.signed(keys, HOSTS[SPOT], facts.KEY_INFO, {}, now_ms)


def parse_permissions(answer: Answer) -> Permissions:
    row = answers.data(_key, answer)
    granted = {one.strip() for one in row.permission.split(",")}
    unified = facts.TRADES_UNIFIED in granted
    return Permissions(
        read=facts.READS in granted,
        trade_spot=unified or facts.TRADES_SPOT in granted,
        trade_futures=unified or facts.TRADES_FUTURES in granted,
        withdraw=bool(granted & facts.WITHDRAWS),
        ip_bound=bool(row.ip_whitelist),
        expires_ms=None if row.expired_at is None else millis(row.expired_at),
    )


def token(keys: Credentials, market_type: MarketType, now_ms: int) -> Request | None:
    """Each classic socket takes a new one; a unified socket logs in with a frame."""
    if facts.generation(keys) is facts.UNIFIED:
        return None
    return signing.act(keys, market_type, Deed.TOKEN, {}, now_ms)


def parse_token(market_type: MarketType, answer: Answer) -> Token:
    secret = answers.data(_token, answer).token
    return Token(value=secret, url=rest.address(answer.body))
