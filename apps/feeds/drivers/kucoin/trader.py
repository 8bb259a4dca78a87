"""KuCoin as a Trader, of classic accounts and of unified ones: `Credentials.account` tells which."""

from collections.abc import Sequence

from apps.feeds.drivers.base import Frame, Heartbeat
from apps.feeds.drivers.kucoin import account, orders, private, signing, symbols, terms
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.facts import HEARTBEAT
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer, Expiry, Token, TradeLimits
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials


class KucoinTrader(Trader):
    exchange_id = symbols.EXCHANGE

    place = staticmethod(orders.place)
    parse_placed = staticmethod(orders.parse_placed)
    cancel = staticmethod(orders.cancel)
    parse_cancelled = staticmethod(orders.parse_cancelled)
    cancel_all = staticmethod(orders.cancel_all)
    parse_cancelled_all = staticmethod(orders.parse_cancelled_all)
    dead_man = staticmethod(orders.dead_man)
    dead_man_terms = staticmethod(orders.dead_man_terms)
    parse_dead_man = staticmethod(orders.parse_dead_man)
    query = staticmethod(orders.query)
    parse_order = staticmethod(orders.parse_order)
    open_orders = staticmethod(orders.open_orders)
    parse_open_orders = staticmethod(orders.parse_open_orders)
    own_trades = staticmethod(orders.own_trades)
    parse_own_trades = staticmethod(orders.parse_own_trades)
    order_trades = staticmethod(orders.order_trades)
    account_requests = staticmethod(account.mode)
    balances = staticmethod(account.balances)
    parse_balances = staticmethod(account.parse_balances)
    positions = staticmethod(account.positions)
    parse_positions = staticmethod(account.parse_positions)
    fees = staticmethod(terms.fees)
    parse_fees = staticmethod(terms.parse_fees)
    funding = staticmethod(terms.funding)
    parse_funding = staticmethod(terms.parse_funding)
    set_leverage = staticmethod(terms.set_leverage)
    parse_leverage_set = staticmethod(terms.parse_leverage_set)
    server_time = staticmethod(account.server_time)
    parse_server_time = staticmethod(account.parse_server_time)
    permissions = staticmethod(account.permissions)
    parse_permissions = staticmethod(account.parse_permissions)
    token_request = staticmethod(account.token)
    parse_token = staticmethod(account.parse_token)
    parse_private = staticmethod(private.parse)

    def expiry(self, market_type: MarketType) -> Expiry:
        return facts.EXPIRY[market_type]

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return facts.LIMITS

    def parse_account(self, answers: Sequence[Answer]) -> str:
        if len(answers) != 1:
            raise MalformedFrame(f"{len(answers)} answers to one request")
        return account.parse_mode(answers[0])

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        if facts.generation(keys) is facts.UNIFIED:
            return facts.UNIFIED_SOCKET
        if token is None:
            raise MalformedFrame("a classic socket takes a token")
        return token.url

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return HEARTBEAT

    def login(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return [signing.login(keys, now_ms)] if facts.generation(keys) is facts.UNIFIED else []

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        """Those of classic accounts; unified ones have executions besides."""
        return tuple(facts.TOPICS[market_type])

    def subscribe_private(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return private.subscribe(keys, market_type)
