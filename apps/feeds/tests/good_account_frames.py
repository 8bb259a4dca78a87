"""Good private frames and REST answers of each exchange that can be traded on, to be spoilt by the fuzz tests.

They lie in `good_account_frames_<exchange>.py`, one module for each exchange, hand-written from its documents:

    KEYS = keys()                        # whose account the frames tell of; another key where frames name it
    PRIVATE = {MarketType.SPOT: [{"e": "executionReport", ...}, b"...protobuf..."], MarketType.FUTURES: [...]}
    ANSWERS = [
        Good("parse_placed", (limit_order(BTC),), {"orderId": 1, ...}),
        Good("parse_placed", (limit_order(BTC),), {"code": -2010, "msg": "..."}, status=400),
        Good("parse_order", (ref(BTC),), {...}),
        Good("parse_balances", (MarketType.SPOT,), {...}),
        Good("parse_permissions", (), {...}),  # `parse_account` gets its answers one by one
    ]
    PACKED = {MarketType.FUTURES}        # optional: markets whose private frames come as gzip

`PRIVATE` has at least one frame of every kind that the exchange documents: logins, acks, refusals, pings, orders,
fills, balances, positions. `ANSWERS` has at least one answer that is understood for every `parse_*` method whose
request the exchange has, and a refusal for those of orders. Frames and bodies are JSON values, or text or bytes as they
come; bytes are spoilt as binary. `BTC = listed("binance", MarketType.SPOT, "BTCUSDT")`.
"""

import importlib
import json
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from apps.feeds.drivers.base import Frame
from apps.feeds.drivers.trading import Answer
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, NewOrder, OrderRef, OrderType

Wire: TypeAlias = dict[str, Any] | list[Any] | str | bytes
CLIENT_ORDER_ID = "ct100000000a1abcde"  # 18 letters and digits
EXCHANGE_ORDER_ID = "4611"
EXPIRES_MS = 1_790_000_002_000


class Good(NamedTuple):
    """An answer that the exchange may give: which method of `Trader` reads it, what that takes before the answer."""

    parse: str
    args: tuple[Any, ...]
    body: Wire
    status: int = 200
    headers: dict[str, str] = {}  # lower-case names
    url: str = ""  # that was asked, where the answer is read by it


def keys(key: str = "fuzz-key", secret: str = "fuzz-secret", passphrase: str = "fuzz-passphrase") -> Credentials:
    return Credentials(key=key, secret=secret, passphrase=passphrase)


def listed(
    exchange: str, market_type: MarketType, symbol: str, *, quote: str = "USDT", contract_size: str = "1"
) -> Instrument:
    return Instrument(
        exchange=exchange,
        market_type=market_type,
        pair=f"BTC/{quote}",
        symbol=symbol,
        base="BTC",
        quote=quote,
        settle=quote,
        tick=Decimal("0.1"),
        lot=Decimal("0.001") if contract_size == "1" else Decimal(1),
        contract_size=Decimal(contract_size),
    )


def limit_order(instrument: Instrument, *, client_order_id: str = CLIENT_ORDER_ID) -> NewOrder:
    return NewOrder(
        instrument=instrument,
        client_order_id=client_order_id,
        side=Side.BUY,
        type=OrderType.LIMIT,
        expires_ms=EXPIRES_MS,
        amount=instrument.lot * instrument.contract_size,
        price=Decimal("30000.5"),
    )


def ref(
    instrument: Instrument,
    *,
    client_order_id: str | None = CLIENT_ORDER_ID,
    exchange_order_id: str | None = EXCHANGE_ORDER_ID,
) -> OrderRef:
    return OrderRef(instrument=instrument, client_order_id=client_order_id, exchange_order_id=exchange_order_id)


def owner(exchange: str) -> Credentials:
    """Whose account the frames of an exchange tell of."""
    told: Credentials = _module(exchange).KEYS
    return told


def instruments(exchange: str) -> dict[MarketType, Instrument]:
    """One of each market, of those that the frames and answers are about."""
    return {each.market_type: each for each in vars(_module(exchange)).values() if isinstance(each, Instrument)}


def private_frames(exchange: str, market_type: MarketType) -> list[Frame]:
    return [_wire(frame) for frame in _module(exchange).PRIVATE[market_type]]


def packed(exchange: str) -> set[MarketType]:
    """Markets whose private frames come as gzip."""
    told: set[MarketType] = getattr(_module(exchange), "PACKED", set())
    return told


def answers(exchange: str) -> list[Good]:
    """With bodies as text or bytes."""
    return [good._replace(body=_wire(good.body)) for good in _module(exchange).ANSWERS]


def answer(good: Good, body: Frame) -> Answer:
    """The answer with another body."""
    content = body if isinstance(body, bytes) else body.encode(errors="surrogatepass")
    return Answer(status=good.status, body=content, headers=good.headers, url=good.url)


def _module(exchange: str) -> Any:
    return importlib.import_module(f"apps.feeds.tests.good_account_frames_{exchange}")


def _wire(content: Wire) -> Frame:
    return content if isinstance(content, str | bytes) else json.dumps(content, separators=(",", ":"))
