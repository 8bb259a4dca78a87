"""What one paper account tells, written to rows in its order."""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog
from django.db import DataError, IntegrityError, ProgrammingError

from apps.feeds.market import Instrument
from apps.trading.bookkeeping import paper_rows
from apps.trading.paper.account import PaperEvent
from apps.trading.paper.ledger import Entry
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

MOST = 10_000  # events that wait for a database that is away
AGAIN_S = 0.2
WRITE_S = 10.0
TOGETHER = 50
NEVER = (DataError, IntegrityError, ProgrammingError)  # no repetition mends what the database says with these


class JournalFull(Exception):
    """The database has been away for too long: the account ends here, and is made anew from its rows."""


class MatcherFailed(Exception):
    """A fault of ours while an account was matched: it ends here, is halted, and is made anew from its rows."""


class Journal:
    """Belongs to the event loop. Writing an event twice changes nothing, so it is repeated until it is known to be
    there."""

    def __init__(
        self, account_id: int, *, database: Database, instruments: dict[str, Instrument], lease: paper_rows.Lease
    ) -> None:
        """`lease` is asked for in each transaction: without it nothing is written."""
        self._account_id = account_id
        self._lease = lease
        self._database = database
        self._instruments = instruments
        self._waiting: deque[PaperEvent] = deque()
        self._told = self._written = 0
        self._wake = asyncio.Condition()
        self._more = asyncio.Event()
        self._fault: Exception | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def expect(self, instrument: Instrument) -> None:
        """Events of it may come."""
        self._instruments[instrument.symbol] = instrument

    def instrument(self, symbol: str) -> Instrument:
        return self._instruments[symbol]

    def add(self, events: Sequence[PaperEvent]) -> None:
        self._waiting.extend(events)
        self._told += len(events)
        if events:
            self._more.set()

    def break_off(self, fault: Exception) -> None:
        """Nothing is told after this: once all that was told before is written, `run` ends."""
        self._fault = fault
        self._more.set()

    async def settle(self) -> None:
        """Return when all that was told until now is written."""
        told = self._told
        async with self._wake:
            await self._wake.wait_for(lambda: self._written >= told)

    async def run(self) -> None:
        """Write until cancelled; raise JournalFull, NotHeld, MatcherFailed, or what no repetition would mend: the
        account is then made anew from its rows."""
        away = False
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                if len(self._waiting) > MOST:
                    raise JournalFull(f"{len(self._waiting)} events of paper account {self._account_id} wait")
                count = self._next()
                try:
                    await self._database.call(self._write, list(self._waiting)[:count], timeout_s=WRITE_S)
                except DatabaseAwayError as error:
                    if isinstance(error.__cause__, NEVER):
                        raise
                    if not away:
                        log.warning("paper events wait", account=self._account_id, error=str(error))
                    away = True
                    await asyncio.sleep(AGAIN_S)
                    continue
                away = False
                await self._done(count)
            if self._fault is not None:
                raise MatcherFailed(f"{type(self._fault).__name__}: {self._fault}") from self._fault

    def _next(self) -> int:
        """How many events to write together: a fill is not parted from its entries."""
        count = min(len(self._waiting), TOGETHER)
        while count < len(self._waiting) and isinstance(self._waiting[count], Entry):
            count += 1
        return count

    async def _done(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        async with self._wake:
            self._written += count
            self._wake.notify_all()

    def _write(self, events: Sequence[PaperEvent]) -> None:
        """In the database's thread."""
        paper_rows.write(self._lease, self._account_id, events, self._instruments)
