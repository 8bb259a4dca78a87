"""MEXC as a Driver: two APIs under one brand, spot (protobuf) and linear perpetuals (JSON; amounts are contracts)."""

from collections.abc import Sequence

from apps.feeds.book.continuity import Rule, VersionRange, WholeBooks
from apps.feeds.drivers.base import (
    Catalogue,
    Command,
    Event,
    Frame,
    Heartbeat,
    Limits,
    Request,
    Resync,
    Topic,
)
from apps.feeds.drivers.mexc import facts, futures, rest, spot, symbols
from apps.feeds.market import DEPTHS, BookSnapshot, MarketType

_WHOLE = 20  # the one depth with channels of whole books


class Mexc:
    exchange_id = symbols.EXCHANGE
    name = "MEXC"

    def limits(self, market_type: MarketType) -> Limits:
        return facts.LIMITS[market_type]

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEATS[market_type]

    def depths(self, market_type: MarketType) -> Sequence[int]:
        return DEPTHS

    def category(self, market_type: MarketType, topic: Topic) -> str:
        return facts.PUBLIC

    def token_request(self, market_type: MarketType, category: str) -> Request | None:
        return None

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type]

    def stream(self, market_type: MarketType, topic: Topic) -> str:
        return symbols.name(market_type, topic)

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        if market_type is MarketType.SPOT:
            return spot.subscribe(topics, first_id, "SUBSCRIPTION")
        return futures.subscribe(topics, first_id)

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        if market_type is MarketType.SPOT:
            return spot.subscribe(topics, first_id, "UNSUBSCRIPTION")
        return futures.unsubscribe(topics, first_id)

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        return (spot if market_type is MarketType.SPOT else futures).parse(frame, received_ns)

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        return WholeBooks() if depth == _WHOLE else VersionRange()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        return Resync.RESUBSCRIBE if depth == _WHOLE else Resync.REST

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return rest.snapshot_request(market_type, symbol, depth)

    def parse_snapshot(self, market_type: MarketType, symbol: str, body: bytes, received_ns: int) -> BookSnapshot:
        return rest.parse_snapshot(market_type, symbol, body, received_ns)

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        return None

    def instruments_request(self, market_type: MarketType) -> Request:
        return rest.instruments_request(market_type)

    def parse_instruments(self, market_type: MarketType, body: bytes) -> Catalogue:
        return rest.parse_instruments(market_type, body)

    def volumes_request(self, market_type: MarketType) -> Request:
        return rest.volumes_request(market_type)

    def parse_volumes(self, market_type: MarketType, body: bytes) -> dict[str, float]:
        return rest.parse_volumes(market_type, body)

    def retry_after(self, status: int, headers: dict[str, str], body: bytes) -> float | None:
        return rest.retry_after(status, headers, body)
