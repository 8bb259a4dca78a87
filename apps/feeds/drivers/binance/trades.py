"""Binance's own executions, of an instrument or of one order."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from msgspec import Meta

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.binance import account, answers, facts
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.orders import MAX_ROWS, Word
from apps.feeds.drivers.binance.signing import signed
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, Fill, OrderRef


class Trade(money.Exact, rename="camel"):
    symbol: wire.Name
    id: wire.Id
    order_id: wire.Id
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: Word
    time: wire.Millis
    is_buyer: bool | None = None  # spot
    is_maker: bool | None = None
    buyer: bool | None = None  # futures
    maker: bool | None = None
    position_side: wire.Word | None = None


Trades: TypeAlias = Annotated[list[Trade], Meta(max_length=MAX_ROWS)]
_trades: wire.Decoder[list[Trade]] = wire.decoder(Trades)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """A cursor is the next trade's id, or with "@" a time: futures tell seven days in one answer."""
    path, weight = trading.TRADES[instrument.market_type]
    since: dict[str, str | int] = {"startTime": since_ms}
    if cursor is not None:
        since = {"startTime": cursor[1:]} if cursor.startswith("@") else {"fromId": cursor}
    return signed(
        keys,
        "GET",
        f"{facts.REST[instrument.market_type]}/{path}",
        {"symbol": instrument.symbol, **since, "limit": trading.PAGE},
        now_ms,
        weight=weight,
    )


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    rows = answers.result(_trades, instrument.market_type, answer)
    asked = dict(parse_qsl(urlsplit(answer.url).query))
    if len(rows) < trading.PAGE:
        cursor = _later(instrument.market_type, asked)
    elif "orderId" in asked and "fromId" not in asked:
        cursor = "0"  # these were the latest: with an id they begin at the oldest
    else:
        cursor = str(max(row.id for row in rows) + 1)
    return money.executions(rows, partial(_fill, instrument), cursor)


def _later(market_type: MarketType, asked: Mapping[str, str]) -> str | None:
    """Where the next days begin, when the time asked from was so long ago."""
    if market_type is MarketType.SPOT or "startTime" not in asked:
        return None
    end = int(asked["startTime"]) + trading.TRADES_SPAN_MS
    return f"@{end}" if end < int(asked["timestamp"]) else None


def _fill(instrument: Instrument, row: Trade) -> Fill:
    buys = row.is_buyer if row.is_buyer is not None else row.buyer
    if buys is None or row.symbol != instrument.symbol:
        raise MalformedFrame("a trade of another symbol, or without its side", symbol=instrument.symbol)
    return money.sound(
        Fill(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=None,
            trade_id=str(row.id),
            side=Side.BUY if buys else Side.SELL,
            price=row.price,
            amount=row.qty,
            fee=row.commission,
            fee_asset=row.commission_asset,
            is_maker=row.is_maker if row.is_maker is not None else row.maker,
            exchange_ms=row.time,
            position_side=account.told_side(row.position_side),
        )
    )


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    """Only their id finds an order's trades; without it, those of the last minutes."""
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - trading.ORDER_TRADES_BACK_MS, now_ms, cursor)
    since: dict[str, str | int] = {} if cursor is None else {"fromId": cursor}
    market_type = ref.instrument.market_type
    return signed(
        keys,
        "GET",
        f"{facts.REST[market_type]}/{trading.TRADES[market_type][0]}",
        {"symbol": ref.instrument.symbol, "orderId": ref.exchange_order_id, **since, "limit": trading.PAGE},
        now_ms,
        weight=trading.ORDER_TRADES_WEIGHT,
    )
