"""The table of what a trading daemon does beside its event loop."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from apps.trading.bookkeeping.usage import refresh_all
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.controls.breaking import break_due
from apps.trading.execution.controls.dead_men import tend, tend_account
from apps.trading.execution.controls.flattening import flatten_due
from apps.trading.execution.controls.halt_file import obey
from apps.trading.execution.controls.unattended import watch
from apps.trading.execution.entry.working import sweep, work_lane
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import ids_of
from apps.trading.execution.executors.monitor import Reporter
from apps.trading.execution.gateway.ports import Ports
from apps.trading.execution.resolution import due, overdue, resolving
from apps.trading.execution.runtime.spreading import Spread
from apps.users.pagers import Line
from apps.users.paging import page_due
from workers.trader.threads import Job
from workers.trader.wakes import Wakes

LANES = 4  # lanes that are worked at a time because somebody told of them
SWEEPERS = 2
EVERY_S = 0.25


class Jobs:
    """`executor(ports)` makes one for one thread; `is_open(account)` says whether its orders may leave."""

    def __init__(
        self,
        *,
        executor: Callable[[Ports], Executor],
        ports: Ports,
        sending: Ports,
        is_open: Callable[[int], bool],
        wakes: Wakes,
        reporter: Reporter,
        measure_clocks: Callable[[], object],
        accounts: Callable[[], Collection[int]],
        halt_file: Path,
        tell: Callable[[], object],
        pagers: Sequence[Line],
    ) -> None:
        """`sending` are the ports through which new orders may leave, `ports` those for all else. `reporter` tells how
        executors fare. `accounts` are those that this daemon looks after; `tell` says how these fare."""
        self._accounts = accounts
        self._halt_file = halt_file
        self._reporter = reporter
        self._executor = executor
        self._ports = ports
        self._sending = sending
        self._is_open = is_open
        self._wakes = wakes
        self._measure_clocks = measure_clocks
        self._tell = tell
        self._pagers = pagers

        self._cancels = Spread("cancels", partial(cancelling.cancel_account, executor(ports)))
        self._timers = Spread("timers", partial(tend_account, ports))
        self._looks = Spread("looks", partial(resolving.resolve_account, executor(ports)))

    def table(self) -> list[Job]:
        """Each with an executor of its own: nobody else has its name in leases."""
        day = self._executor(self._ports)
        return [
            *(self._claiming(f"lanes {number}", self._work_told, 0.0) for number in range(LANES)),
            *(self._claiming(f"sweep {number}", self._sweep, EVERY_S) for number in range(SWEEPERS)),
            Job(name="cancels told", call=self._cancel_told, every_s=0.0),
            Job(name="cancels", call=self._cancel, every_s=EVERY_S),
            Job(name="resolver", call=self._resolve, every_s=EVERY_S),
            Job(name="orders without proof", call=overdue.watch_old, every_s=1.0),
            Job(name="breakers", call=partial(break_due, self._executor(self._ports)), every_s=0.5),
            Job(name="day's results", call=partial(refresh_all, day.market, day.apart), every_s=1.0),
            Job(name="flattening", call=partial(flatten_due, self._executor(self._ports)), every_s=1.0),
            Job(name="signal file", call=partial(obey, self._halt_file), every_s=EVERY_S),
            Job(name="timers of exchanges", call=lambda: self._timers.begin(list(self._accounts())), every_s=1.0),
            Job(name="unattended accounts", call=watch, every_s=10.0),
            Job(name="clocks", call=self._measure_clocks, every_s=1.0),
            Job(name="vitals", call=self._tell, every_s=1.0),
            *(Job(name=one.name, call=partial(page_due, one.pager, one.channel), every_s=1.0) for one in self._pagers),
        ]

    def _claiming(self, name: str, work: Callable[[Executor], object], every_s: float) -> Job:
        return Job(
            name=name, call=partial(work, self._executor(self._sending)), every_s=every_s, more=True, claims=True
        )

    def _work_told(self, executor: Executor) -> None:
        lane = self._wakes.take(EVERY_S)
        if lane is not None and self._is_ours(lane):
            work_lane(lane, executor=executor)
        self._reporter.report(executor)

    def _cancel_told(self) -> None:
        account_id = self._wakes.take_cancels(EVERY_S)
        if account_id is not None:
            self._cancels.begin([account_id], told=True)

    def _cancel(self) -> None:
        self._cancels.begin(cancelling.accounts_due())

    def _resolve(self) -> None:
        self._looks.begin(due.accounts_due())

    def take_off_timers(self) -> int:
        """For the end of this process: nobody starts one anew after that."""
        self._timers.close()
        return tend(self._ports, list(self._accounts()), stopping=True)

    def _sweep(self, executor: Executor) -> int:
        sent = sweep(executor=executor)
        self._reporter.report(executor)
        return sent

    def _is_ours(self, lane: str) -> bool:
        """Whoever may publish on the bus can at most name a lane."""
        try:
            account_id, _ = ids_of(lane)
        except ValueError:
            return False
        return self._is_open(account_id)
