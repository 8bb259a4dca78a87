"""Statements of the order path that are made once: to make one anew each time costs Django more than the database needs
to run it. Columns and values are Django's own.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

from apps.trading.execution.runtime.cells import Writer, writer
from apps.trading.execution.runtime.transactions import NEXT

Row = TypeVar("Row", bound=Model)

LAST_NUMBER = {"mysql": "LAST_INSERT_ID()", "sqlite": "LAST_INSERT_ROWID()"}

# what a row must still be: `name`, or with one of these after it
STILL = {"": "{0} = %s", "lte": "{0} <= %s", "or_null": "({0} = %s OR {0} IS NULL)"}


class Write(NamedTuple):
    """One statement that changes rows, with its cells."""

    text: str
    cells: list[Any]


class Done(NamedTuple):
    """How many rows each write found, and the number of the row that the first one made."""

    found: list[int]
    number: int


def inserting(model: type[Model], *rows: Mapping[str, Any], of_last: str = "") -> Write:
    """Rows that have the same names, as in `account_id`; what is not given has the database's default. `of_last`: the
    column that is the number of the row which the write before made."""
    on = _database()
    text = _insert(model, tuple(rows[0]), len(rows), of_last)
    return Write(text, [cell for values in rows for cell in _prepared(model, values, on)])


def updating(model: type[Model], pk: int | str, values: Mapping[str, Any], **was: Any) -> Write:
    """One row, if it still is as in `was`, see STILL."""
    on = _database()
    cells = [*_prepared(model, values, on), pk, *_prepared(model, was, on)]
    return Write(_update(model, tuple(values), tuple(was)), cells)


def together(*writes: Write) -> Done:
    """One after the other, in a transaction; where the database takes several in one go they are told so, since the way
    there and back costs as much as a write. The first that fails is the last."""
    on = _database()
    with on.cursor() as cursor:
        if on.vendor != "mysql":
            return _one_by_one(cursor, writes)
        cursor.execute(NEXT.join(each.text for each in writes), [cell for each in writes for cell in each.cells])
        found, number = [cursor.rowcount], cursor.lastrowid
        while cursor.nextset():
            found.append(cursor.rowcount)
    return Done(found, int(number or 0))


def insert(model: type[Model], values: Mapping[str, Any]) -> int:
    """Write one row; its number."""
    return together(inserting(model, values)).number


def insert_all(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write rows that have the same names; their numbers, in that order. One statement where the database tells all
    numbers of one."""
    on = _database()
    if len(rows) < 2 or not on.features.can_return_rows_from_bulk_insert:
        return [insert(model, values) for values in rows]
    text, cells = inserting(model, *rows)
    with on.cursor() as cursor:
        cursor.execute(f"{text} RETURNING {_quoted(model._meta.pk.column)}", cells)
        return [int(number) for (number,) in cursor.fetchall()]


def update(model: type[Model], pk: int | str, values: Mapping[str, Any], **was: Any) -> bool:
    """Change one row, if it still is as in `was`; whether there was one."""
    return together(updating(model, pk, values, **was)).found == [1]


def update_each(model: type[Model], name: str, values: Mapping[int, Any], at: datetime) -> None:
    """Change one column of several rows, each to its own value by its number, and `updated_at` of all."""
    if not values:
        return
    on = _database()
    [write] = _writers(model, (name,))
    each = [part for pk, value in values.items() for part in (pk, write(value, on))]
    with on.cursor() as cursor:
        cells = [*each, *_prepared(model, {"updated_at": at}, on), *values]
        cursor.execute(_update_each(model, name, len(values)), cells)


def first(model: type[Row], rest: str, params: Sequence[Any]) -> Row | None:
    """The first row of `SELECT all columns FROM its table <rest>`; `rest` holds no values."""
    found = first_and(model, "NULL", rest, params)
    return None if found is None else found[0]


def first_and(model: type[Row], more: str, rest: str, params: Sequence[Any]) -> tuple[Row, list[Any]] | None:
    """As `first`, with the cells of further columns as the database's driver tells them."""
    on = _database()
    with on.cursor() as cursor:
        cursor.execute(f"{_select(model, more)} {rest}", params)
        cells = cursor.fetchone()
    return None if cells is None else _told(model, cells, on)


