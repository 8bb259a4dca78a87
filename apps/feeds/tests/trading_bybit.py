"""Orders, requests and answers of Bybit that its trading tests share."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from apps.feeds.drivers import registry
from apps.feeds.drivers.bybit import signing
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OrderIsFinal,
    OutcomeUnknown,
    RateLimited,
    Retryable,
    UnknownOrder,
    UnknownSymbol,
    WouldTake,
)
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Credentials,
    Fill,
    OrderRef,
    OrderStatus,
    OrderUpdate,
    Position,
    PositionSide,
)
from apps.feeds.tests import good_account_frames_bybit as good
from apps.feeds.tests.trader_requests import limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
BYBIT = registry.trader("bybit")
KEYS = Credentials(key="a-key", secret="a-secret")
NOW = 1_790_000_000_000
OURS = good.CLIENT_ORDER_ID
WEEK = 7 * 86_400_000


def instrument(market=SPOT, symbol="BTCUSDT", settle="USDT"):
    return Instrument(
        exchange="bybit",
        market_type=market,
        pair="BTC/USDT",
        symbol=symbol,
        base="BTC",
        quote="USDT",
        settle=settle,
        tick=Decimal("0.10"),
        lot=Decimal("0.001"),
    )


def order(market=SPOT, **changes):
    usual = {"client_order_id": OURS, "amount": Decimal("0.010"), "price": Decimal("30000.50")}
    return limit_order(instrument(market), NOW, **(usual | changes))


def ref(market=SPOT, ours=OURS, theirs=None, symbol="BTCUSDT"):
    return OrderRef(instrument=instrument(market, symbol), client_order_id=ours, exchange_order_id=theirs)


def sent(request):
    """Method, path and parameters of a request, whose signature is proven to be that of what is sent."""
    parts = urlsplit(request.url)
    assert f"{parts.scheme}://{parts.netloc}" == "https://api.bybit.com"
    assert not (parts.query and request.body)
    headers = dict(request.headers)
    window = headers.pop("X-BAPI-RECV-WINDOW")
    assert request.expires_ms == NOW + int(window)
    assert headers.pop("X-BAPI-SIGN") == signing.signature(
        "a-secret", f"{NOW}a-key{window}{request.body or parts.query}"
    )
    assert headers.pop("X-BAPI-API-KEY") == "a-key"
    assert headers.pop("X-BAPI-TIMESTAMP") == str(NOW)
    assert headers == ({"Content-Type": "application/json"} if request.body else {})
    params = (
        json.loads(request.body) if request.body else dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    )
    return f"{request.method} {parts.path.removeprefix('/v5/')}", params


def placed(market, **changes):
    return sent(BYBIT.place(KEYS, order(market, **changes), NOW))


def private(market, frame):
    return BYBIT.parse_private(KEYS, market, frame if isinstance(frame, str) else json.dumps(frame), 7)


PARTIAL = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="4611",
    client_order_id=OURS,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=Decimal("0.001"),
    amount=Decimal("0.003"),
    price=Decimal("30000.5"),
    average_price=Decimal("30000.1"),
    exchange_ms=good.T,
    text="PartiallyFilled",
)


def fill(**changes):
    fields = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "4611",
        "client_order_id": OURS,
        "trade_id": "2800474f-1e3d",
        "side": Side.BUY,
        "price": Decimal("30000.1"),
        "amount": Decimal("0.001"),
        "fee": Decimal("0.0185"),
        "fee_asset": "USDT",
        "is_maker": False,
        "exchange_ms": good.T,
    }
    return Fill(**(fields | changes))


SHORT = Position(
    symbol="BTCUSDT",
    side=PositionSide.NET,
    amount=Decimal("-0.01"),
    entry_price=Decimal("36410.75"),
    unrealised=Decimal("-0.00255"),
    leverage=Decimal(30),
    liquidation_price=Decimal("51764.8"),
)
CODES = [
    (10000, "Server Timeout", OutcomeUnknown),
    (10016, "Internal System Error.", OutcomeUnknown),
    (170007, "Timeout waiting for response from backend server.", OutcomeUnknown),
    (170146, "Order creation timeout", OutcomeUnknown),
    (10006, "Too many visits!", RateLimited),
    (429, "System level frequency protection", RateLimited),
    (10018, "Exceeded the IP Rate Limit.", Banned),
    (10009, "IP has been banned.", Banned),
    (10002, "The request time exceeds the time window range.", ClockSkew),
    (-1, "request timestamp expired", ClockSkew),
    (10003, "API key is invalid.", BadCredentials),
    (10004, "Error sign, please check your signature generation algorithm.", BadCredentials),
    (10010, "Unmatched IP, please check your API key's bound IP addresses.", BadCredentials),
    (33004, "Your api key has expired.", BadCredentials),
    (-2015, "Invalid API-key", BadCredentials),
    (10005, "Permission denied, please check your API key permissions.", NotPermitted),
    (10001, "Request parameter error", InvalidOrder),
    (10001, "Not supported symbols", UnknownSymbol),
    (110004, "Insufficient wallet balance", InsufficientFunds),
    (110007, "Available balance is insufficient", InsufficientFunds),
    (110012, "Insufficient available balance.", InsufficientFunds),
    (110044, "Insufficient available margin", InsufficientFunds),
    (110045, "Insufficient wallet balance", InsufficientFunds),
    (170131, "Balance insufficient", InsufficientFunds),
    (170033, "margin Insufficient account balance.", InsufficientFunds),
    (110094, "Order notional value below the lower limit", InvalidOrder),
    (170140, "Order value exceeded lower limit", InvalidOrder),
    (110017, "ReduceOnly rule not satisfied", InvalidOrder),
    (110003, "Order price is out of permissible range", InvalidOrder),
    (110020, "Cannot have more than 500 active orders", InvalidOrder),
    (170132, "Order price too high", InvalidOrder),
    (170133, "Order price lower than the minimum.", InvalidOrder),
    (170134, "Order price decimal too long.", InvalidOrder),
    (170136, "Order quantity lower than the minimum.", InvalidOrder),
    (170137, "Order volume decimal too long", InvalidOrder),
    (170148, "Market order amount decimal too long", InvalidOrder),
    (110001, "Order does not exist", UnknownOrder),
    (170213, "Order does not exist.", UnknownOrder),
    (110008, "Order has been finished or canceled", OrderIsFinal),
    (110010, "Order already cancelled", OrderIsFinal),
    (170142, "Order has been canceled", OrderIsFinal),
    (170190, "Order has been finished", OrderIsFinal),
    (110072, "OrderLinkedID is duplicate", DuplicateOrder),
    (170141, "Duplicate clientOrderId", DuplicateOrder),
    (10014, "Invalid duplicate request.", DuplicateOrder),
    (110079, "The order is processing", Retryable),
    (170191, "Order is pending", Retryable),
    (170212, "Order is busy", Retryable),
    (170218, "The LIMIT-MAKER order is rejected due to invalid price.", WouldTake),
    (170121, "Invalid symbol.", UnknownSymbol),
]
