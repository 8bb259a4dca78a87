"""CoinEx as a Driver: spot, and linear perpetuals as futures, whose amounts are coins."""

from collections.abc import Sequence

from apps.feeds.book.continuity import ChecksumOnly, Rule
from apps.feeds.drivers.base import Command, Driver, Heartbeat, Limits, Resync, Topic
from apps.feeds.drivers.coinex import facts, public, rest, symbols
from apps.feeds.market import MarketType


class CoinEx(Driver):
    exchange_id = symbols.EXCHANGE
    name = "CoinEx"

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
        return facts.LIMITS

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type]

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.commands(topics, first_id, "subscribe")

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.commands(topics, first_id, "unsubscribe")

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        return ChecksumOnly(facts.BOOK_LEVELS[depth])

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        return Resync.RESUBSCRIBE
