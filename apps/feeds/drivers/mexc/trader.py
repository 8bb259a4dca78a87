"""MEXC as a Trader: two APIs under one brand, each with orders, streams and errors of its own."""

from types import ModuleType

from apps.feeds.drivers.base import Frame, Heartbeat, Request
from apps.feeds.drivers.mexc import (
    account,
    futures_orders,
    private_futures,
    private_spot,
    signing,
    spot_orders,
    symbols,
)
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import FUTURES, HEARTBEATS, SOCKETS, SPOT
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import (
    Answer,
    Expiry,
    Page,
    Placed,
    PrivateEvent,
    Token,
    TradeLimits,
)
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials, Fill, NewOrder, OrderRef, OrderUpdate


def _orders(market_type: MarketType) -> ModuleType:
    return spot_orders if market_type is SPOT else futures_orders


class MexcTrader(Trader):
    exchange_id = symbols.EXCHANGE

    balances = staticmethod(account.balances)
    parse_balances = staticmethod(account.parse_balances)
    positions = staticmethod(account.positions)
    parse_positions = staticmethod(account.parse_positions)
    fees = staticmethod(account.fees)
    parse_fees = staticmethod(account.parse_fees)
    funding = staticmethod(account.funding)
    parse_funding = staticmethod(account.parse_funding)
    set_leverage = staticmethod(account.set_leverage)
    parse_leverage_set = staticmethod(account.parse_leverage_set)
    server_time = staticmethod(account.server_time)
    parse_server_time = staticmethod(account.parse_server_time)
    permissions = staticmethod(account.permissions)
    parse_permissions = staticmethod(account.parse_permissions)

    def expiry(self, market_type: MarketType) -> Expiry:
        return facts.EXPIRY[market_type]

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return facts.LIMITS[market_type]

    def place(self, keys: Credentials, order: NewOrder, now_ms: int) -> Request:
        return _orders(order.instrument.market_type).place(keys, order, now_ms)

    def parse_placed(self, order: NewOrder, answer: Answer) -> Placed:
        return _orders(order.instrument.market_type).parse_placed(order, answer)

    def cancel(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
        return _orders(ref.instrument.market_type).cancel(keys, ref, now_ms)

    def parse_cancelled(self, ref: OrderRef, answer: Answer) -> None:
        _orders(ref.instrument.market_type).parse_cancelled(ref, answer)

    def cancel_all(self, keys: Credentials, instrument: Instrument, now_ms: int) -> Request | None:
        return _orders(instrument.market_type).cancel_all(keys, instrument, now_ms)

    def parse_cancelled_all(self, instrument: Instrument, answer: Answer) -> None:
        _orders(instrument.market_type).parse_cancelled_all(instrument, answer)

    def query(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
        return _orders(ref.instrument.market_type).query(keys, ref, now_ms)

    def parse_order(self, ref: OrderRef, answer: Answer) -> OrderUpdate:
        return _orders(ref.instrument.market_type).parse_order(ref, answer)

    def open_orders(
        self,
        keys: Credentials,
        market_type: MarketType,
        instrument: Instrument | None,
        now_ms: int,
        cursor: str | None = None,
    ) -> Request:
        """Raise InvalidOrder for all of spot: the exchange lists those of one symbol."""
        return _orders(market_type).open_orders(keys, instrument, now_ms, cursor)

    def parse_open_orders(self, market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
        return _orders(market_type).parse_open_orders(answer)

    def own_trades(
        self, keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
    ) -> Request:
        return _orders(instrument.market_type).own_trades(keys, instrument, since_ms, now_ms, cursor)

    def parse_own_trades(self, instrument: Instrument, answer: Answer) -> Page[Fill]:
        return _orders(instrument.market_type).parse_own_trades(instrument, answer)

    def order_trades(self, keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
        return _orders(ref.instrument.market_type).order_trades(keys, ref, now_ms, cursor)

    def token_request(self, keys: Credentials, market_type: MarketType, now_ms: int) -> Request | None:
        return private_spot.token_request(keys, now_ms) if market_type is SPOT else None

    def parse_token(self, market_type: MarketType, answer: Answer) -> Token:
        if market_type is FUTURES:
            raise MalformedFrame("futures have no listen keys")
        return private_spot.parse_token(answer)

    def renew_request(self, keys: Credentials, market_type: MarketType, token: Token, now_ms: int) -> Request | None:
        return private_spot.renew_request(keys, token, now_ms) if market_type is SPOT else None

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        return private_spot.endpoint(token) if market_type is SPOT else SOCKETS[FUTURES]

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return HEARTBEATS[market_type]

    def login(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return [] if market_type is SPOT else [signing.login(keys, now_ms)]

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        return facts.CHANNELS[market_type]

    def subscribe_private(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return private_spot.subscribe() if market_type is SPOT else private_futures.subscribe()

    def parse_private(
        self, keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int
    ) -> list[PrivateEvent]:
        return private_spot.parse(frame) if market_type is SPOT else private_futures.parse(frame)
