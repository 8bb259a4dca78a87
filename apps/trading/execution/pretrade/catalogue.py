"""Instruments by the number of their row, remembered for seconds: an exchange changes its rules once in months."""

import time
from collections.abc import Callable, Collection, Mapping

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument
from apps.feeds.models import Exchange, TradePair
from apps.trading.caches import CONFIG, Cache

Instruments = Callable[[Collection[int]], Mapping[int, Instrument]]


def instruments(pair_ids: Collection[int]) -> Mapping[int, Instrument]:
    """Those that are listed, as they stand in the database; one query, none for none."""
    if not pair_ids:
        return {}
    rows = TradePair.objects.filter(pk__in=pair_ids).select_related("exchange").order_by()
    return {row.pk: feeds.instrument(row) for row in rows}


class Catalogue:
    """The same, asked at most once in the time of the config tier for each; safe to use from threads."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kept: Cache[int, Instrument] = Cache("instruments", CONFIG, timer=monotonic)
        self._exchanges: dict[str, int] = {}

    def __call__(self, pair_ids: Collection[int]) -> Mapping[int, Instrument]:
        known = {one: found for one in set(pair_ids) if (found := self._kept.get(one)) is not None}
        missing = set(pair_ids) - known.keys()
        if missing:
            for one, instrument in instruments(missing).items():
                self._kept.put(one, instrument)
                known[one] = instrument
        return known

    def exchange_id(self, code: str) -> int:
        """The number of its row, which never changes. Raise DoesNotExist."""
        if code not in self._exchanges:
            self._exchanges[code] = Exchange.objects.values_list("pk", flat=True).get(code=code)
        return self._exchanges[code]
