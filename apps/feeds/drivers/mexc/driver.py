"""MEXC as a Driver: two APIs under one brand, spot (protobuf) and linear perpetuals (JSON; amounts are contracts)."""

from collections.abc import Sequence

from apps.feeds.book.continuity import Rule, VersionRange, WholeBooks
from apps.feeds.drivers.base import Command, Driver, Event, Frame, Heartbeat, Limits, Resync, Topic
from apps.feeds.drivers.mexc import facts, futures, rest, spot, symbols
from apps.feeds.market import MarketType


class Mexc(Driver):
    exchange_id = symbols.EXCHANGE
    name = "MEXC"

    stream = staticmethod(symbols.name)
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
        return facts.HEARTBEATS[market_type]

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type]

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        if market_type is MarketType.SPOT:
            return spot.commands(topics, first_id, "SUBSCRIPTION")
        return futures.commands(topics, first_id, facts.SUBSCRIBE)

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        if market_type is MarketType.SPOT:
            return spot.commands(topics, first_id, "UNSUBSCRIPTION")
        return futures.commands(topics, first_id, facts.UNSUBSCRIBE)

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        return (spot if market_type is MarketType.SPOT else futures).parse(frame, received_ns)

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        return WholeBooks() if depth == facts.WHOLE_LEVELS else VersionRange()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        return Resync.RESUBSCRIBE if depth == facts.WHOLE_LEVELS else Resync.REST
