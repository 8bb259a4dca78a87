"""CoinEx as a Driver: spot, and linear perpetuals as futures, whose amounts are coins."""

from collections.abc import Sequence

from apps.feeds.book.continuity import ChecksumOnly, Rule
from apps.feeds.drivers import wire
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
from apps.feeds.drivers.coinex import facts, public, rest, symbols
from apps.feeds.market import DEPTHS, BookSnapshot, MarketType


class CoinEx:
    exchange_id = symbols.EXCHANGE
    name = "CoinEx"

    def limits(self, market_type: MarketType) -> Limits:
        return facts.LIMITS

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT

    def depths(self, market_type: MarketType) -> Sequence[int]:
        return DEPTHS

    def category(self, market_type: MarketType, topic: Topic) -> str:
        return facts.PUBLIC

    def token_request(self, market_type: MarketType, category: str) -> Request | None:
        return None

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type]

    def stream(self, market_type: MarketType, topic: Topic) -> str:
        return symbols.name(topic)

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.subscribe(topics, first_id)

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.unsubscribe(topics, first_id)

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        return public.parse(frame, received_ns)

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        return ChecksumOnly(facts.BOOK_LEVELS[depth])

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        return Resync.RESUBSCRIBE

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return rest.snapshot_request(market_type, symbol, depth)

    def parse_snapshot(self, market_type: MarketType, symbol: str, body: bytes, received_ns: int) -> BookSnapshot:
        return rest.parse_snapshot(symbol, body, received_ns)

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        return None

    def instruments_request(self, market_type: MarketType) -> Request:
        return rest.instruments_request(market_type)

    def parse_instruments(self, market_type: MarketType, body: bytes) -> Catalogue:
        return rest.parse_instruments(market_type, body)

    def volumes_request(self, market_type: MarketType) -> Request:
        return rest.volumes_request(market_type)

    def parse_volumes(self, market_type: MarketType, body: bytes) -> dict[str, float]:
        return rest.parse_volumes(body)

    def retry_after(self, status: int, headers: dict[str, str], body: bytes) -> float | None:
        default_s = facts.STAY_AWAY_S.get(status)
        if default_s is not None:
            return wire.retry_header(headers, default_s)
        return facts.TOO_OFTEN_S if rest.too_often(body) else None
