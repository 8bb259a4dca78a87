"""Orders as the tests of OKX's trader ask for them, and frames as it reads them."""

import json
from decimal import Decimal
from typing import Any

from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Credentials,
    NewOrder,
    OrderRef,
    OrderType,
)
from apps.feeds.tests import good_account_frames_okx as good
from apps.feeds.tests.trader_requests import limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
OKX = registry.trader("okx")
KEYS = Credentials(key="the-key", secret="okxSecret01", passphrase="the-passphrase")
NOW = 1767323045678
BTC, SWAP = good.BTC, good.SWAP
D = Decimal


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    amount = D("0.003") if instrument is BTC else D("0.03")
    usual = {"amount": amount}
    return limit_order(instrument, NOW, **(usual | changes))


def market(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return order(instrument, **({"type": OrderType.MARKET, "price": None} | changes))


def private(frame: Any, market_type: MarketType = SPOT) -> list[Any]:
    wire = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    return OKX.parse_private(KEYS, market_type, wire, 7)


REF = OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="4611")
