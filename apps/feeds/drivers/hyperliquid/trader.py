"""Hyperliquid as a Trader: an agent's wallet signs for the account whose address is the key."""

from apps.feeds.drivers.hyperliquid import account, orders, private, symbols, timer
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Expiry, IdForm, TradeLimits
from apps.feeds.market import MarketType


class HyperliquidTrader(Trader):
    exchange_id = symbols.EXCHANGE

    place = staticmethod(orders.place)
    parse_placed = staticmethod(orders.parse_placed)
    cancel = staticmethod(orders.cancel)
    parse_cancelled = staticmethod(orders.parse_cancelled)
    cancel_all = staticmethod(orders.cancel_all)
    parse_cancelled_all = staticmethod(orders.parse_cancelled_all)
    dead_man_terms = staticmethod(timer.terms)
    dead_man = staticmethod(timer.press)
    parse_dead_man = staticmethod(timer.parse)
    query = staticmethod(orders.query)
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

    private_endpoint = staticmethod(private.endpoint)
    private_heartbeat = staticmethod(private.heartbeat)
    private_channels = staticmethod(private.channels)
    subscribe_private = staticmethod(private.subscribe)
    parse_private = staticmethod(private.parse)

    def id_form(self, market_type: MarketType) -> IdForm:
        return IdForm.HEX

    def expiry(self, market_type: MarketType) -> Expiry:
        return facts.EXPIRY

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return facts.LIMITS
