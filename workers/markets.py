"""What every daemon that holds books has: the exchanges' drivers, REST, sockets, the books themselves."""

import asyncio

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers import registry
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import Gates
from apps.feeds.transport.http import Http
from apps.feeds.transport.pool import Pool
from workers.feed import Feed
from workers.lifecycle import Part
from workers.malformed import Malformed
from workers.options import Options
from workers.outlets import SILENT, Interruptions, Recorder, Shows
from workers.snapshots import Snapshots

CHECK_S = 0.25


class Markets:
    """Must be made inside the event loop. All that this process sends goes through its one set of `gates`."""

    def __init__(
        self,
        options: Options,
        *,
        reserve: float = 0.0,
        publisher: Shows = SILENT,
        recorder: Recorder = SILENT,
        outages: Interruptions = SILENT,
        folder: str = "malformed",
    ) -> None:
        """`reserve`: the share of each budget that is kept for cancels, where this process trades. `folder` holds the
        frames that nobody could read."""
        self.drivers = {name: registry.driver(name) for name in registry.exchange_ids()}
        self.addresses = Addresses(options.simulator_url)
        self.malformed = Malformed(options.data_dir / folder)
        self.feed = Feed(
            drivers=self.drivers,
            malformed=self.malformed,
            publisher=publisher,
            recorder=recorder,
            outages=outages,
        )
        self.meter = Meter(options.redis_url)
        self.gates = Gates(self.meter, reserve=reserve)
        self.http = Http(drivers=self.drivers, addresses=self.addresses, gates=self.gates)
        self.pool = Pool(
            drivers=self.drivers,
            sink=self.feed,
            addresses=self.addresses,
            fetch=self.http.fetch,
            pairs_per_connection=options.pairs_per_connection,
            max_connections=options.max_connections,
            meter=self.meter,
        )
        self.snapshots = Snapshots(http=self.http, drivers=self.drivers, deliver=self.feed.snapshot)
        self.feed.fetch_snapshot = self.snapshots.want
        self.feed.settled = self.snapshots.settled
        self.feed.resubscribe = self.pool.resubscribe
        self.feed.ask_snapshot = self.pool.ask_snapshot

    def lines(self) -> list[Part]:
        """The ways to the exchanges, in the order of starting; who needs books comes after them."""
        return [
            Part(name="meter", stop=self.meter.close),
            Part(name="http", stop=self.http.close),
            Part(name="snapshots", run=self.snapshots.run),
            Part(name="pool", run=self.pool.run),
        ]

    def checks(self) -> list[Part]:
        return [
            Part(name="checks", run=self._check_for_ever),
            Part(name="malformed", run=self.malformed.run, stop=self.malformed.write),
        ]

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            self.feed.check()