def rows(model: type[Row], rest: str, params: Sequence[Any]) -> list[Row]:
    """All of `SELECT all columns FROM its table <rest>`."""
    on = _database()
    with on.cursor() as cursor:
        cursor.execute(f"{_select(model, 'NULL')} {rest}", params)
        return [_told(model, cells, on)[0] for cells in cursor.fetchall()]


def still(model: type[Model], was: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """As a condition, with its values."""
    return " AND ".join(_still(model, name) for name in was), _prepared(model, was, _database())


def _database() -> BaseDatabaseWrapper:
    """This thread's connection: Django's `connection` looks for it each time that it is touched."""
    return connections[DEFAULT_DB_ALIAS]


def _one_by_one(cursor: Any, writes: Sequence[Write]) -> Done:
    found, numbers = [], []
    for text, cells in writes:
        cursor.execute(text, cells)
        found.append(cursor.rowcount)
        numbers.append(cursor.lastrowid)
    return Done(found, int(numbers[0] or 0))


def _told(model: type[Row], cells: Sequence[Any], on: BaseDatabaseWrapper) -> tuple[Row, list[Any]]:
    names, converters = _names(model), _converters(model, on.vendor)
    values = list(cells[: len(names)])
    for at, column, convert in converters:
        values[at] = convert(values[at], column, on)
    return model.from_db("default", names, values), list(cells[len(names) :])


def _prepared(model: type[Model], values: Mapping[str, Any], on: BaseDatabaseWrapper) -> list[Any]:
    writers = _writers(model, tuple(values))
    return [write(value, on) for write, value in zip(writers, values.values(), strict=True)]


@cache
def _writers(model: type[Model], names: tuple[str, ...]) -> tuple[Writer, ...]:
    return tuple(writer(_named(model, name)) for name in names)


@cache
def _converters(model: type[Model], vendor: str) -> tuple[tuple[int, Any, Callable[..., Any]], ...]:
    """Which columns are not read as they are told: those of one connection serve all of its vendor."""
    columns, on = [field.get_col(model._meta.db_table) for field in _fields(model)], _database()
    return tuple(
        (at, column, convert)
        for at, column in enumerate(columns)
        for convert in (*on.ops.get_db_converters(column), *column.get_db_converters(on))
    )


@cache
def _fields(model: type[Model]) -> tuple[Field, ...]:
    return tuple(model._meta.concrete_fields)


@cache
def _names(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in _fields(model))


@cache
def _named(model: type[Model], name: str) -> Field:
    name, _, _ = name.partition("__")
    return next(field for field in _fields(model) if field.attname == name)


@cache
def _select(model: type[Model], more: str) -> str:
    columns = ", ".join(_quoted(field.column) for field in _fields(model))
    return f"SELECT {columns}, {more} FROM {_quoted(model._meta.db_table)}"  # noqa: S608 (no value is in it)


@cache
def _insert(model: type[Model], names: tuple[str, ...], number: int, of_last: str) -> str:
    columns = ", ".join(_quoted(_named(model, name).column) for name in (*names, of_last) if name)
    each = [*["%s"] * len(names), *([LAST_NUMBER[_database().vendor]] if of_last else [])]
    places = ", ".join([f"({', '.join(each)})"] * number)
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) VALUES {places}"  # noqa: S608 (no value is in it)


@cache
def _update(model: type[Model], names: tuple[str, ...], was: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_quoted(_named(model, name).column)} = %s" for name in names)
    key = " AND ".join([f"{_quoted(model._meta.pk.column)} = %s", *(_still(model, name) for name in was)])
    return f"UPDATE {_quoted(model._meta.db_table)} SET {changes} WHERE {key}"  # noqa: S608 (no value is in it)


@cache
def _update_each(model: type[Model], name: str, number: int) -> str:
    column, at = (_quoted(_named(model, each).column) for each in (name, "updated_at"))
    key = _quoted(model._meta.pk.column)
    cases = " ".join(["WHEN %s THEN %s"] * number)
    places = ", ".join(["%s"] * number)
    return (
        f"UPDATE {_quoted(model._meta.db_table)} SET {column} = CASE {key} {cases} END, {at} = %s"  # noqa: S608 (no value is in it)
        f" WHERE {key} IN ({places})"
    )


@cache
def _still(model: type[Model], name: str) -> str:
    _, _, how = name.partition("__")
    return STILL[how].format(_quoted(_named(model, name).column))


def _quoted(name: str | None) -> str:
    return str(_database().ops.quote_name(name or ""))
