"""Statements of the order path that are made once: to make one anew each time costs Django more than the database needs
to run it. Columns and values are Django's own.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Field, Model

Row = TypeVar("Row", bound=Model)


def insert(model: type[Model], values: Mapping[str, Any]) -> int:
    """Write one row, named as in `account_id`; its number. What is not given has the database's default."""
    with connection.cursor() as cursor:
        cursor.execute(_insert(model, tuple(values)), _prepared(model, values))
        return int(cursor.lastrowid)


def update(model: type[Model], pk: int | str, values: Mapping[str, Any], **was: Any) -> bool:
    """Change one row, if it still is as in `was`; whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute(
            _update(model, tuple(values), tuple(was)), [*_prepared(model, values), pk, *_prepared(model, was)]
        )
        return bool(cursor.rowcount == 1)


def first(model: type[Row], rest: str, params: list[Any]) -> Row | None:
    """The first row of `SELECT all columns FROM its table <rest>`; `rest` holds no values."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_select(model)} {rest}", params)
        cells = cursor.fetchone()
    if cells is None:
        return None
    values = [_read(field, cell) for field, cell in zip(_fields(model), cells, strict=True)]
    return model.from_db("default", [field.attname for field in _fields(model)], values)


def _read(field: Field, cell: Any) -> Any:
    column = _column(field)
    for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
        cell = convert(cell, column, connection)
    return cell


def _prepared(model: type[Model], values: Mapping[str, Any]) -> list[Any]:
    return [_named(model, name).get_db_prep_save(value, connection) for name, value in values.items()]


@cache
def _column(field: Field) -> Any:
    return field.get_col(field.model._meta.db_table)


@cache
def _fields(model: type[Model]) -> tuple[Field, ...]:
    return tuple(model._meta.concrete_fields)


@cache
def _named(model: type[Model], name: str) -> Field:
    return next(field for field in _fields(model) if field.attname == name)


@cache
def _select(model: type[Model]) -> str:
    columns = ", ".join(_quoted(field.column) for field in _fields(model))
    return f"SELECT {columns} FROM {_quoted(model._meta.db_table)}"  # noqa: S608 (no value is in it)


@cache
def _insert(model: type[Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(_quoted(_named(model, name).column) for name in names)
    places = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 (no value is in it)


@cache
def _update(model: type[Model], names: tuple[str, ...], was: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_quoted(_named(model, name).column)} = %s" for name in names)
    still = "".join(f" AND {_quoted(_named(model, name).column)} = %s" for name in was)
    key = _quoted(model._meta.pk.column)
    return f"UPDATE {_quoted(model._meta.db_table)} SET {changes} WHERE {key} = %s{still}"  # noqa: S608 (no value is in it)


def _quoted(name: str | None) -> str:
    return str(connection.ops.quote_name(name or ""))
