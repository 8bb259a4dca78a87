"""The fleet for the browser: first the whole picture, then what changed, once a second. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ctweb.live.shapes import Fleet, Row


class FleetFeed:
    """`version` grows with each picture; `since` encodes once per version that a tab may stand at."""

    def __init__(self) -> None:
        self.watchers = 0
        self.version = 0
        self.fleet: Fleet | None = None
        self.stores: dict[str, float | None] = {}
        self._changed_at: dict[str, int] = {}
        self._gone_at: dict[str, int] = {}
        self._encoded: dict[int, bytes] = {}
        self._daemons: bytes | None = None

    def take(self, fleet: Fleet, stores: dict[str, float | None]) -> None:
        """Accept the next picture; `stores` are round trips in ms, None where one does not answer."""
        old = {} if self.fleet is None else self.fleet.rows
        self.version += 1
        self.fleet, self.stores = fleet, stores
        self._encoded.clear()
        self._daemons = None
        for key, row in fleet.rows.items():
            if key not in old or _drawn(old[key]) != _drawn(row):
                self._changed_at[key] = self.version
            self._gone_at.pop(key, None)
        for key in old.keys() - fleet.rows.keys():
            self._changed_at.pop(key, None)
            self._gone_at[key] = self.version

    def since(self, version: int) -> bytes | None:
        """A fragment that brings a tab from `version` (0: from nothing) to now; None before the first picture."""
        if self.fleet is None:
            return None
        if version not in self._encoded:
            self._encoded[version] = self._encode(self.fleet, version)
        return self._encoded[version]

    def row(self, key: str) -> bytes | None:
        """One book's row alone; a book that is not enabled is in `gone`."""
        if self.fleet is None:
            return None
        row = self.fleet.rows.get(key)
        return _message(rows=[row], gone=[]) if row is not None else _message(rows=[], gone=[key])

    def daemons(self) -> bytes | None:
        """Daemons, counts and stores: what the frame of every page shows."""
        if self._daemons is None and self.fleet is not None:
            self._daemons = _message(
                daemons=self.fleet.daemons,
                states=self.fleet.figures.states,
                publish_p99=self.fleet.figures.publish_p99,
                stores=self.stores,
            )
        return self._daemons

    def _encode(self, fleet: Fleet, version: int) -> bytes:
        return _message(
            full=version == 0,
            rows=_after(fleet.rows.values(), self._changed_at, version),
            gone=[] if version == 0 else [key for key, at in self._gone_at.items() if at > version],
            markets=fleet.markets,
            figures=fleet.figures,
            attention=fleet.attention,
            attention_count=fleet.attention_count,
        )


def _message(**parts: Any) -> bytes:
    return msgspec.json.encode(parts)[1:-1]


def _after(rows: Iterable[Row], changed_at: dict[str, int], version: int) -> Sequence[Row]:
    return [row for row in rows if changed_at[row.key] > version]


def _drawn(row: Row) -> tuple[object, ...]:
    """The row as it is drawn: figures of a healthy book to two digits, since the third is noise once a second."""
    age = None if row.age_ms is None or row.age_ms < 1000 else _two_digits(row.age_ms)
    rest = msgspec.structs.astuple(msgspec.structs.replace(row, age_ms=None, lag_ms=None, msg_s=0, seq=None))
    return age, _two_digits(row.lag_ms or 0), _two_digits(row.msg_s), rest


def _two_digits(value: float) -> str:
    return f"{value:.1e}"
