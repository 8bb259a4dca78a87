"""Binance as a Trader: spot, and USD-M perpetuals as futures."""

from contextlib import suppress
from urllib.parse import urlencode

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Heartbeat, Request
from apps.feeds.drivers.binance import account, answers, facts, orders, private, symbols, timer, trades
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.signing import keyed
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer, Expiry, Token, TradeLimits
from apps.feeds.errors import UnknownOrder
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials


class ListenKey(Struct, rename="camel"):
    listen_key: wire.Word = ""


_listen_key = wire.decoder(ListenKey)


class BinanceTrader(Trader):
    exchange_id = symbols.EXCHANGE

    place = staticmethod(orders.place)
    parse_placed = staticmethod(orders.parse_placed)
    cancel = staticmethod(orders.cancel)
    parse_cancelled = staticmethod(orders.parse_cancelled)
    cancel_all = staticmethod(orders.cancel_all)
    dead_man_terms = staticmethod(timer.terms)
    dead_man = staticmethod(timer.press)
    parse_dead_man = staticmethod(timer.parse)
    query = staticmethod(orders.query)
    parse_order = staticmethod(orders.parse_order)
    open_orders = staticmethod(orders.open_orders)
    parse_open_orders = staticmethod(orders.parse_open_orders)
    own_trades = staticmethod(trades.own_trades)
    parse_own_trades = staticmethod(trades.parse_own_trades)
    order_trades = staticmethod(trades.order_trades)

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

    subscribe_private = staticmethod(private.subscribe)
    parse_private = staticmethod(private.parse)

    def expiry(self, market_type: MarketType) -> Expiry:
        return trading.EXPIRY

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return trading.TRADE_LIMITS[market_type]

    def parse_cancelled_all(self, instrument: Instrument, answer: Answer) -> None:
        """With nothing open, spot says that it does not know the order."""
        with suppress(UnknownOrder):
            answers.done(instrument.market_type, answer, order=True)

    def token_request(self, keys: Credentials, market_type: MarketType, now_ms: int) -> Request | None:
        return keyed(keys, "POST", trading.LISTEN_KEY) if market_type is MarketType.FUTURES else None

    def parse_token(self, market_type: MarketType, answer: Answer) -> Token:
        """A renewal may answer without the key, which is as before: its value is empty then."""
        told = answers.result(_listen_key, market_type, answer)
        return Token(value=told.listen_key, renew_every_s=trading.LISTEN_KEY_RENEW_S)

    def renew_request(self, keys: Credentials, market_type: MarketType, token: Token, now_ms: int) -> Request | None:
        return keyed(keys, "PUT", trading.LISTEN_KEY) if market_type is MarketType.FUTURES else None

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        if market_type is MarketType.SPOT:
            return trading.WS_API
        query = {"listenKey": token.value if token else "", "events": "/".join(trading.PRIVATE_EVENTS)}
        return f"{trading.PRIVATE_STREAM}?{urlencode(query, safe='/')}"

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        return (trading.USER_DATA,) if market_type is MarketType.SPOT else ()
