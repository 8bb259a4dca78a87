"""Daemons that trade: `trader` alone, and `both`, which watches as well."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct, field

from apps.feeds.bus.publisher import Publisher
from apps.feeds.transport.gate import RESERVE
from apps.monitoring.recorder import Stats
from apps.monitoring.segments import SealedBatch
from workers.applier import Applier
from workers.commands import Commands
from workers.database import Database
from workers.identity import Identity
from workers.lifecycle import Part
from workers.markets import Markets
from workers.meters import Latencies
from workers.monitor import Monitor, freeze
from workers.options import Options, TradeOptions
from workers.outages import Outages
from workers.presence import Presence
from workers.status import Status
from workers.trader.trader import Trader


class Daemon(Protocol):
    """What a Lifecycle needs."""

    def parts(self) -> list[Part]: ...

    def stopping(self) -> None: ...


class Both:
    """A monitor and a trader in one process: one set of books, sockets and limits."""

    def __init__(
        self, options: Options, trading: TradeOptions, *, register: Callable[[SealedBatch], None] | None = None
    ) -> None:
        self.monitor = Monitor(options, register=register, reserve=RESERVE)
        self.trader = Trader(
            options,
            markets=self.monitor.markets,
            hold=self.monitor.applier.hold,
            heartbeat=_beaten,
            trading=trading,
        )
        self.monitor.on_drain = self.trader.drain
        self.monitor.status.trading = self.trader.status

    def parts(self) -> list[Part]:
        """Trading stops first."""
        return [*self.monitor.parts(), *self.trader.parts()]

    def stopping(self) -> None:
        self.monitor.stopping()
        self.trader.stop()


class Alone:
    """A trader that holds its books for itself: neither shown nor recorded."""

    def __init__(self, options: Options, trading: TradeOptions) -> None:
        self.draining = False
        self.identity = Identity.of(options)
        self._presence = Presence(self.identity, Database("presence"))
        self.markets = Markets(options, reserve=RESERVE, folder=f"malformed/{options.daemon}")
        self.applier = Applier(
            feed=self.markets.feed,
            pool=self.markets.pool,
            drivers=self.markets.drivers,
            fences={},
            want=_nobody,
            forget=self.markets.snapshots.forget,
        )
        self.trader = Trader(
            options,
            markets=self.markets,
            hold=self.applier.hold,
            heartbeat=lambda: self.identity.heartbeat(draining=self.draining),
            trading=trading,
        )
        self.commands = Commands(
            redis_url=options.redis_url, daemon=options.daemon, resync=self.markets.feed.resync, drain=self.drain
        )
        self.status = Status(
            identity=self.identity,
            redis_url=options.redis_url,
            max_sockets=options.max_connections,
            feed=self.markets.feed,
            pool=self.markets.pool,
            applier=self.applier,
            publisher=Publisher(options.redis_url, hz=options.publish_hz),
            recorder=_Unrecorded(),
            outages=Outages(daemon=options.daemon, report=_nobody),
            malformed=self.markets.malformed,
            latencies=Latencies(),
            draining=lambda: self.draining,
        )
        self.status.trading = self.trader.status

    def parts(self) -> list[Part]:
        return [
            Part(name="identity", start=self._presence.claim, stop=self._presence.leave),
            *self.markets.lines(),
            *self.markets.checks(),
            Part(name="commands", run=self.commands.run, stop=self.commands.aclose),
            Part(name="status", start=freeze, run=self.status.run, stop=self.status.close),
            *self.trader.parts(),
        ]

    def drain(self) -> None:
        self.draining = True
        self.trader.drain()

    def stopping(self) -> None:
        self.draining = True
        self.trader.stop()


class _Unrecorded(Struct):
    stats: Stats = field(default_factory=Stats)


def _nobody(_: object) -> None:
    """Nobody is told: there are no shards and no history here."""


def _beaten() -> None:
    """The shards' owner writes the heartbeat already."""
