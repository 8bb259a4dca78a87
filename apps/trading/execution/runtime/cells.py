"""Values as cells of a statement. They are what Django's fields make of them, which goes through six calls for each: an
order writes a hundred.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, DateTimeField, Field, ForeignKey, IntegerField

from apps.feeds.fields import ExactDecimalField

Writer = Callable[[Any, BaseDatabaseWrapper], Any]

# what such a field writes as it stands, if it prepares values as Django does
AS_IT_STANDS: dict[type[Field], Callable[[Any], bool]] = {
    CharField: lambda value: isinstance(value, str),
    IntegerField: lambda value: type(value) is int,
    BooleanField: lambda value: type(value) is bool,
    ForeignKey: lambda value: type(value) is int,
}
PREPARING = ("get_db_prep_save", "get_db_prep_value", "get_prep_value", "to_python")


def writer(field: Field) -> Writer:
    """What makes a cell of a value of this column; whatever is not of the plain kind is left to the field."""
    if isinstance(field, ExactDecimalField):
        return _of_decimals(field)
    if _prepares_as(DateTimeField, field):
        return lambda value, on: moment(value, on) if _is_ours(value) else _whole(field, value, on)
    for kind, stands in AS_IT_STANDS.items():
        if _prepares_as(kind, field):
            return _of_plain(field, stands)
    return lambda value, on: _whole(field, value, on)


def moment(at: datetime, on: BaseDatabaseWrapper) -> Any:
    """A time as the database compares it."""
    if _is_ours(at):
        return str(at.replace(tzinfo=None))
    return on.ops.adapt_datetimefield_value(at)


def _is_ours(value: Any) -> bool:
    """A time as this system has them."""
    return type(value) is datetime and value.tzinfo is UTC


def _of_plain(field: Field, stands: Callable[[Any], bool]) -> Writer:
    return lambda value, on: value if value is None or stands(value) else _whole(field, value, on)


def _of_decimals(field: ExactDecimalField) -> Writer:
    digits, step = Context(prec=field.max_digits), Decimal(1).scaleb(-field.decimal_places)

    def write(value: Any, on: BaseDatabaseWrapper) -> Any:
        if type(value) is Decimal and value.is_finite():
            return f"{value.quantize(step, context=digits):f}"
        return _whole(field, value, on)

    return write


def _whole(field: Field, value: Any, on: BaseDatabaseWrapper) -> Any:
    return field.get_db_prep_save(value, connection=on)


def _prepares_as(kind: type[Field], field: Field) -> bool:
    same = (getattr(type(field), name) is getattr(kind, name) for name in PREPARING)
    return isinstance(field, kind) and all(same)
