"""The trading half of a daemon: its parts, who speaks to whom, and the order in which they live."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import connections

from apps.feeds.bus.status import TradingStatus
from apps.feeds.market import BookKey
from apps.feeds.subscriptions import Subscription
from apps.trading.bookkeeping import paper_rows
from apps.trading.collecting.reconciling import reconcile
from apps.trading.execution.executors import vitals
from apps.trading.execution.executors.executor import Executor, client_ids, new_holder
from apps.trading.execution.executors.monitor import Reporter
from apps.trading.execution.gateway.opened import open_account, resource_of
from apps.trading.execution.gateway.ports import Ports
from apps.trading.execution.pretrade.catalogue import Catalogue
from apps.trading.execution.pretrade.market import RedisMarket
from workers.database import Database
from workers.lifecycle import Part
from workers.markets import Markets
from workers.options import Options, TradeOptions
from workers.paper.desk import Desk
from workers.trader.accounts import Accounts
from workers.trader.books import Books
from workers.trader.exchanges import Exchanges
from workers.trader.jobs import Jobs
from workers.trader.leases import TRUST_S, AccountLeases
from workers.trader.ports import DaemonPorts, OpenPorts
from workers.trader.stopping import Stopping
from workers.trader.threads import Threads
from workers.trader.wakes import Wakes
from workers.trader.windows import Windows

log = structlog.get_logger(__name__)

RECONCILED_AT_ONCE = 4  # accounts


class Trader:
    """Makes everything; `parts` gives it to a Lifecycle. Must be made in the event loop, before any book is held."""

    def __init__(
        self,
        options: Options,
        *,
        markets: Markets,
        hold: Callable[[Mapping[BookKey, Subscription]], None],
        heartbeat: Callable[[], None],
        trading: TradeOptions,
    ) -> None:
        """`hold` is told which books are needed; `heartbeat` is called in a database's thread every few seconds."""
        self._daemon = options.daemon
        self._build = options.build
        self._stop_s = trading.stop_s
        self._stopped = False
        self._catalogue, self._ids = Catalogue(), client_ids()
        self._leasing, self._reading = Database("accounts", answer_s=TRUST_S), Database("needs")
        self._writing = Database("paper")
        self.windows = Windows(RedisMarket.at(options.redis_url))
        self._feed = markets.feed
        self._feed.show_to(self.windows)
        self.desk = Desk(
            database=self._writing, windows=self.windows, halt_file=trading.halt_file, need=lambda: self.books.look()
        )
        self.exchanges = Exchanges(
            markets,
            redis_url=options.redis_url,
            data_dir=options.data_dir,
            halt_file=trading.halt_file,
            simulated=options.simulator_url is not None,
        )
        self.ports = DaemonPorts(self.desk.ports, self.exchanges.ports)
        self._reconciler = self._executor(self.ports)
        self.reconciling = ThreadPoolExecutor(RECONCILED_AT_ONCE, thread_name_prefix="reconcile")
        self.leases = AccountLeases(
            daemon=options.daemon,
            database=self._leasing,
            heartbeat=heartbeat,
            gained=lambda account, fence: self.accounts.begin(account, fence),
            lost=lambda account, reason: self.accounts.end(account, reason),
        )
        self.accounts = Accounts(
            serve=self._serve,
            reconcile=self._reconcile,
            trusted=self.leases.trusted,
            unopened=self.leases.cannot_open,
        )
        self.books = Books(
            database=self._reading,
            redis_url=options.redis_url,
            default_depth=options.depth,
            accounts=lambda: self.leases.fences,
            hold=hold,
            windows=self.windows,
            desk=self.desk,
        )
        self.wakes = Wakes(options.redis_url)
        self._teller = vitals.Teller(options.redis_url)
        self.jobs = Jobs(
            executor=self._executor,
            reporter=Reporter(options.redis_url),
            ports=self.ports,
            sending=OpenPorts(self.ports, is_open=self._may_send),
            is_open=self._may_send,
            wakes=self.wakes,
            measure_clocks=self.exchanges.clocks.measure_due,
            accounts=lambda: self.leases.fences,
            halt_file=trading.halt_file,
            tell=self._tell,
            pagers=trading.pagers,
        )
        self.threads = Threads(self.jobs.table())
        self.stopping = Stopping(
            threads=self.threads,
            accounts=lambda: self.leases.fences,
            cancels=trading.cancels_on_stop,
            take_off=self.jobs.take_off_timers,
            within_s=trading.stop_s,
        )

    def parts(self) -> list[Part]:
        """In the order of starting, once the ways to the exchanges are there. Stopping begins at the end: orders first,
        then accounts, which are given back last."""
        return [
            Part(name="requests of accounts", stop=self.exchanges.close),
            Part(name="accounts", run=self.accounts.run),
            Part(name="account leases", run=self.leases.run, stop=self._release),
            Part(name="books of trading", run=self.books.run, stop=self.books.aclose),
            Part(name="wakes", run=self.wakes.run, stop=self.wakes.aclose),
            Part(name="orders", start=self._start, stop=self.stopping.finish, deadline_s=self._stop_s),
        ]

    def status(self) -> TradingStatus:
        return TradingStatus(
            accounts=self.accounts.counts(),
            books=sum(pair.is_own for pair in self._feed),
            stopping=self._stopped,
            errors=dict(self.threads.errors),
        )

    def drain(self) -> None:
        """Give every account to the other daemons, and take none."""
        self.leases.draining = True

    def stop(self) -> None:
        """The process is told to stop: no order is committed any more."""
        self._stopped = self.leases.stopping = True
        self.stopping.begin()

    async def _start(self) -> None:
        self.threads.start()

    async def _release(self) -> None:
        self.accounts.end_all()
        await self.leases.release()
        self.reconciling.shutdown(wait=False, cancel_futures=True)
        for database in (self._leasing, self._reading, self._writing):
            await database.close()

    def _tell(self) -> None:
        """In a thread of its own."""
        cared = [self.exchanges.care_of(*each) for each in self.accounts.looked_after()]
        word, dropped = f"daemon {self._daemon}", self.wakes.dropped
        failures = {f"job {name}": number for name, number in self.threads.errors.copy().items()}
        self._teller.tell(
            vitals.own(word=word, build_id=self._build, accounts=cared, dropped=dropped, failures=failures)
        )

    def _may_send(self, account_id: int) -> bool:
        return not self._stopped and self.accounts.is_open(account_id)

    async def _serve(self, account_id: int, fence: int, life: int, opened: Callable[[], None]) -> None:
        if await self._reading.call(paper_rows.is_paper, account_id):
            lease = paper_rows.Lease(resource=resource_of(account_id), holder=self._daemon, fence=fence)
            await self.desk.serve(account_id, f"{fence}.{life}", lease, opened)
            return
        await self.exchanges.serve(account_id, opened)

    async def _reconcile(self, account_id: int, fence: int) -> bool:
        """Whether all that its exchange knows is known here. What differs has halted it: that is for risk to say."""
        return await asyncio.get_running_loop().run_in_executor(
            self.reconciling, self._reconcile_now, account_id, fence
        )

    def _reconcile_now(self, account_id: int, fence: int) -> bool:
        try:
            report = reconcile(account_id, self._reconciler)
            port = self.ports.of(account_id)
            if port.clock_error_ms() is None:
                self.exchanges.clocks.measure_due()
            known = not report.swept.left and port.clock_error_ms() is not None
            if known:
                open_account(account_id, fence)
            return known
        finally:
            connections.close_all()

    def _executor(self, ports: Ports) -> Executor:
        """One for one thread."""
        return Executor(
            holder=new_holder(),
            build_id=self._build,
            ports=ports,
            market=self.windows,
            ids=self._ids,
            catalogue=self._catalogue,
            is_stopping=lambda: self._stopped,
        )
