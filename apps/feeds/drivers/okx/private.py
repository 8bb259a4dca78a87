"""OKX's private frames: orders with their last execution, balances, positions, and what answers our commands."""

import re

from msgspec import Struct

from apps.feeds.drivers import money, replies, wire
from apps.feeds.drivers.base import Closing, Frame, Ignored, Pong
from apps.feeds.drivers.okx import account, answers, orders
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.drivers.okx.facts import CLOSING_SOON, INSTRUMENT_TYPE, OK, PONG
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Balances, Credentials, Fill, LookUp, Positions

_MILLIS = re.compile(r"[0-9]{13}")
_NAMED = re.compile(r"channel:([^,\s]+)")


class Arg(Struct):
    channel: wire.Word


class Envelope(Struct, rename="camel"):
    arg: Arg | None = None
    event: wire.Word | None = None
    op: wire.Word | None = None
    code: answers.Code = ""
    msg: wire.Words = ""
    channel: wire.Word = ""
    event_type: wire.Word = ""
    cur_page: wire.Code = 1
    last_page: bool = True


_envelope = wire.decoder(Envelope)
_orders = wire.decoder(answers.Rows[orders.Order])
_wallets = wire.decoder(answers.Rows[account.Wallet])
_held = wire.decoder(answers.Rows[account.Held])


def subscribe(market_type: MarketType) -> str:
    kind = INSTRUMENT_TYPE[market_type]
    args = {
        facts.ORDERS_CHANNEL: {"instType": kind},
        facts.BALANCE_CHANNEL: {"extraParams": facts.ON_CHANGE},
        facts.POSITIONS_CHANNEL: {"instType": kind, "extraParams": facts.ON_CHANGE},
    }
    return wire.frame(
        {"op": "subscribe", "args": [{"channel": name} | args[name] for name in facts.CHANNELS[market_type]]}
    )


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> list[PrivateEvent]:
    text = wire.text(frame)
    if text == PONG:
        return [Pong()]
    envelope = wire.decode(_envelope, text)
    if envelope.event is not None:
        return [_event(envelope)]
    if envelope.op is not None:
        return [Ignored()]  # an answer to an order over the socket
    if envelope.arg is None:
        raise MalformedFrame("neither data nor an answer")
    return _data(envelope.arg.channel, envelope, market_type, text) or [Ignored()]


def _data(channel: str, envelope: Envelope, market_type: MarketType, text: str) -> list[PrivateEvent]:
    """Rows of the other market are left out: they come on its own socket."""
    whole = envelope.event_type == facts.SNAPSHOT and envelope.cur_page == 1 and envelope.last_page
    if channel == facts.ORDERS_CHANNEL:
        told = (row for row in wire.decode(_orders, text).data if row.inst_type == INSTRUMENT_TYPE[market_type])
        return [event for row in told for event in _order(row)]
    if channel == facts.BALANCE_CHANNEL:
        wallets = wire.decode(_wallets, text).data
        wire.check_rows(row.details for row in wallets)
        return [_balances(market_type, row, whole) for row in wallets]
    if channel == facts.POSITIONS_CHANNEL:
        held = [row for row in wire.decode(_held, text).data if row.inst_type == INSTRUMENT_TYPE[market_type]]
        return [Positions(rows=[account.position(row) for row in held], whole=whole)] if held or whole else []
    if channel in facts.OTHER_CHANNELS:
        return []
    raise MalformedFrame(f"unknown channel {channel[:60]!r}")


def _balances(market_type: MarketType, row: account.Wallet, whole: bool) -> Balances:
    rows = [account.balance(market_type, asset) for asset in row.details]
    return Balances(rows=rows, whole=whole, exchange_ms=row.u_time)


def _order(row: orders.Order) -> list[PrivateEvent]:
    """The push of an execution tells it; the last push of an order may repeat its sums without one."""
    if row.trade_id in facts.NO_TRADE or money.positive(row.fill_sz) is None:
        return [orders.update(row)]
    return [_execution(row), orders.update(row)]


def _execution(row: orders.Order) -> Fill | LookUp:
    client_order_id, price, fee = row.cl_ord_id or None, money.positive(row.fill_px), money.number(row.fill_fee)
    if price is None or fee is None or not row.fill_fee_ccy:
        return LookUp(symbol=row.inst_id, exchange_order_id=row.ord_id, client_order_id=client_order_id)
    fill = Fill(
        symbol=row.inst_id,
        exchange_order_id=row.ord_id,
        client_order_id=client_order_id,
        trade_id=row.trade_id,
        side=Side(row.side),
        price=price,
        amount=money.amount(row.fill_sz),
        fee=-fee,  # negative on the wire: charged
        fee_asset=row.fill_fee_ccy,
        is_maker=orders.maker(row.exec_type),
        exchange_ms=int(row.fill_time) if _MILLIS.fullmatch(row.fill_time) else row.u_time,
        position_side=orders.position_side(row.pos_side),
    )
    return money.sound(fill)


def _event(envelope: Envelope) -> PrivateEvent:
    if envelope.event == "subscribe" and envelope.arg is not None:
        return Subscribed(channel=envelope.arg.channel)
    if envelope.event == "login" and envelope.code == OK:
        return LoggedIn()
    if envelope.event in ("login", "error"):
        return _refusal(envelope)
    if envelope.event == "notice":
        return Closing(replies.readable(envelope.msg)) if envelope.code == CLOSING_SOON else Ignored()
    if envelope.event == "channel-conn-count-error":
        text = "too many sockets with this channel"
        return Subscribed(channel=envelope.channel, ok=False, code=envelope.event, text=text)
    if envelope.event in ("channel-conn-count", "unsubscribe"):
        return Ignored()
    raise MalformedFrame(f"unknown event {str(envelope.event)[:60]!r}")


def _refusal(envelope: Envelope) -> LoginRefused | Subscribed:
    code, text = envelope.code, replies.readable(envelope.msg)
    if envelope.event == "login" or code in facts.LOGIN_CODES:
        return LoginRefused(code=code, text=text)
    named = _NAMED.search(text)
    return Subscribed(channel=named[1] if named else "", ok=False, code=code, text=text)
