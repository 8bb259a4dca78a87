"""How each exchange tells a refusal, for tests that go through its codes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import FeedError
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import NewOrder, OrderRef, OrderType
from apps.feeds.tests import good_account_frames_bybit as bybit
from apps.feeds.tests import good_account_frames_coinex as coinex
from apps.feeds.tests import good_account_frames_htx as htx
from apps.feeds.tests import good_account_frames_kucoin as kucoin
from apps.feeds.tests import good_account_frames_okx as okx
from apps.feeds.tests.listings import instrument
from apps.feeds.tests.trader_requests import answer

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
OURS = "0x000000000000000000000000000000c7"  # fits every exchange
WORDS = "in their words"


def _htx(market: MarketType, code: str, text: str) -> Answer:
    if market is FUTURES and code.isdigit():
        return answer(htx.swap_refused(int(code), text))
    return answer(htx.spot_refused(code, text))


def _mexc(market: MarketType, code: str, text: str) -> Answer:
    if market is SPOT:
        return answer({"code": int(code), "msg": text}, 400)
    return answer({"success": False, "code": int(code), "message": text})


def _hyperliquid(market: MarketType, code: str, text: str) -> Answer:
    data = {"statuses": [{"error": code}]}
    return answer({"status": "ok", "response": {"type": "order", "data": data}})


TELL: dict[str, Callable[[MarketType, str, str], Answer]] = {
    "binance": lambda market, code, text: answer({"code": int(code), "msg": text}, 400),
    "bybit": lambda market, code, text: answer(bybit.refused(int(code), text)),
    "coinex": lambda market, code, text: answer(coinex.refused(int(code), text)),
    "htx": _htx,
    "hyperliquid": _hyperliquid,
    "kucoin": lambda market, code, text: answer(kucoin.refused(code, text)),
    "mexc": _mexc,
    "okx": lambda market, code, text: answer(okx.refused(code, text)),
}


def order(exchange: str, market: MarketType) -> NewOrder:
    return NewOrder(
        instrument=instrument(exchange=exchange, market_type=market),
        client_order_id=OURS,
        side=Side.BUY,
        type=OrderType.LIMIT,
        expires_ms=1_790_000_002_000,
        amount=Decimal("0.01"),
        price=Decimal(30_000),
    )


def ref(exchange: str, market: MarketType) -> OrderRef:
    return OrderRef(
        instrument=instrument(exchange=exchange, market_type=market), client_order_id=OURS, exchange_order_id="4611"
    )


def of_placing(exchange: str, market: MarketType, code: str, text: str = WORDS) -> FeedError | None:
    """What a new order comes to that is answered so; None: it counts as done."""
    told, trader = TELL[exchange](market, code, text), registry.trader(exchange)
    return _raised(lambda: trader.parse_placed(order(exchange, market), told))


def of_cancelling(exchange: str, market: MarketType, code: str, text: str = WORDS) -> FeedError | None:
    told, trader = TELL[exchange](market, code, text), registry.trader(exchange)
    return _raised(lambda: trader.parse_cancelled(ref(exchange, market), told))


def of_asking(exchange: str, market: MarketType, code: str, text: str = WORDS) -> FeedError | None:
    """What a question after an order comes to."""
    told, trader = TELL[exchange](market, code, text), registry.trader(exchange)
    return _raised(lambda: trader.parse_order(ref(exchange, market), told))


def _raised(call: Callable[[], Any]) -> FeedError | None:
    try:
        call()
    except FeedError as error:
        return error
    return None
