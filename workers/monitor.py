"""One market data daemon: its parts, who speaks to whom, and the order in which they live."""

import asyncio
import gc
from collections.abc import Callable

import structlog

from apps.feeds.bus.publisher import Publisher
from apps.feeds.market import Instrument
from apps.monitoring.recorder import Recorder
from apps.monitoring.segments import SealedBatch
from workers.applier import Applier
from workers.catalogue import Bootstrap
from workers.commands import Commands
from workers.database import Database
from workers.fetcher import Fetcher
from workers.identity import Identity
from workers.ledger import Ledger, Registrar
from workers.lifecycle import Part
from workers.markets import Markets
from workers.meters import Latencies
from workers.options import Options
from workers.outages import Outages
from workers.ownership import Ownership
from workers.presence import Presence
from workers.status import Status

log = structlog.get_logger(__name__)


class Monitor:
    """Makes everything; `parts` gives it to a Lifecycle. Must be made inside the event loop."""

    def __init__(
        self, options: Options, *, register: Callable[[SealedBatch], None] | None = None, reserve: float = 0.0
    ) -> None:
        """`register` tells the ledger about a sealed segment, in a thread; a Registrar unless given. `reserve`: the
        share of the exchanges' budgets that is kept for cancels."""
        self.draining = False
        self.on_drain: Callable[[], None] = _nothing
        self._stopping = False
        self.identity = Identity.of(options)
        self._leases, self._tasks = Database("leases"), Database("tasks")
        self._presence = Presence(self.identity, self._leases)
        self.ledger = Ledger(register=register or Registrar())
        self.recorder = Recorder(
            directory=options.data_dir / "spool",
            daemon=options.daemon,
            batch_size=options.batch_size,
            batch_interval_s=options.batch_interval_s,
            on_sealed=self.ledger.sealed,
            on_shed=self._resync_shed,
        )
        self.latencies = Latencies()
        self.publisher = Publisher(
            options.redis_url,
            hz=options.publish_hz,
            may_publish=lambda: self.ownership.trusted(),
            on_fenced=lambda shard, highest: self.ownership.fenced(shard, highest),
            on_latency=self._measured,
        )
        self.outages = Outages(daemon=options.daemon, report=self.recorder.gap)
        self.markets = Markets(
            options, reserve=reserve, publisher=self.publisher, recorder=self.recorder, outages=self.outages
        )
        self.feed, self.pool = self.markets.feed, self.markets.pool
        drivers = self.markets.drivers
        self.ownership = Ownership(
            daemon=options.daemon,
            database=self._leases,
            drivers=drivers,
            heartbeat=lambda: self.identity.heartbeat(draining=self.draining),
            gained=self._gained,
            lost=self._lost,
            give_up=self._give_up,
        )
        self.applier = Applier(
            feed=self.feed,
            pool=self.pool,
            drivers=drivers,
            fences=self.ownership.fences,
            want=self.ownership.want,
            forget=self.markets.snapshots.forget,
        )
        self.fetcher = Fetcher(
            database=self._tasks,
            default_depth=options.depth,
            redis_url=options.redis_url,
            changed=self.applier.fetched,
        )
        self.bootstrap = Bootstrap(database=Database("catalogue"), http=self.markets.http, drivers=drivers)
        self.commands = Commands(
            redis_url=options.redis_url, daemon=options.daemon, resync=self.feed.resync, drain=self.drain
        )
        self.status = Status(
            identity=self.identity,
            redis_url=options.redis_url,
            max_sockets=options.max_connections,
            feed=self.feed,
            pool=self.pool,
            applier=self.applier,
            publisher=self.publisher,
            recorder=self.recorder,
            outages=self.outages,
            malformed=self.markets.malformed,
            latencies=self.latencies,
            draining=lambda: self.draining,
        )

    def parts(self) -> list[Part]:
        """In the order of starting. Stopping begins at the end: first nothing new comes in, then books say goodbye and
        leases are released, then sockets close, and the history is sealed last."""
        return [
            Part(name="identity", start=self._presence.claim, stop=self._leave),
            Part(name="ledger", run=self.ledger.run, stop=self.ledger.close),
            Part(name="recorder", run=self.recorder.run, stop=self.recorder.close, deadline_s=5.0),
            Part(name="publisher", run=self.publisher.run, stop=self.publisher.aclose),
            *self.markets.lines(),
            Part(name="ownership", run=self.ownership.run, stop=self.ownership.release),
            Part(name="fetcher", run=self.fetcher.run, stop=self.fetcher.aclose),
            Part(name="catalogue", run=self.bootstrap.run, stop=self.bootstrap.close),
            *self.markets.checks(),
            Part(name="commands", run=self.commands.run, stop=self.commands.aclose),
            Part(name="status", start=freeze, run=self.status.run, stop=self.status.close),
        ]

    def drain(self) -> None:
        """Give every shard to the other daemons, and take none."""
        if not self.draining:
            log.info("draining")
            self.draining = True
            self.ownership.hurry()
            self.on_drain()

    def stopping(self) -> None:
        """The process is told to stop: say so with the last status."""
        self.draining = self._stopping = True

    async def _leave(self) -> None:
        await self._presence.leave()
        await self._tasks.close()

    def _gained(self, fences: dict[str, int]) -> None:
        log.info("shards taken", shards=len(fences))
        for shard, fence in fences.items():
            self.publisher.own(shard, fence)
        self.applier.apply()

    def _lost(self, shard: str, reason: str) -> None:
        log.warning("shard lost", shard=shard, reason=reason)
        self.publisher.disown(shard)
        self.applier.leave(frozenset({shard}), reason)

    async def _give_up(self, shards: frozenset[str]) -> None:
        log.info("shards given away", shards=len(shards))
        reason = f"daemon {self.identity.daemon} stops" if self._stopping else "moving to another daemon"
        self.applier.leave(shards, reason)
        await self.publisher.flush()
        for shard in shards:
            self.publisher.disown(shard)

    def _measured(self, nanoseconds: int) -> None:
        self.latencies.add(asyncio.get_running_loop().time(), nanoseconds)

    def _resync_shed(self, instruments: list[Instrument]) -> None:
        """History goes on from a fresh snapshot where events could not be kept."""
        for instrument in instruments:
            self.feed.resync(instrument.key, "events could not be recorded")


def _nothing() -> None:
    """Nobody else has anything to give away."""


async def freeze() -> None:
    """What lives as long as the process need not be looked at by the garbage collector again."""
    gc.collect()
    gc.freeze()
