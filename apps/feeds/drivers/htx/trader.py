"""HTX as a Trader: spot, and linear swaps (v5) as futures; amounts of swaps are contracts."""

from types import ModuleType

from apps.feeds.drivers.base import Heartbeat, Request
from apps.feeds.drivers.htx import account, identity, private, spot, swap, symbols, timer
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.facts import FUTURES
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer, Expiry, IdForm, Page, Placed, Token, TradeLimits
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials, Fill, NewOrder, OrderRef, OrderUpdate, Position


def _half(instrument: Instrument) -> ModuleType:
    """The two halves share names and signatures."""
    return swap if instrument.market_type is FUTURES else spot


class HtxTrader(Trader):
    exchange_id = symbols.EXCHANGE

    account_requests = staticmethod(identity.account_requests)
    parse_account = staticmethod(identity.parse_account)
    dead_man_terms = staticmethod(timer.terms)
    dead_man = staticmethod(timer.press)
    parse_dead_man = staticmethod(timer.parse)
    balances = staticmethod(account.balances)
    parse_balances = staticmethod(account.parse_balances)
    fees = staticmethod(account.fees)
    parse_fees = staticmethod(account.parse_fees)
    funding = staticmethod(account.funding)
    parse_funding = staticmethod(account.parse_funding)
    set_leverage = staticmethod(account.set_leverage)
    parse_leverage_set = staticmethod(account.parse_leverage_set)
    server_time = staticmethod(account.server_time)
    parse_server_time = staticmethod(account.parse_server_time)
    permissions = staticmethod(identity.permissions)
    parse_permissions = staticmethod(identity.parse_permissions)
    login = staticmethod(private.login)
    subscribe_private = staticmethod(private.subscribe)
    parse_private = staticmethod(private.parse)

    def id_form(self, market_type: MarketType) -> IdForm:
        return IdForm.INTEGER if market_type is FUTURES else IdForm.TEXT

    def expiry(self, market_type: MarketType) -> Expiry:
        return facts.EXPIRY

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return facts.LIMITS[market_type]

    def place(self, keys: Credentials, order: NewOrder, now_ms: int) -> Request:
        return _half(order.instrument).place(keys, order, now_ms)

    def parse_placed(self, order: NewOrder, answer: Answer) -> Placed:
        return _half(order.instrument).parse_placed(order, answer)

    def cancel(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
        return _half(ref.instrument).cancel(keys, ref, now_ms)

    def parse_cancelled(self, ref: OrderRef, answer: Answer) -> None:
        _half(ref.instrument).parse_cancelled(ref, answer)

    def cancel_all(self, keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
        return _half(instrument).cancel_all(keys, instrument, now_ms)

    def parse_cancelled_all(self, instrument: Instrument, answer: Answer) -> None:
        _half(instrument).parse_cancelled_all(answer)

    def query(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
        return _half(ref.instrument).query(keys, ref, now_ms)

    def parse_order(self, ref: OrderRef, answer: Answer) -> OrderUpdate:
        return _half(ref.instrument).parse_order(answer)

    def open_orders(
        self,
        keys: Credentials,
        market_type: MarketType,
        instrument: Instrument | None,
        now_ms: int,
        cursor: str | None = None,
    ) -> Request:
        return (swap if market_type is FUTURES else spot).open_orders(keys, instrument, now_ms, cursor)

    def parse_open_orders(self, market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
        return (swap if market_type is FUTURES else spot).parse_open_orders(answer)

    def own_trades(
        self, keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
    ) -> Request:
        return _half(instrument).own_trades(keys, instrument, since_ms, now_ms, cursor)

    def parse_own_trades(self, instrument: Instrument, answer: Answer) -> Page[Fill]:
        return _half(instrument).parse_own_trades(answer)

    def order_trades(self, keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
        return _half(ref.instrument).order_trades(keys, ref, now_ms, cursor)

    def positions(self, keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
        return account.positions(keys, now_ms)

    def parse_positions(self, answer: Answer) -> Page[Position]:
        return account.parse_positions(answer)

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        return f"wss://{facts.HOST[market_type]}{facts.SOCKET_PATH[market_type]}"

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT[market_type]

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        return facts.CHANNELS[market_type]
