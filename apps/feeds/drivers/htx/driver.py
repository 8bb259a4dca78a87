"""HTX as a Driver: spot, and linear swaps as futures; amounts of swaps are contracts."""

from collections.abc import Sequence

from apps.feeds.book.continuity import ExactlyPlusOne, PreviousSequence, Rule, WholeBooks
from apps.feeds.drivers.base import Command, Driver, Frame, Heartbeat, Limits, Resync, Topic, TopicKind
from apps.feeds.drivers.htx import facts, public, rest, symbols
from apps.feeds.market import MarketType


class Htx(Driver):
    exchange_id = symbols.EXCHANGE
    name = "HTX"

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
        return facts.DIFFERENCES if _of_differences(market_type, topic) else facts.MARKET

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        return facts.SOCKETS[market_type][category]

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.commands(market_type, topics, first_id, "sub")

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return public.commands(market_type, topics, first_id, "unsub")

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        if market_type is MarketType.FUTURES:
            return ExactlyPlusOne()
        return PreviousSequence(facts.KEPT_LEVELS[depth]) if depth in facts.KEPT_LEVELS else WholeBooks()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        differences = market_type is MarketType.SPOT and depth in facts.KEPT_LEVELS
        return Resync.SOCKET if differences else Resync.RESUBSCRIBE

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        return public.request(market_type, topic, number) if _of_differences(market_type, topic) else None


def _of_differences(market_type: MarketType, topic: Topic) -> bool:
    """Whether it lies on spot's other socket."""
    is_book = topic.kind is TopicKind.BOOK
    return is_book and market_type is MarketType.SPOT and topic.depth in facts.KEPT_LEVELS
