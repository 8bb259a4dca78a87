"""Orders, requests and answers of Binance that its trading tests share."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from apps.feeds.drivers import registry
from apps.feeds.drivers.binance import signing
from apps.feeds.errors import (
    BadCredentials,
    ClockSkew,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OrderIsFinal,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    UnknownOrder,
    UnknownSymbol,
    WouldTake,
)
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Credentials,
    OrderRef,
)
from apps.feeds.tests.trader_requests import limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
BINANCE = registry.trader("binance")
KEYS = Credentials(key="a-key", secret="a-secret")
NOW = 1_790_000_000_000
OURS = "ctt00000000a1abcde"


def instrument(market=SPOT, symbol="BTCUSDT"):
    return Instrument(
        exchange="binance",
        market_type=market,
        pair="BTC/USDT",
        symbol=symbol,
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.10"),
        lot=Decimal("0.001"),
    )


def order(market=SPOT, **changes):
    usual = {"client_order_id": OURS, "amount": Decimal("0.010"), "price": Decimal("30000.50")}
    return limit_order(instrument(market), NOW, **(usual | changes))


def ref(market=SPOT, ours=OURS, theirs=None, symbol="BTCUSDT"):
    return OrderRef(instrument=instrument(market, symbol), client_order_id=ours, exchange_order_id=theirs)


def sent(request):
    """Path and parameters of a request, whose signature is proven to be that of what stands before it."""
    parts = urlsplit(request.url)
    assert not (parts.query and request.body)
    text, _, signature = (request.body or parts.query).rpartition("&signature=")
    assert signature == signing.signature("a-secret", text)
    assert request.headers["X-MBX-APIKEY"] == "a-key"
    assert ("Content-Type" in request.headers) == bool(request.body)
    params = dict(parse_qsl(text, strict_parsing=True))
    assert (params.pop("timestamp"), int(params.pop("recvWindow"))) == (str(NOW), request.expires_ms - NOW)
    return f"{request.method} {parts.scheme}://{parts.netloc}{parts.path}", params


def placed(market, **changes):
    return sent(BINANCE.place(KEYS, order(market, **changes), NOW))


def private(market, frame):
    return BINANCE.parse_private(KEYS, market, frame if isinstance(frame, str) else json.dumps(frame), 7)


CODES = [
    (-1000, "An unknown error occurred", OutcomeUnknown),
    (-1001, "Internal error", OutcomeUnknown),
    (-1003, "Too much request weight used", RateLimited),
    (-1006, "An unexpected response was received", OutcomeUnknown),
    (-1007, "Timeout waiting for response from backend server", OutcomeUnknown),
    (-1008, "Server is currently overloaded", Retryable),
    (-1013, "Filter failure: NOTIONAL", InvalidOrder),
    (-1013, "Filter failure: LOT_SIZE", InvalidOrder),
    (-1015, "Too many new orders", RateLimited),
    (-1021, "Timestamp for this request is outside of the recvWindow.", ClockSkew),
    (-1022, "Signature for this request is not valid.", BadCredentials),
    (-1111, "Parameter 'quantity' has too much precision.", InvalidOrder),
    (-1121, "Invalid symbol.", UnknownSymbol),
    (-2010, "Account has insufficient balance for requested action.", InsufficientFunds),
    (-2010, "Duplicate order sent.", DuplicateOrder),
    (-2010, "Order would immediately match and take.", WouldTake),
    (-2010, "Market is closed.", UnknownSymbol),
    (-2010, "This symbol is not permitted for this account.", NotPermitted),
    (-2010, "The relationship of the prices for the orders is not correct.", Refused),
    (-2011, "Unknown order sent.", UnknownOrder),
    (-2011, "Order was already canceled.", OrderIsFinal),
    (-2013, "Order does not exist.", UnknownOrder),
    (-2014, "API-key format invalid.", BadCredentials),
    (-2015, "Invalid API-key, IP, or permissions for action.", BadCredentials),
]
FUTURES_CODES = [
    (-2018, "Balance is insufficient.", InsufficientFunds),
    (-2019, "Margin is insufficient.", InsufficientFunds),
    (-2022, "ReduceOnly Order is rejected.", InvalidOrder),
    (-4003, "Quantity less than or equal to zero.", InvalidOrder),
    (-4004, "Quantity less than minimum.", InvalidOrder),
    (-4005, "Quantity greater than maximum.", InvalidOrder),
    (-4014, "Price not increased by tick size.", InvalidOrder),
    (-4015, "Client order id is not valid.", InvalidOrder),
    (-4023, "Quantity not increased by step size.", InvalidOrder),
    (-4061, "Order's position side does not match user's setting.", InvalidOrder),
    (-4116, "ClientOrderId is duplicated.", DuplicateOrder),
    (-4118, "ReduceOnly Order Failed.", InvalidOrder),
    (-4120, "Order type not supported for this endpoint.", InvalidOrder),
    (-4164, "Order's notional must be no smaller than 5.0", InvalidOrder),
    (-5022, "Due to the order could not be executed as maker", WouldTake),
    (-5028, "Timestamp for this request is outside of the ME recvWindow.", ClockSkew),
]
