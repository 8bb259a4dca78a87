"""KuCoin as a Driver: spot, and linear perpetuals (USDT and USDC) as futures; amounts of futures are contracts."""

from collections.abc import Sequence

from apps.feeds.book.continuity import PushedRange, Rule, UpdateRange, WholeBooks
from apps.feeds.drivers.base import Command, Driver, Heartbeat, Limits, Request, Resync, Topic
from apps.feeds.drivers.kucoin import classic, facts, public, rest, symbols, unified
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import FULL_DEPTH, MarketType

_COMMANDS = {Generation.UNIFIED: unified.commands, Generation.CLASSIC: classic.commands}


class Kucoin(Driver):
    """Sockets are of one generation of the exchange's API, market lists of another; frames of both are understood."""

    exchange_id = symbols.EXCHANGE
    name = "KuCoin"

    parse = staticmethod(public.parse)
    parse_snapshot = staticmethod(rest.parse_snapshot)
    parse_instruments = staticmethod(rest.parse_instruments)
    parse_volumes = staticmethod(rest.parse_volumes)
    retry_after = staticmethod(rest.retry_after)

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
        return _COMMANDS[self._generation](market_type, topics, first_id, "subscribe")

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return _COMMANDS[self._generation](market_type, topics, first_id, "unsubscribe")

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        if depth != FULL_DEPTH:
            return WholeBooks()
        return PushedRange() if self._generation is Generation.UNIFIED else UpdateRange()

    def resync(self, market_type: MarketType, depth: int) -> Resync:
        by_rest = depth == FULL_DEPTH and self._generation is Generation.CLASSIC
        return Resync.REST if by_rest else Resync.RESUBSCRIBE

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return rest.snapshot_request(self._generation, market_type, symbol, depth)

    def instruments_request(self, market_type: MarketType) -> Request:
        return rest.instruments_request(self._catalogue, market_type)

    def volumes_request(self, market_type: MarketType) -> Request:
        return rest.volumes_request(self._catalogue, market_type)
