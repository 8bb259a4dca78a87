"""Orders whose executions were pushed without trade id or fee: their own trades are asked for, soon and again."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.feeds.orders import LookUp

WAITS_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)  # before each try: the list of trades may lag behind the push


@dataclass
class _Wanted:
    lookup: LookUp
    due_s: float
    tries: int = 0


class LookUps:
    """Those that are open, once per order: what is pushed again while it waits is one question."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: dict[tuple[str, str], _Wanted] = {}

    def __len__(self) -> int:
        return len(self._open)

    def want(self, lookup: LookUp) -> None:
        """Executions that come after a question are asked for anew."""
        self._open[key_of(lookup)] = _Wanted(lookup, self._clock() + WAITS_S[0])

    def due(self) -> list[LookUp]:
        """To be asked now; each is due again later, until it is `done` or has been asked often enough."""
        now_s = self._clock()
        due = [each for each in self._open.values() if each.due_s <= now_s]
        for each in due:
            each.tries += 1
            if each.tries < len(WAITS_S):
                each.due_s = now_s + WAITS_S[each.tries]
            else:
                self._open.pop(key_of(each.lookup), None)  # the sweeps find it
        return [each.lookup for each in due]

    def done(self, lookup: LookUp) -> None:
        """Its trades explain what was filled, unless it was pushed again meanwhile."""
        known = self._open.get(key_of(lookup))
        if known is not None and known.tries:
            del self._open[key_of(lookup)]

    @property
    def next_s(self) -> float | None:
        """Seconds until the next is due; None: none is open."""
        if not self._open:
            return None
        return max(0.0, min(each.due_s for each in self._open.values()) - self._clock())


def key_of(lookup: LookUp) -> tuple[str, str]:
    return lookup.symbol, lookup.exchange_order_id
