"""HTX as a Driver: spot, and linear swaps as futures; amounts of swaps are contracts."""

from collections.abc import Sequence

from apps.feeds.book.continuity import ExactlyPlusOne, PreviousSequence, Rule, WholeBooks
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
    TopicKind,
)
from apps.feeds.drivers.htx import facts, public, rest, symbols
from apps.feeds.market import DEPTHS, BookSnapshot, MarketType


class Htx:
    exchange_id = symbols.EXCHANGE
    name = "HTX"

    def limits(self, market_type: MarketType) -> Limits:
        return facts.LIMITS[market_type]

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return facts.HEARTBEAT

    def depths(self, market_type: MarketType) -> Sequence[int]:
        return DEPTHS

    def category(self, market_type: MarketType, topic: Topic) -> str:
        return facts.DIFFERENCES if _of_differences(market_type, topic) else facts.MARKET

    def token_request(self, market_type: MarketType, category: str) -> Request | None:
        return None

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type][category]

    def stream(self, market_type: MarketType, topic: Topic) -> str:
        return symbols.name(market_type, topic)

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.subscribe(market_type, topics, first_id, "sub")

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.subscribe(market_type, topics, first_id, "unsub")

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        return public.parse(market_type, frame, received_ns)

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        if market_type is MarketType.FUTURES:
            return ExactlyPlusOne()
        return PreviousSequence(facts.KEPT_LEVELS[depth]) if depth in facts.KEPT_LEVELS else WholeBooks()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        differences = market_type is MarketType.SPOT and depth in facts.KEPT_LEVELS
        return Resync.SOCKET if differences else Resync.RESUBSCRIBE

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return rest.snapshot_request(market_type, symbol)

    def parse_snapshot(self, market_type: MarketType, symbol: str, body: bytes, received_ns: int) -> BookSnapshot:
        return rest.parse_snapshot(market_type, symbol, body, received_ns)

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        return public.request(market_type, topic, number) if _of_differences(market_type, topic) else None

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


def _of_differences(market_type: MarketType, topic: Topic) -> bool:
    """Whether it lies on spot's other socket."""
    is_book = topic.kind is TopicKind.BOOK
    return is_book and market_type is MarketType.SPOT and topic.depth in facts.KEPT_LEVELS
