"""Rows that are locked while it is decided whether an order may be sent: they are read here and never kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.trading.execution.pretrade.facts import Row, Subject, number, time_at
from apps.trading.models import HaltMode
from apps.trading.risk.view import Scope, ScopeState

# MySQL's NOW is that of the statement's begin: before it waited for the lock
CLOCK = {"mysql": "SYSDATE(6)", "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"}
FOR_UPDATE = {"mysql": " FOR UPDATE", "sqlite": ""}  # SQLite's transactions begin with the lock of the whole file
SHARED = {"mysql": " LOCK IN SHARE MODE", "sqlite": ""}  # MariaDB has no FOR SHARE
BY_SCOPE = {"mysql": " FORCE INDEX (risk_state_once)", "sqlite": ""}  # locks these rows and no other


class NotOpen(Exception):
    """Nobody may send for the account now."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an account has used of its day, and when by the database's clock it was locked."""

    now: datetime
    day: date | None
    equity: Decimal | None
    result: Decimal  # since the day began, fees and funding included


@dataclass(frozen=True, kw_only=True)
class Switches:
    """The four switches that an order is under, and those of the deployment."""

    states: Mapping[Scope, ScopeState] = field(default_factory=dict)
    flatten: bool = False  # a person has confirmed that all is to be closed
    resumed: Mapping[Scope, datetime] = field(default_factory=dict)  # when a person last did so
    live_allowed: bool = False
    allowed_build: str = ""
    open_fence: int | None = None  # under which the account was last opened; told where they are shared

    def is_open(self, leases: Iterable[Row], now: datetime) -> bool:
        """Whether the account is looked after under that fence; `leases`: its own, if there is one."""
        return any(row.a == self.open_fence and row.at1 is not None and row.at1 > now for row in leases if row.a)


def lock_usage(account_id: int) -> Usage | None:
    """One order of an account is decided at a time: what it stands to lose is counted once. None: no such row."""
    vendor = connection.vendor
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {CLOCK[vendor]}, day, equity, realised, fees, funding, unrealised FROM risk_usage"  # noqa: S608 (no value is in it)
            f" WHERE account_id = %s{FOR_UPDATE[vendor]}",
            [account_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    now, day, equity, *sums = row
    realised, fees, funding, unrealised = (number(each) or Decimal(0) for each in sums)
    return Usage(
        now=known(now),
        day=date.fromisoformat(day) if isinstance(day, str) else day,
        equity=number(equity),
        result=realised + unrealised + funding - fees,
    )


def switches(subject: Subject, *, shared: bool) -> Switches:
    """As they are committed; `shared`: who would change one, or close the account, waits for the end of this
    transaction, so that after a halt is committed nothing is sent.
    """
    vendor = connection.vendor
    gate = ("a.open_fence", " LEFT JOIN account a ON a.id = %s") if shared else ("NULL", "")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.scope, r.state, r.mode, r.resumed_at, s.live_allowed, s.allowed_build, {gate[0]}"  # noqa: S608
            f" FROM risk_state r{BY_SCOPE[vendor]} LEFT JOIN trading_switch s ON s.id = 1{gate[1]}"  # (no value in it)
            " WHERE (r.scope = 'global' AND r.scope_id = '') OR (r.scope = 'exchange' AND r.scope_id = %s)"
            " OR (r.scope = 'account' AND r.scope_id = %s) OR (r.scope = 'trade' AND r.scope_id = %s)"
            f"{SHARED[vendor] if shared else ''}",
            [
                *([subject.account_id] if shared else []),
                *(subject.exchange, str(subject.account_id), str(subject.trade_id)),
            ],
        )
        rows = cursor.fetchall()
    if not rows:
        return Switches()
    *_, live_allowed, allowed_build, open_fence = rows[0]
    resumed = {Scope(scope): time_at(at) for scope, _, _, at, *_ in rows}
    return Switches(
        states={Scope(scope): ScopeState(state) for scope, state, *_ in rows},
        flatten=any((state, mode) == (ScopeState.HALTED, HaltMode.FLATTEN) for _, state, mode, *_ in rows),
        resumed={scope: at for scope, at in resumed.items() if at is not None},
        live_allowed=bool(live_allowed),
        allowed_build=allowed_build or "",
        open_fence=open_fence,
    )


def clock() -> datetime:
    """The database's."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {CLOCK[connection.vendor]}", [])
        (now,) = cursor.fetchone()
    return known(now)


def known(cell: Any) -> datetime:
    """The time of the database as its driver tells it."""
    at = time_at(cell)
    if at is None:
        raise ValueError("the database tells no time")
    return at.astimezone(UTC)
