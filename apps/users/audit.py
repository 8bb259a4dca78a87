"""The chain of the audit trail: each row's hash covers the row and the hash of the row before it. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from msgspec import Struct

FIRST = ""  # the hash before the first row
COVERED = (
    "change_id",
    "at",
    "user",
    "role",
    "session",
    "ip",
    "action",
    "object",
    "before",
    "after",
    "reason",
    "idempotency_key",
    "approved_by",
    "result",
    "prev_hash",
    "second_factor",
)
LATER = {"second_factor"}  # columns that came later: where they say nothing the hash is as it was before them


class Verdict(Struct, frozen=True, kw_only=True):
    """What a walk along the chain found; `broken_at` is the first change that is not what was written."""

    intact: bool
    last_change_id: int
    broken_at: int | None = None


def as_kept(value: Any) -> Any:
    """A JSON value as every database gives it back: a number that one of them would change stands as its text."""
    return json.loads(json.dumps(value), parse_int=_whole, parse_constant=str)


def digest(row: Mapping[str, Any]) -> str:
    """The hash of a row's covered fields; `at` is an aware time, `before` and `after` are as kept."""
    covered = {name: row[name] for name in COVERED if row[name] or name not in LATER}
    covered["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def verify(rows: Iterable[Mapping[str, Any]], *, last_change_id: int, last_hash: str) -> Verdict:
    """Walk `rows`, oldest first, to the end that was noted: nothing edited, taken out, put in or cut off."""
    expected_id, previous = 1, FIRST
    for row in rows:
        if row["change_id"] != expected_id or row["prev_hash"] != previous or row["hash"] != digest(row):
            return Verdict(intact=False, last_change_id=expected_id - 1, broken_at=expected_id)
        expected_id, previous = expected_id + 1, row["hash"]
    if (expected_id - 1, previous) != (last_change_id, last_hash):
        return Verdict(intact=False, last_change_id=expected_id - 1, broken_at=expected_id)
    return Verdict(intact=True, last_change_id=last_change_id)


def _whole(text: str) -> int | str:
    """MySQL makes a longer one a double; MariaDB and SQLite keep its text."""
    number = int(text)
    return number if -(2**63) <= number < 2**63 else text
