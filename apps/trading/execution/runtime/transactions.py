"""Short transactions that are repeated as a whole where the database asks for it. No exchange is asked inside one, see
`ports.check_outside_transaction`.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.utils import InterfaceError, OperationalError

TRIES = 5
STATEMENT_S = 3  # of one statement, its waiting for locks included
IDLE_S = 6  # as long as a lease of a lane lasts
PAUSE_S = 0.01  # at most so long before the second try, twice that before the third, ...

# MySQL and MariaDB: lock wait timeout, deadlock, and a statement that took too long (MariaDB, MySQL)
TRY_AGAIN = frozenset({1205, 1213, 1969, 3024})
STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE")
NEXT = ";\n"  # between two that are told in one go: nothing else holds it, since values stand apart

P = ParamSpec("P")
T = TypeVar("T")


def in_transaction(call: Callable[P, T]) -> Callable[P, T]:
    """Run `call` in a transaction, and again from its beginning when the database gave the transaction up.

    Five times at most; then, and for every other error, what the database raised. Inside another transaction it is
    part of that (undone alone when it raises), and only the outermost is repeated: `call` must do nothing that cannot
    be done twice.
    """

    @wraps(call)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        if is_inside():
            with transaction.atomic():
                return call(*args, **kwargs)
        for number in range(1, TRIES):
            try:
                return _once(call, *args, **kwargs)
            except OperationalError as error:
                if not is_passing(error):
                    raise
            time.sleep(random.uniform(0, PAUSE_S * 2**number))  # noqa: S311 (jitter)
        return _once(call, *args, **kwargs)

    return whole


@in_transaction
def change_free(rows: QuerySet[Any], **values: Any) -> int:
    """Change those of `rows` that nobody has locked now; how many that was. Who stands still makes nobody wait.

    SQLite locks no rows: there the whole database is waited for, as ever.
    """
    return rows.filter(pk__in=lock_free(rows)).update(**values)


def lock_free(rows: QuerySet[Any]) -> list[Any]:
    """The keys of those of `rows` that nobody has locked, locked for the rest of this transaction."""
    skips = connection.features.has_select_for_update_skip_locked
    return list(rows.select_for_update(skip_locked=skips).order_by().values_list("pk", flat=True))


def is_inside() -> bool:
    """Whether this thread is in a transaction; the one that a test is wrapped in does not count."""
    blocks: list[Any] = connection.atomic_blocks
    return any(not block._from_testcase for block in blocks)


def mend() -> None:
    """Give up a connection that has failed and does not answer: the next query opens another. For threads that live."""
    if connection.errors_occurred and not connection.in_atomic_block:
        connection.errors_occurred = False
        if connection.connection is not None and not connection.is_usable():
            connection.close()


def is_passing(error: OperationalError) -> bool:
    """Whether the same may succeed when it is tried again."""
    return bool(error.args) and error.args[0] in TRY_AGAIN


def is_lost(error: Exception) -> bool:
    """Whether the connection went away, so that nobody knows what became of a commit."""
    return isinstance(error, OperationalError) and bool(error.args) and error.args[0] in (2006, 2013, 4031)


def _once(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    with _letting_go(connection), _bounded(connection), transaction.atomic():
        return call(*args, **kwargs)


@contextmanager
def _letting_go(on: BaseDatabaseWrapper) -> Iterator[None]:
    """Who stands still in the middle of a transaction, or is cut off from the database, gives up what it has locked
    after IDLE_S: a halt would wait for it for ever. The server sees to it, which ends the connection.

    MariaDB is told once for each connection. MySQL bounds the silence of a connection only, in a transaction or not: it
    is told before each transaction and after it, since between them a connection may rest for long.
    """
    if on.vendor != "mysql" or on.in_atomic_block:
        yield
        return
    on.ensure_connection()
    link: Any = on.connection
    if getattr(on, "mysql_is_mariadb", False):
        if not hasattr(link, "lets_go"):
            _tell(on, f"SET SESSION idle_transaction_timeout = {IDLE_S}")
            link.lets_go = True
        yield
        return
    _tell(on, f"SET SESSION wait_timeout = {IDLE_S}")
    try:
        yield
    finally:
        if on.connection is link:
            with suppress(OperationalError, InterfaceError):  # a connection that is gone takes its bound with it
                _tell(on, "SET SESSION wait_timeout = DEFAULT")


def _tell(on: BaseDatabaseWrapper, statement: str) -> None:
    with on.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _bounded(on: Any) -> Iterator[None]:
    """No statement takes longer than STATEMENT_S: told with each, so that nobody else's are bounded as well."""
    bound = _bound(on)
    if bound is None:
        yield
        return
    with on.execute_wrapper(bound):
        yield


def _bound(on: BaseDatabaseWrapper) -> Callable[..., Any] | None:
    if on.vendor != "mysql":
        return None  # SQLite's busy timeout is its own

    def on_mariadb(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(STATEMENTS):
            bounded = f"SET STATEMENT max_statement_time={STATEMENT_S} FOR "
            sql = bounded + sql.replace(NEXT, NEXT + bounded)
        return execute(sql, params, many, context)

    def on_mysql(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT "):  # of others lock waits alone are bounded, by innodb_lock_wait_timeout
            sql = f"SELECT /*+ MAX_EXECUTION_TIME({STATEMENT_S * 1000}) */ {sql[7:]}"
        return execute(sql, params, many, context)

    return on_mariadb if getattr(on, "mysql_is_mariadb", False) else on_mysql
