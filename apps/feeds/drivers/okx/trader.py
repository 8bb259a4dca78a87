"""OKX as a Trader: one set of endpoints and channels for spot and swaps; swaps are counted in contracts."""

from apps.feeds.drivers.base import Frame, Heartbeat
from apps.feeds.drivers.okx import account, orders, private, signing, symbols, timer
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.drivers.okx.facts import HEARTBEAT
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Expiry, Token, TradeLimits
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials


class OkxTrader(Trader):
    exchange_id = symbols.EXCHANGE

    place = staticmethod(orders.place)
    parse_placed = staticmethod(orders.parse_placed)
    cancel = staticmethod(orders.cancel)
    parse_cancelled = staticmethod(orders.parse_cancelled)
    query = staticmethod(orders.query)
    parse_order = staticmethod(orders.parse_order)
    open_orders = staticmethod(orders.open_orders)
    parse_open_orders = staticmethod(orders.parse_open_orders)
    own_trades = staticmethod(orders.own_trades)
    parse_own_trades = staticmethod(orders.parse_own_trades)
    order_trades = staticmethod(orders.order_trades)
    dead_man_terms = staticmethod(timer.terms)
    dead_man = staticmethod(timer.press)
    parse_dead_man = staticmethod(timer.parse)
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
    parse_private = staticmethod(private.parse)

    def expiry(self, market_type: MarketType) -> Expiry:
        return facts.EXPIRY

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return facts.LIMITS

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        return facts.SOCKET

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return HEARTBEAT

    def login(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return [signing.login(keys, now_ms)]

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        return facts.CHANNELS[market_type]

    def subscribe_private(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return [private.subscribe(market_type)]
