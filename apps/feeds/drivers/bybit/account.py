"""Bybit's unified account: balances, positions, fees, funding, leverage, permissions, time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.bybit import answers, facts
from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.drivers.bybit.answers import Envelope, Number, Rows, Word
from apps.feeds.drivers.bybit.signing import get, post
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import InvalidOrder, MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Balance, Credentials, Fees, FundingPayment, MarginMode, Permissions, Position

Words: TypeAlias = Annotated[list[Word], Meta(max_length=64)]


class Coin(Struct, rename="camel"):
    """Any number may be "": of a coin that was never held all are."""

    coin: wire.Name
    wallet_balance: Number
    equity: Number = ""
    locked: Number = ""
    total_order_im: Number = field(default="", name="totalOrderIM")
    total_position_im: Number = field(default="", name="totalPositionIM")


class Wallet(Struct, rename="camel"):
    account_type: Literal["UNIFIED"]
    coin: Annotated[list[Coin], Meta(max_length=answers.MAX_ROWS)]


class Holding(Struct, rename="camel"):
    """A position; the private stream calls its price `entryPrice`, lists call it `avgPrice`."""

    symbol: wire.Name
    side: Literal["Buy", "Sell", "", "None"]
    size: Number
    position_idx: wire.Code
    entry_price: Number | None = None
    avg_price: Number | None = None
    unrealised_pnl: Number | None = None
    leverage: Number | None = None
    liq_price: Number | None = None
    category: Word | None = None


class Rate(Struct, rename="camel"):
    symbol: wire.Name
    maker_fee_rate: Number
    taker_fee_rate: Number


class LogRow(Struct, rename="camel"):
    """Of the transaction log: `change` is the wallet's own sign."""

    symbol: Word
    currency: wire.Name
    type: Word
    change: Number
    transaction_time: wire.Millis
    fee_rate: Number = ""
    id: Word = ""


class Granted(Struct):
    """What a key may do, by area."""

    ContractTrade: Words = []
    Spot: Words = []
    Wallet: Words = []
    Derivatives: Words = []


class KeyInfo(Struct, rename="camel"):
    read_only: wire.Code
    permissions: Granted
    ips: Words = []
    expired_at: Word | None = None


class Clock(Struct, rename="camel"):
    time_nano: wire.Id


_wallets = wire.decoder(Envelope[Rows[Wallet]])
_holdings = wire.decoder(Envelope[Rows[Holding]])
_rates = wire.decoder(Envelope[Rows[Rate]])
_log = wire.decoder(Envelope[Rows[LogRow]])
_key_info = wire.decoder(Envelope[KeyInfo])
_clock = wire.decoder(Envelope[Clock])


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    """One wallet serves both markets."""
    return get(keys, "account/wallet-balance", {"accountType": "UNIFIED"}, now_ms)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    return coins(answers.result(_wallets, answer).list)


def coins(rows: list[Wallet]) -> list[Balance]:
    wire.check_rows(wallet.coin for wallet in rows)
    return [balance(coin) for wallet in rows for coin in wallet.coin]


def balance(row: Coin) -> Balance:
    """Free is what neither orders nor positions hold: an unrealised loss counts, a profit cannot be taken out."""
    wallet = money.amount(row.wallet_balance)
    held = money.amount(row.total_order_im) + money.amount(row.total_position_im)
    free = min(wallet, money.amount(row.equity) - held) - money.amount(row.locked)
    return Balance(asset=row.coin, free=max(free, Decimal(0)), total=wallet)


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    """Those of one coin that they settle in after the other."""
    coin, token = answers.coin_and_token(cursor)
    params: dict[str, str | int] = {"category": "linear", "settleCoin": coin, "limit": trading.POSITIONS_PAGE}
    params |= {"cursor": token} if token else {}
    return get(keys, "position/list", params, now_ms)


def parse_positions(answer: Answer) -> Page[Position]:
    told = answers.result(_holdings, answer)
    rows = [position(row) for row in told.list]
    return Page(rows=[row for row in rows if row.amount], cursor=answers.next_page(answer, told.next_page_cursor))


