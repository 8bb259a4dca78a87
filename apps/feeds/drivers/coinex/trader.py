"""CoinEx as a Trader: spot, and linear perpetuals as futures, one position of a market."""

from apps.feeds.drivers.base import Heartbeat
from apps.feeds.drivers.coinex import account, facts, orders, private, symbols, trading_facts
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Expiry, Token, TradeLimits
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials


class CoinExTrader(Trader):
    exchange_id = symbols.EXCHANGE

    place = staticmethod(orders.place)
    parse_placed = staticmethod(orders.parse_placed)
    cancel = staticmethod(orders.cancel)
    parse_cancelled = staticmethod(orders.parse_cancelled)
    cancel_all = staticmethod(orders.cancel_all)
    parse_cancelled_all = staticmethod(orders.parse_cancelled_all)
    query = staticmethod(orders.query)
    query_finished = staticmethod(orders.query_finished)
    parse_order = staticmethod(orders.parse_order)
    open_orders = staticmethod(orders.open_orders)
    parse_open_orders = staticmethod(orders.parse_open_orders)
    own_trades = staticmethod(orders.own_trades)
    parse_own_trades = staticmethod(orders.parse_own_trades)
    order_trades = staticmethod(orders.order_trades)
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
    login = staticmethod(private.login)
    private_channels = staticmethod(private.channels)
    subscribe_private = staticmethod(private.subscribe)
    parse_private = staticmethod(private.parse)

    def expiry(self, market_type: MarketType) -> Expiry:
        return trading_facts.EXPIRY

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return trading_facts.LIMITS[market_type]

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        return facts.SOCKETS[market_type]

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT
