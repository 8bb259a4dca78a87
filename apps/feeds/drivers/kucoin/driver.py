"""KuCoin as a Driver: spot, and linear perpetuals (USDT and USDC) as futures; amounts of futures are contracts."""

from collections.abc import Sequence

from apps.feeds.book.continuity import PushedRange, Rule, UpdateRange, WholeBooks
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
from apps.feeds.drivers.kucoin import classic, facts, public, rest, symbols, unified
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import FULL_DEPTH, BookSnapshot, MarketType


class Kucoin:
    """Sockets are of one generation of the exchange's API, market lists of another; frames of both are understood."""

    exchange_id = symbols.EXCHANGE
    name = "KuCoin"

    def __init__(self, generation: Generation = facts.GENERATION, *, catalogue: Generation = facts.CATALOGUE) -> None:
        self._generation = generation
        self._catalogue = catalogue

    def limits(self, market_type: MarketType) -> Limits:
        return facts.LIMITS[self._generation]

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT

    def depths(self, market_type: MarketType) -> Sequence[int]:
        return facts.DEPTHS[self._generation][market_type]

    def category(self, market_type: MarketType, topic: Topic) -> str:
        return self._generation

    def token_request(self, market_type: MarketType, category: str) -> Request | None:
        return rest.token_request(market_type) if category == Generation.CLASSIC else None

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        if category == Generation.UNIFIED:
            return facts.UNIFIED_SOCKETS[market_type]
        if token is None:
            raise MalformedFrame("a classic socket takes a token")
        return rest.address(token)

    def stream(self, market_type: MarketType, topic: Topic) -> str:
        return symbols.name(self._generation, market_type, topic)

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        if self._generation is Generation.UNIFIED:
            return unified.commands(market_type, topics, first_id, "SUBSCRIBE")
        return classic.commands(market_type, topics, first_id, "subscribe")

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        if self._generation is Generation.UNIFIED:
            return unified.commands(market_type, topics, first_id, "UNSUBSCRIBE")
        return classic.commands(market_type, topics, first_id, "unsubscribe")

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        return public.parse(frame, received_ns)

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        if depth != FULL_DEPTH:
            return WholeBooks()
        return PushedRange() if self._generation is Generation.UNIFIED else UpdateRange()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        by_rest = depth == FULL_DEPTH and self._generation is Generation.CLASSIC
        return Resync.REST if by_rest else Resync.RESUBSCRIBE

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return rest.snapshot_request(self._generation, market_type, symbol, depth)

    def parse_snapshot(self, market_type: MarketType, symbol: str, body: bytes, received_ns: int) -> BookSnapshot:
        return rest.parse_snapshot(symbol, body, received_ns)

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        return None

    def instruments_request(self, market_type: MarketType) -> Request:
        return rest.instruments_request(self._catalogue, market_type)

    def parse_instruments(self, market_type: MarketType, body: bytes) -> Catalogue:
        return rest.parse_instruments(market_type, body)

    def volumes_request(self, market_type: MarketType) -> Request:
        return rest.volumes_request(self._catalogue, market_type)

    def parse_volumes(self, market_type: MarketType, body: bytes) -> dict[str, float]:
        return rest.parse_volumes(body)

    def retry_after(self, status: int, headers: dict[str, str], body: bytes) -> float | None:
        return rest.stay_away_s(status, headers, body)
