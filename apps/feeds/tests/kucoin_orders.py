"""Orders as the tests of KuCoin's trader ask for them, and what their good answers tell."""

import json
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Credentials,
    Fill,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Position,
    PositionSide,
)
from apps.feeds.tests import good_account_frames_kucoin as good
from apps.feeds.tests.trader_requests import limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KUCOIN = registry.trader("kucoin")
CLASSIC = Credentials(key="the-key", secret="kucoinSecret01", passphrase="passphrase01")
UNIFIED = replace(CLASSIC, account="unified")
NOW = 1767323045678
BTC, XBT = good.BTC, good.XBT
D = Decimal
MS = good.MS


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return limit_order(instrument, NOW, **changes)


def market(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return order(instrument, **({"type": OrderType.MARKET, "price": None} | changes))


def private(frame: Any, market_type: MarketType = SPOT) -> list[Any]:
    wire = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    return KUCOIN.parse_private(CLASSIC, market_type, wire, 7)


REF = OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="4611")
XBT_REF = OrderRef(instrument=XBT, client_order_id="ct0001", exchange_order_id="4611")


UPDATE = OrderUpdate(
    symbol="BTC-USDT",
    exchange_order_id="4611",
    client_order_id=good.CLIENT_ORDER_ID,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=D("0.001"),
    amount=D("0.003"),
    price=D("30000.5"),
    average_price=D(30000),
    exchange_ms=MS,
    text="active",
)


FILL = Fill(
    symbol="BTC-USDT",
    exchange_order_id="4611",
    client_order_id=None,
    trade_id="77",
    side=Side.BUY,
    price=D(30000),
    amount=D("0.001"),
    fee=D("0.03"),
    fee_asset="USDT",
    is_maker=True,
    exchange_ms=MS,
)


POSITION = Position(
    symbol="XBTUSDTM",
    side=PositionSide.NET,
    amount=D(-2),
    entry_price=D("30000.5"),
    unrealised=D("-0.5"),
    leverage=None,  # of an isolated one it is not told as it was set
    margin_mode=MarginMode.ISOLATED,
    liquidation_price=D(40000),
)
