"""What rows say of an account, its lane and its TRADE, at one instant: one statement, written out, since the way of an
order is made of statements. Nothing of it is kept between two orders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection

from apps.feeds.orders import OrderStatus
from apps.trading import limits
from apps.trading.models import IntentState
from apps.trading.order_state import FINAL
from apps.trading.risk_view import Scope

LONG_AGO = datetime.min.replace(tzinfo=UTC)
SENT_S = 2  # longer than any window of R10 and R12
OUTCOMES = limits.OUTCOMES_SEEN + 1  # one may be on its way
WORKING = tuple(status for status in OrderStatus if status not in FINAL)

# the columns of the one statement; what a kind of row does not have is NULL
COLUMNS = ("a", "b", "c", "word", "other", "asset", "n1", "n2", "n3", "n4", "at1", "at2")


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


@dataclass(frozen=True, slots=True)
class Row:
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


# kind: its columns, and where they come from. `{friends}` are the accounts of the same owner, exchange and mode.
KINDS: dict[str, tuple[dict[str, str], str]] = {
    "account": (
        {"a": "dead_man_ms", "word": "mode", "b": "active", "at1": "dead_man_fired_at"},
        "FROM account WHERE id = %(account)s",
    ),
    "order": (
        {
            "a": "o.INTENT_ID",
            "b": "o.ACCOUNT_ID",
            "c": "o.PAIR_ID",
            "word": "o.SIDE",
            "other": "o.STATUS",
            "asset": "i.reserved_asset",
            "n1": "o.AMOUNT",
            "n2": "o.FILLED",
            "n3": "o.PRICE",
            "n4": "i.reserved_amount",
            "at1": "o.CREATED_AT",
        },
        """FROM ORDERS o LEFT JOIN order_intent i ON i.id = o.INTENT_ID
        WHERE o.ACCOUNT_ID IN ({friends}) AND o.STATUS IN ({working})""",
    ),
    "intent": (
        {
            "a": "id",
            "b": "account_id",
            "c": "pair_id",
            "word": "side",
            "asset": "reserved_asset",
            "n1": "amount",
            "n3": "price",
            "n4": "reserved_amount",
            "at1": "created_at",
        },
        "FROM order_intent WHERE account_id IN ({friends}) AND state = '{new}'",
    ),
    "sent": (
        {"c": "PAIR_ID", "word": "SIDE", "n1": "AMOUNT", "n3": "PRICE", "at1": "CREATED_AT"},
        "FROM ORDERS WHERE ACCOUNT_ID = %(account)s AND CREATED_AT > %(sent)s AND INTENT_ID IS NOT NULL",
    ),
    "executions": (
        {"a": "COUNT(*)", "at1": "MIN(CREATED_AT)"},
        "FROM ORDERS WHERE TRADE_ID = %(trade)s AND CREATED_AT > %(executed)s AND INTENT_ID IS NOT NULL",
    ),
    "unknown": (
        {"at1": "UNKNOWN_AT"},
        "FROM ORDERS WHERE ACCOUNT_ID = %(account)s AND UNKNOWN_AT > %(unknown)s",
    ),
    "outcome": (
        {"a": "ID", "other": "STATUS", "at1": "CREATED_AT", "at2": "ENDED_AT"},
        """FROM (SELECT ID, STATUS, CREATED_AT, ENDED_AT FROM ORDERS WHERE ACCOUNT_ID = %(account)s
        AND PAIR_ID = %(pair)s AND INTENT_ID IS NOT NULL ORDER BY ID DESC LIMIT {outcomes}) last_of_lane""",
    ),
    "pause": (
        {"asset": "lane", "at1": "at", "at2": "until"},
        "FROM lane_pause WHERE account_id = %(account)s AND at > %(paused)s",
    ),
    "limit": (
        {"asset": "name", "n1": "value"},
        """FROM risk_limit WHERE (scope = 'global' AND scope_id = '')
        OR (scope = 'exchange' AND scope_id = %(exchange)s)
        OR (scope = 'account' AND scope_id = %(account_text)s) OR (scope = 'trade' AND scope_id = %(trade_text)s)
        OR (scope = 'pair' AND scope_id = %(pair_text)s)""",
    ),
    "wallet": (
        {"asset": "asset", "n1": "free", "n2": "total", "n3": "expected", "at1": "updated_at", "at2": "mismatch_since"},
        "FROM wallet WHERE account_id = %(account)s",
    ),
    "position": (
        {"c": "pair_id", "n1": "amount", "n2": "told_amount", "n3": "leverage", "at2": "mismatch_since"},
        """FROM position WHERE account_id = %(account)s
        AND (amount <> 0 OR pair_id = %(pair)s OR mismatch_since IS NOT NULL)""",
    ),
    "unhedged": (
        {"at1": "UNHEDGED_SINCE"},
        "FROM ARBITRAGE_TRANS WHERE TRADE_ID = %(trade)s AND STATUS = 'PENDING' AND UNHEDGED_SINCE IS NOT NULL",
    ),
    "alert": (
        {"at1": "MIN(at)"},
        """FROM alert WHERE acked_at IS NULL AND cleared_at IS NULL AND escalates
        AND ((scope = 'account' AND scope_id = %(account_text)s)
        OR (scope = 'trade' AND scope_id = %(trade_text)s))""",
    ),
    "whole": ({"a": "id", "n1": "amount"}, "FROM order_intent WHERE id = %(whole)s"),
    "attempt": (  # of the intent itself, and of its parent's other parts
        {"a": "o.INTENT_ID", "other": "o.STATUS", "n1": "o.AMOUNT", "n2": "o.FILLED"},
        "FROM ORDERS o JOIN order_intent i ON i.id = o.INTENT_ID WHERE i.id = %(whole)s OR i.parent_id = %(whole)s",
    ),
    "part": (  # of a parent, nothing sent yet
        {"a": "id", "n1": "amount"},
        "FROM order_intent WHERE parent_id = %(whole)s AND state = '{new}'",
    ),
}
FRIENDS = (
    "SELECT f.id FROM account a JOIN account f ON f.exchange_id = a.exchange_id AND f.mode = a.mode"
    " AND (f.owner_id = a.owner_id OR (f.owner_id IS NULL AND a.owner_id IS NULL)) WHERE a.id = %(account)s"
)
OF_A_WHOLE = frozenset({"whole", "attempt", "part"})  # asked only where there may be any


def read(subject: Subject, *, now: datetime, resumed: Mapping[Scope, datetime]) -> Facts:
    """All kinds of rows as they are committed now. What tripped a breaker before a person `resumed` is forgiven: the
    TRADE's executions, the account's unknown orders and resting lanes."""
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
        "sent": moment(now - timedelta(seconds=SENT_S)),
        "executed": since(limits.EXECUTION_WINDOW_MS, Scope.TRADE),
        "unknown": since(limits.UNKNOWN_WINDOW_MS, Scope.ACCOUNT),
        "paused": since(limits.PAUSES_WINDOW_MS, Scope.ACCOUNT),
    }
    found: dict[str, list[Row]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_statement(whole is not None), values)
        for kind, *cells in cursor.fetchall():
            found.setdefault(kind, []).append(_row(cells))
    return Facts(found)


def moment(at: datetime) -> Any:
    """A time as the database compares it."""
    return connection.ops.adapt_datetimefield_value(at)


def time_at(cell: Any) -> datetime | None:
    """A time as the database tells it: in UTC, and where the statement was written out without its zone."""
    if cell is None:
        return None
    at = cell if isinstance(cell, datetime) else datetime.fromisoformat(cell)
    return at.replace(tzinfo=UTC)


def number(cell: Any) -> Decimal | None:
    """SQLite keeps money as text."""
    return cell if cell is None or isinstance(cell, Decimal) else Decimal(cell)


@cache
def _statement(has_whole: bool) -> str:
    """The first row is empty: SQLite's driver reads columns as the first part of a union declares them."""
    words = {
        "friends": FRIENDS,
        "working": ", ".join(f"'{status}'" for status in WORKING),
        "new": IntentState.NEW.value,
        "outcomes": OUTCOMES,
    }
    parts = [f"SELECT '' AS kind, {', '.join(f'NULL AS {name}' for name in COLUMNS)}"]
    for kind, (columns, source) in KINDS.items():
        if kind in OF_A_WHOLE and not has_whole:
            continue
        cells = ", ".join(f"{columns.get(name, 'NULL')} AS {name}" for name in COLUMNS)
        parts.append(f"SELECT '{kind}' AS kind, {cells} {source.format(**words)}")
    return " UNION ALL ".join(parts)


def _row(cells: Sequence[Any]) -> Row:
    a, b, c, word, other, asset, n1, n2, n3, n4, at1, at2 = cells
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
