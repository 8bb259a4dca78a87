"""What a private socket pushed, written in its order; what the database cannot take now goes to a file."""

from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from apps.feeds.market import Instrument
from apps.feeds.orders import AccountEvent, Balances, Fill, OrderUpdate, Positions, in_base
from apps.trading.bookkeeping import comparing, recording
from apps.trading.collecting.cache import EventCache
from apps.trading.collecting.catalogue import Catalogue
from apps.trading.collecting.spool import Spool
from apps.trading.models import FillSource

log = structlog.get_logger(__name__)

AWAY = (OperationalError, InterfaceError)


class Writer:
    """Used by one thread at a time, which has a connection of its own."""

    def __init__(
        self,
        account_id: int,
        *,
        spool: Spool,
        cache: EventCache,
        catalogue: Catalogue,
        counts: Counter[str],
        failed: Callable[[], None],
    ) -> None:
        """`failed` is called for an event that the database will never take as it was told."""
        self._account_id = account_id
        self._spool = spool
        self._cache = cache
        self._catalogue = catalogue
        self._counts = counts
        self._failed = failed
        self._away = False

    @property
    def is_behind(self) -> bool:
        """Events wait in the file."""
        return not self._spool.is_empty

    def close(self) -> None:
        self._spool.close()
        connections.close_all()

    def take(self, batch: Sequence[AccountEvent]) -> bool:
        """Record, or keep. Whether the database is away."""
        self._away = self._take(batch)
        return self._away

    def _take(self, batch: Sequence[AccountEvent]) -> bool:
        close_old_connections()
        if not self._spool.is_empty and not self._replay():
            self._keep(batch)
            return True
        for number, event in enumerate(batch):
            if not self._record(event):
                self._keep(batch[number:])
                return True
        return False

    def _replay(self) -> bool:
        """Whether all that was kept is recorded now."""
        for event in self._spool.events():
            if not self._record(event):
                return False
            self._counts["replayed"] += 1
        self._spool.clear()
        return True

    def _keep(self, events: Sequence[AccountEvent]) -> None:
        """Holdings are told anew by the next sweep; all else is kept."""
        for event in events:
            if isinstance(event, OrderUpdate | Fill):
                self._spool.add(event)
                self._counts["spooled"] += 1

    def _record(self, event: AccountEvent) -> bool:
        """False: the database is away. What it will never take is logged and counted, and stops nothing else."""
        try:
            self._write(event)
        except AWAY as error:
            if not self._away:
                log.warning("database away, events are kept", account=self._account_id, error=str(error))
            close_old_connections()
            return False
        except Exception:
            log.exception("event not recorded", account=self._account_id, kind=type(event).__name__)
            self._counts["failed"] += 1
            self._failed()
        return True

    def _write(self, event: AccountEvent) -> None:
        account_id = self._account_id
        if isinstance(event, Balances):
            comparing.take_balances(account_id, event)
        elif isinstance(event, Positions):
            pairs = self._catalogue.pairs({row.symbol for row in event.rows})
            rows = [in_base(row, self._catalogue.instrument(row.symbol)) for row in event.rows if row.symbol in pairs]
            comparing.take_positions(
                account_id, pairs, Positions(rows=rows, whole=event.whole, exchange_ms=event.exchange_ms)
            )
        elif isinstance(event, OrderUpdate | Fill) and not self._cache.knows(event):
            if not self._catalogue.knows(event.symbol):
                self._counts["unlisted"] += 1
                return
            if self._tell(event, self._catalogue.instrument(event.symbol)):
                self._cache.add(event)
            else:
                self._counts["whose is not known"] += 1

    def _tell(self, event: OrderUpdate | Fill, instrument: Instrument) -> bool:
        """Whether it is known whose it is."""
        account_id = self._account_id
        if isinstance(event, Fill):
            return recording.record_fill(account_id, instrument, in_base(event, instrument), FillSource.WS) is not None
        return recording.record_update(account_id, instrument, in_base(event, instrument), FillSource.WS) is not None
