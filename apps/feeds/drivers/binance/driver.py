"""Binance as a Driver: spot, and USD-M perpetuals as futures."""

from collections.abc import Sequence

from apps.feeds.book.continuity import PreviousUpdate, Rule, UpdateRange, WholeBooks
from apps.feeds.drivers.base import Command, Driver, Heartbeat, Limits, Resync, Topic, TopicKind
from apps.feeds.drivers.binance import facts, public, rest, symbols
from apps.feeds.market import MarketType


class Binance(Driver):
    exchange_id = symbols.EXCHANGE
    name = "Binance"

    stream = staticmethod(symbols.name)
    parse = staticmethod(public.parse)
    snapshot_request = staticmethod(rest.snapshot_request)
    parse_snapshot = staticmethod(rest.parse_snapshot)
    instruments_request = staticmethod(rest.instruments_request)
    parse_instruments = staticmethod(rest.parse_instruments)
    volumes_request = staticmethod(rest.volumes_request)
    parse_volumes = staticmethod(rest.parse_volumes)
    retry_after = staticmethod(rest.retry_after)

    def limits(self, market_type: MarketType) -> Limits:
        return facts.LIMITS[market_type]

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT

    def category(self, market_type: MarketType, topic: Topic) -> str:
        routed = market_type is MarketType.FUTURES and topic.kind is TopicKind.TRADES
        return facts.MARKET if routed else facts.BOOKS

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type][category]

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.commands(market_type, topics, first_id, "SUBSCRIBE")

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.commands(market_type, topics, first_id, "UNSUBSCRIBE")

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        if depth == 20:  # the one depth with a channel of whole books
            return WholeBooks()
        return UpdateRange() if market_type is MarketType.SPOT else PreviousUpdate()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        return Resync.RESUBSCRIBE if depth == 20 else Resync.REST
