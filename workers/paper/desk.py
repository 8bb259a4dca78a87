"""The paper accounts that this daemon matches, each from the lease that makes it ours to its end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from apps.feeds.market import BookKey, Instrument
from apps.trading.bookkeeping import paper_rows
from apps.trading.execution.runtime import failing
from apps.trading.halts.halting import control, halt
from apps.trading.paper.account import PaperAccount
from apps.trading.risk.view import Scope
from workers.database import Database
from workers.paper.journal import Journal, MatcherFailed
from workers.paper.matcher import Matcher
from workers.paper.port import PaperPort
from workers.trader.windows import Windows

log = structlog.get_logger(__name__)

LATENCY_MS = 50  # the way to an exchange and the way of the feed to us


class Desk:
    """Opens and closes matchers. Belongs to the event loop, but for `ports`, which threads may read."""

    def __init__(
        self,
        *,
        database: Database,
        windows: Windows,
        halt_file: Path,
        need: Callable[[], None],
        latency_ms: int = LATENCY_MS,
    ) -> None:
        """`need` is called when an account wants a book that it had no use for before."""
        self.ports: dict[int, PaperPort] = {}
        self._database = database
        self._windows = windows
        self._halt_file = halt_file
        self._need = need
        self._latency_ms = latency_ms
        self._matchers: dict[int, Matcher] = {}
        self._seen: dict[int, set[BookKey]] = {}
        self._faults: dict[int, str] = {}  # of accounts that nobody could halt yet

    @property
    def keys(self) -> set[BookKey]:
        """The books that accounts look at."""
        return {key for keys in self._seen.values() for key in keys}

    async def serve(self, account_id: int, session: str, lease: paper_rows.Lease, opened: Callable[[], None]) -> None:
        """Match the account until cancelled; `opened` is called once it takes orders.

        `session` is never the same again for this account. Raises NotOnPaper, NotHeld, DatabaseAwayError, JournalFull;
        what the rows do not know then did not happen. Raises MatcherFailed after a fault of ours: the account is
        halted then, at the latest before it is matched again.
        """
        await self._halt_failed(account_id)
        try:
            await self._match(account_id, session, lease, opened)
        except MatcherFailed as failed:
            log.exception("paper account failed", account=account_id, failures=failing.count("paper accounts"))
            self._faults[account_id] = f"its matcher failed: {failed}"
            await self._halt_failed(account_id)
            raise

    async def _halt_failed(self, account_id: int) -> None:
        """A person must look before it trades on. Raises DatabaseAwayError."""
        reason = self._faults.get(account_id)
        if reason is not None:
            await self._database.call(
                halt, scope=Scope.ACCOUNT, scope_id=str(account_id), reason=reason, actor=control("paper matcher")
            )
            del self._faults[account_id]

    async def _match(self, account_id: int, session: str, lease: paper_rows.Lease, opened: Callable[[], None]) -> None:
        former = await self._database.call(paper_rows.former, account_id, timeout_s=10.0)
        instruments = dict(paper_rows.instruments_of(former))
        journal = Journal(account_id, database=self._database, instruments=instruments, lease=lease)
        matcher = self._matcher(former, journal, session)
        keys = {instrument.key for instrument in instruments.values()}
        self._matchers[account_id], self._seen[account_id] = matcher, keys
        self.ports[account_id] = PaperPort(
            account_id=account_id,
            exchange=former.exchange,
            market_type=former.market_type,
            matcher=matcher,
            loop=asyncio.get_running_loop(),
            halt_file=self._halt_file,
        )
        journal.add([update for _, update in former.fallen])
        self._watch(account_id)
        try:
            opened()
            await journal.run()
        finally:
            matcher.close()
            self._windows.watch((), matcher)
            del self.ports[account_id], self._matchers[account_id], self._seen[account_id]
            log.debug("paper account closed", account=account_id, unwritten=journal.waiting)

    def look_at(self, account_id: int, keys: set[BookKey]) -> None:
        """Show the account these books as well: it may be asked to trade there."""
        if account_id in self._seen and not keys <= self._seen[account_id]:
            self._seen[account_id] |= keys
            self._watch(account_id)

    def _watch(self, account_id: int) -> None:
        self._need()
        self._windows.watch(self._seen[account_id], self._matchers[account_id])

    def _matcher(self, former: paper_rows.Former, journal: Journal, session: str) -> Matcher:
        account = PaperAccount(
            account=str(former.account_id),
            market_type=former.market_type,
            balances=former.balances,
            fees=former.fees,
            latency_ms=self._latency_ms,
            session=session,
        )

        def show(instrument: Instrument) -> None:
            self.look_at(former.account_id, {instrument.key})

        matcher = Matcher(account, journal=journal, fees=former.fees, latency_ms=self._latency_ms, show=show)
        account.restore(former.resting, former.positions, matcher.now_ms())
        return matcher
