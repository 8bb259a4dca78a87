"""Instruments by the number of their row, remembered for seconds: an exchange changes its rules once in months."""

import threading
import time
from collections.abc import Callable, Collection, Mapping

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument
from apps.feeds.models import Exchange, TradePair

KEPT_S = 5.0
MOST = 5_000

Instruments = Callable[[Collection[int]], Mapping[int, Instrument]]


def instruments(pair_ids: Collection[int]) -> Mapping[int, Instrument]:
    """Those that are listed, as they stand in the database; one query, none for none."""
    if not pair_ids:
        return {}
    rows = TradePair.objects.filter(pk__in=pair_ids).select_related("exchange").order_by()
    return {row.pk: feeds.instrument(row) for row in rows}


class Catalogue:
    """The same, asked at most every KEPT_S for each; safe to use from threads."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[int, tuple[float, Instrument]] = {}
        self._monotonic = monotonic
        self._exchanges: dict[str, int] = {}
        self._changing = threading.Lock()

    def __call__(self, pair_ids: Collection[int]) -> Mapping[int, Instrument]:
        since = self._monotonic() - KEPT_S
        with self._changing:
            known = {one: self._kept[one] for one in set(pair_ids) if one in self._kept}
        young = {one: instrument for one, (at, instrument) in known.items() if at >= since}
        missing = set(pair_ids) - young.keys()
        return {**young, **self._read(missing)} if missing else young

    def exchange_id(self, code: str) -> int:
        """The number of its row, which never changes. Raise DoesNotExist."""
        if code not in self._exchanges:
            self._exchanges[code] = Exchange.objects.values_list("pk", flat=True).get(code=code)
        return self._exchanges[code]

    def _read(self, pair_ids: Collection[int]) -> Mapping[int, Instrument]:
        at = self._monotonic()
        found = instruments(pair_ids)
        with self._changing:
            if len(self._kept) > MOST:
                self._kept.clear()
            self._kept.update({one: (at, instrument) for one, instrument in found.items()})
        return found