def position(row: Holding) -> Position:
    side = trading.POSITION_SIDE.get(row.position_idx)
    size = money.amount(row.size)
    if side is None or size < 0 or (size and row.side not in ("Buy", "Sell")):
        raise MalformedFrame("a position without its side", symbol=row.symbol)
    return Position(
        symbol=row.symbol,
        side=side,
        amount=-size if row.side == "Sell" else size,
        entry_price=money.positive(row.entry_price or row.avg_price),
        unrealised=money.number(row.unrealised_pnl),
        leverage=money.positive(row.leverage),
        liquidation_price=money.positive(row.liq_price),
    )


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    params = {"category": facts.CATEGORY[instrument.market_type], "symbol": instrument.symbol}
    return get(keys, "account/fee-rate", params, now_ms)


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    rows = [row for row in answers.result(_rates, answer).list if row.symbol == instrument.symbol]
    if len(rows) != 1:
        raise MalformedFrame("fees without those that were asked for", symbol=instrument.symbol)
    return Fees(maker=_required(rows[0].maker_fee_rate), taker=_required(rows[0].taker_fee_rate))


def _required(told: str) -> Decimal:
    number = money.number(told)
    if number is None:
        raise MalformedFrame("a rate without its number")
    return number


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """The log knows no symbols: those of other instruments are left out of the answer."""
    params = {"accountType": "UNIFIED", "category": "linear", "currency": instrument.settle, "type": "SETTLEMENT"}
    span = answers.window(since_ms, now_ms, cursor)
    return get(keys, "account/transaction-log", {**params, **span, "limit": trading.LOG_PAGE}, now_ms)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    told = answers.result(_log, answer)
    rows = [_payment(row) for row in told.list if row.type == "SETTLEMENT" and row.symbol == instrument.symbol]
    return Page(rows=rows, cursor=answers.next_window(answer, told.next_page_cursor))


def _payment(row: LogRow) -> FundingPayment:
    return FundingPayment(
        payment_id=row.id or f"{row.symbol}-{row.transaction_time}",
        symbol=row.symbol,
        asset=row.currency,
        amount=_required(row.change),
        exchange_ms=row.transaction_time,
        rate=money.number(row.fee_rate),
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> Sequence[Request]:
    """The kind of margin is the whole account's, the leverage one symbol's."""
    if instrument.market_type is MarketType.SPOT or leverage < 1:
        raise InvalidOrder("leverage is for futures, and one at least")
    both = {"buyLeverage": str(leverage), "sellLeverage": str(leverage)}
    about = {"category": "linear", "symbol": instrument.symbol}
    return (
        post(keys, "account/set-margin-mode", {"setMarginMode": trading.MARGIN[mode]}, now_ms),
        post(keys, "position/set-leverage", about | both, now_ms),
    )


def parse_leverage_set(answer: Answer) -> None:
    answers.done(answer, unchanged=True)


def server_time(market_type: MarketType) -> Request:
    return Request(method="GET", url=f"{trading.API}/market/time")


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    return answers.result(_clock, answer).time_nano // 1_000_000


def permissions(keys: Credentials, now_ms: int) -> Request:
    return get(keys, "user/query-api", {}, now_ms)


def parse_permissions(answer: Answer) -> Permissions:
    """A key that only reads may not trade, whatever else it names."""
    told = answers.result(_key_info, answer)
    granted, writes = told.permissions, told.read_only == 0
    return Permissions(
        read=True,
        trade_spot=writes and "SpotTrade" in granted.Spot,
        trade_futures=writes and ("Order" in granted.ContractTrade or "DerivativesTrade" in granted.Derivatives),
        withdraw="Withdraw" in granted.Wallet,
        ip_bound=bool(told.ips) and "*" not in told.ips,
        expires_ms=_moment(told.expired_at),
    )


def _moment(told: str | None) -> int | None:
    """The exchange's own null is the year 1."""
    if not told:
        return None
    try:
        moment = datetime.fromisoformat(told)
    except ValueError as error:
        raise MalformedFrame(f"not a time: {told!r}") from error
    if moment.tzinfo is None:
        raise MalformedFrame(f"a time without its zone: {told!r}")
    return int(moment.timestamp() * 1000) if moment.year > 1970 else None
