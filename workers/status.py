"""What a daemon says of itself once a second: `daemon:{id}` and the channel `daemons`."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from apps.feeds.book.books import Tracked
from apps.feeds.bus import codec
from apps.feeds.bus.publisher import Publisher
from apps.feeds.bus.redis import connect
from apps.feeds.bus.status import (
    BookStatus,
    ConnectionStatus,
    DaemonStatus,
    HistoryStatus,
    RefusedStatus,
    TradingStatus,
)
from apps.feeds.transport.link import Link, LinkState
from apps.feeds.transport.pool import Pool
from apps.monitoring.recorder import Stats
from workers.applier import Applier
from workers.feed import Feed, Pair
from workers.identity import Identity
from workers.machine import Cpu, LoopLag, rss_mb
from workers.malformed import Malformed
from workers.meters import Latencies, Rate
from workers.outages import Outages

log = structlog.get_logger(__name__)

EVERY_S = 1.0
LAGGING_MS, LAGGING_CPU, LAGGING_CPU_S = 100.0, 80.0, 30.0


class Kept(Protocol):
    """What is told of a recorder."""

    @property
    def stats(self) -> Stats: ...


class Status:
    """Reads everybody, writes nothing but Redis."""

    def __init__(
        self,
        *,
        identity: Identity,
        redis_url: str,
        max_sockets: int,
        feed: Feed,
        pool: Pool,
        applier: Applier,
        publisher: Publisher,
        recorder: Kept,
        outages: Outages,
        malformed: Malformed,
        latencies: Latencies,
        draining: Callable[[], bool],
    ) -> None:
        self.trading: Callable[[], TradingStatus | None] = _no_trading
        self._identity = identity
        self._max_sockets = max_sockets
        self._feed = feed
        self._pool = pool
        self._applier = applier
        self._publisher = publisher
        self._recorder = recorder
        self._outages = outages
        self._malformed = malformed
        self._latencies = latencies
        self._draining = draining
        self._redis = connect(redis_url)
        self._cpu, self._lag = Cpu(), LoopLag()
        self._busy_since: float | None = None
        self._rate = Rate()
        self._rates: dict[str, Rate] = {}
        self._away = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._lag.run(), name="loop lag")
            parts.create_task(self._tell_for_ever(), name="status")

    async def tell(self) -> None:
        """Publish once; a Redis that is away costs this one only."""
        payload = codec.encode_daemon(self.read())
        name = codec.daemon_name(self._identity.daemon)
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(name, payload, ex=codec.DAEMON_TTL_S)
                pipeline.publish(codec.DAEMONS_CHANNEL, payload)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            if not self._away:
                log.warning("status is not published", error=str(error))
            self._away = True
        else:
            self._away = False

    async def close(self) -> None:
        """Say once more how it stands: the process may be stopping."""
        await self.tell()
        await self._redis.aclose()

    def read(self) -> DaemonStatus:
        """The state of this moment; rates are means of the last five calls."""
        now_s, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        cpu_pct, lag_ms = self._cpu.percent(), self._lag.take_ms()
        p50, p99 = self._latencies.quantiles_ms(now_s, 0.50, 0.99)
        links, stats = self._pool.links(), self._recorder.stats
        books = [self._book(pair, now_s, now_ms) for pair in self._feed if not pair.is_own]
        connections = [self._connection(link, now_s) for link in links]
        self._forget_rates(books, connections)
        return DaemonStatus(
            daemon=self._identity.daemon,
            role=self._identity.role,
            host=self._identity.host,
            pid=self._identity.pid,
            build=self._identity.build,
            started_ms=int(self._identity.started_at.timestamp() * 1_000),
            now_ms=now_ms,
            state=self._state(now_s, cpu_pct, lag_ms),
            pairs=len(books),
            capacity=self._identity.capacity,
            sockets=sum(link.state is LinkState.OPEN for link in links),
            max_sockets=self._max_sockets,
            cpu_pct=cpu_pct,
            rss_mb=rss_mb(),
            loop_lag_ms=lag_ms,
            msg_s=self._rate.read(now_s, self._feed.messages),
            publish_ms={"p50": p50, "p99": p99},
            back_to_live_s={"p95": self._feed.back_to_live.quantile(now_s, 0.95)},
            gaps_1h=self._outages.total.count(now_s),
            history=HistoryStatus(
                rows_s=round(stats.rows_s, 1),
                spool_mb=round(stats.spool_bytes / 2**20, 2),
                lag_s=round(stats.lag_s, 1),
                waiting=stats.waiting,
            ),
            malformed=self._malformed.counts.total(),
            counters=self._counters(links),
            connections=connections,
            books=books,
            refused=[
                RefusedStatus(
                    source=refused.source,
                    row_id=refused.row_id,
                    exchange=refused.exchange,
                    market_type=refused.market_type,
                    pair=refused.pair,
                    reason=refused.reason,
                )
                for refused in self._applier.refused
            ],
            trading=self.trading(),
        )

    def _counters(self, links: Sequence[Link]) -> dict[str, int]:
        return {
            "stray": self._feed.stray + sum(link.stray for link in links),
            "fenced": self._publisher.fenced,
            "trades_skipped": self._publisher.skipped,
            "shed": self._recorder.stats.shed,
            **{f"malformed:{exchange}:{flaw}": count for (exchange, flaw), count in self._malformed.counts.items()},
        }

    async def _tell_for_ever(self) -> None:
        while True:
            await self.tell()
            await asyncio.sleep(EVERY_S)

    def _state(self, now_s: float, cpu_pct: float, lag_ms: float) -> str:
        if cpu_pct <= LAGGING_CPU:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = now_s
        if self._draining():
            return "DRAINING"
        busy = self._busy_since is not None and now_s - self._busy_since >= LAGGING_CPU_S
        return "LAGGING" if busy or lag_ms > LAGGING_MS else "ALIVE"

    def _book(self, pair: Pair, now_s: float, now_ms: int) -> BookStatus:
        book = pair.book
        return BookStatus(
            key=str(pair.key),
            symbol=book.instrument.symbol,
            state=book.state,
            reason=book.reason,
            step=book.step,
            since_ms=book.since_ns // 1_000_000,
            age_ms=None if book.last_event_ns is None else max(0, now_ms - book.last_event_ns // 1_000_000),
            limit_ms=book.limit_ms,
            lag_ms=_lag_ms(book),
            msg_s=self._rates.setdefault(str(pair.key), Rate()).read(now_s, pair.messages),
            gaps_1h=self._outages.last_hour(pair.key, now_s),
            resyncs=book.counts.resyncs,
            seq=book.seq,
            depth=book.depth,
            shard=pair.shard,
            fence=pair.epoch,
            asked_ms=_ms(book.asked_ns),
            subscribed_ms=_ms(book.subscribed_ns),
            synced_ms=_ms(book.synced_ns),
        )

    def _connection(self, link: Link, now_s: float) -> ConnectionStatus:
        return ConnectionStatus(
            id=link.id,
            exchange=link.exchange,
            market_type=link.market_type,
            category=link.category,
            state=link.state,
            pairs=link.pairs,
            msg_s=self._rates.setdefault(link.id, Rate()).read(now_s, link.frames),
            reconnects=link.reconnects,
            clock_offset_ms=None,  # the exchanges' clocks are not measured
        )

    def _forget_rates(self, books: list[BookStatus], connections: list[ConnectionStatus]) -> None:
        if len(self._rates) > len(books) + len(connections):
            present = {book.key for book in books} | {connection.id for connection in connections}
            self._rates = {name: rate for name, rate in self._rates.items() if name in present}


def _no_trading() -> None:
    """Of a daemon that does not trade."""


def _lag_ms(book: Tracked) -> float | None:
    if book.exchange_ms is None or book.received_ns is None:
        return None
    return round(book.received_ns / 1e6 - book.exchange_ms, 1)


def _ms(at_ns: int | None) -> int | None:
    return None if at_ns is None else at_ns // 1_000_000
