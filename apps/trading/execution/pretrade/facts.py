"""What rows say of an account, its lane and its TRADE, at one instant: one statement, written out, since the way of an
order is made of statements. Nothing of it is kept between two orders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.db import connection
from msgspec import Struct

from apps.trading.execution.pretrade.kinds import COLUMNS, KINDS, OF_A_CLAIM, OF_A_WHOLE, OUTCOMES, WAYS
from apps.trading.execution.runtime import cells, prepared
from apps.trading.models import IntentState
from apps.trading.order_state import NOT_OVER
from apps.trading.risk import limits
from apps.trading.risk.view import Scope

LONG_AGO = datetime.min.replace(tzinfo=UTC)
UNTOLD_S = 60  # as long as an order that is over is asked for its fills by name
SENT_S = 2  # longer than any window of R10 and R12


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is asked about. `whole_id`: the intent whose attempts and parts are counted, R13; None where none can be."""

    account_id: int
    pair_id: int
    trade_id: int
    exchange: str
    lane: str
    intent_id: int | None = None  # None: not written yet
    whole_id: int | None = None


class Row(Struct, frozen=True):
    """One row of the statement, by the names in COLUMNS."""

    a: int | None
    b: int | None
    c: int | None
    word: str
    other: str
    asset: str
    n1: Decimal | None
    n2: Decimal | None
    n3: Decimal | None
    n4: Decimal | None
    at1: datetime | None
    at2: datetime | None


@dataclass(frozen=True)
class Facts:
    """Rows by their kind, see KINDS."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, kind: str) -> list[Row]:
        return self.rows.get(kind, [])


def read(subject: Subject, *, now: datetime, resumed: Mapping[Scope, datetime], lease: str | None = None) -> Facts:
    """All kinds of rows as they are committed now. What tripped a breaker before a person `resumed` is forgiven: the
    TRADE's executions, the account's unknown orders and resting lanes. `lease`: that of the account, to be read too."""
    whole = subject.whole_id

    def since(window_ms: int, scope: Scope) -> Any:
        return moment(max(now - timedelta(milliseconds=window_ms), resumed.get(scope, LONG_AGO)))

    values = {
        "account": subject.account_id,
        "account_text": str(subject.account_id),
        "pair": subject.pair_id,
        "pair_text": str(subject.pair_id),
        "trade": subject.trade_id,
        "trade_text": str(subject.trade_id),
        "exchange": subject.exchange,
        "whole": whole,
        "lease": lease,
        "sent": moment(now - timedelta(seconds=SENT_S)),
        "untold": moment(now - timedelta(seconds=UNTOLD_S)),
        "executed": since(limits.EXECUTION_WINDOW_MS, Scope.TRADE),
        "unknown": since(limits.UNKNOWN_WINDOW_MS, Scope.ACCOUNT),
        "paused": since(limits.PAUSES_WINDOW_MS, Scope.ACCOUNT),
    }
    found: dict[str, list[Row]] = {}
    with connection.cursor() as cursor:
        prepared.execute(cursor, _statement(_left_out(whole, lease)), values)
        for kind, *told in cursor.fetchall():
            found.setdefault(kind, []).append(_row(told))
    return Facts(found)


def moment(at: datetime) -> Any:
    """A time as the database compares it."""
    return cells.moment(at, connection)


def time_at(cell: Any) -> datetime | None:
    """A time as the database tells it: in UTC, and where the statement was written out without its zone."""
    if cell is None:
        return None
    at = cell if isinstance(cell, datetime) else datetime.fromisoformat(cell)
    return at.replace(tzinfo=UTC)


def number(cell: Any) -> Decimal | None:
    """SQLite keeps money as text; what is none is NaN, with which nothing is reckoned."""
    if cell is None or isinstance(cell, Decimal):
        return cell
    try:
        return Decimal(cell)
    except InvalidOperation:
        return Decimal("NaN")


def _left_out(whole: int | None, lease: str | None) -> frozenset[str]:
    return (OF_A_WHOLE if whole is None else frozenset()) | (OF_A_CLAIM if lease is None else frozenset())


@cache
def _statement(left_out: frozenset[str]) -> str:
    """The first row is empty: SQLite's driver reads columns as the first part of a union declares them."""
    words = {
        "working": ", ".join(f"'{status}'" for status in NOT_OVER),
        "new": IntentState.NEW.value,
        "outcomes": OUTCOMES,
        **WAYS[connection.vendor],
    }
    parts = [f"SELECT '' AS kind, {', '.join(f'NULL AS {name}' for name in COLUMNS)}"]
    for kind, (columns, source) in KINDS.items():
        if kind in left_out:
            continue
        cells = ", ".join(f"{columns.get(name, 'NULL').format(**words)} AS {name}" for name in COLUMNS)
        parts.append(f"SELECT '{kind}' AS kind, {cells} {source.format(**words)}")
    return " UNION ALL ".join(parts)


def _row(told: Sequence[Any]) -> Row:
    a, b, c, word, other, asset, n1, n2, n3, n4, at1, at2 = told
    return Row(
        a,
        b,
        c,
        word or "",
        other or "",
        asset or "",
        number(n1),
        number(n2),
        number(n3),
        number(n4),
        time_at(at1),
        time_at(at2),
    )
