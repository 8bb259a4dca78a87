"""A decimal that every database keeps exactly."""

from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import format_number
from django.db.models import DecimalField, Expression

COLLATION = "CT_DECIMAL"


class ExactDecimalField(DecimalField):
    """DecimalField that is exact on SQLite too, where a numeric column keeps 15 digits only.

    There it is text that compares as a number: equality, order, ranges and CHECKs mean what they say. Sums are not
    taken in SQL: SQLite would add the texts up as floats.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        if connection.vendor == "sqlite":
            return f"text COLLATE {COLLATION}"
        return f"numeric({self.max_digits}, {self.decimal_places})"

    def get_internal_type(self) -> str:
        return "ExactDecimalField"  # keeps Django from casting the text to a float and back

    def from_db_value(
        self, value: str | Decimal | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Decimal | None:
        return None if value is None else Decimal(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if isinstance(value, str | Decimal | int | None):
            # plain digits: with an exponent MySQL would read a float
            return format_number(self.to_python(value), self.max_digits, self.decimal_places)
        raise TypeError(f"{self.name} takes Decimal, not {type(value).__name__}")


def add_collation(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """On `connection_created`: teach SQLite to compare decimals."""
    if connection.vendor == "sqlite":
        connection.connection.create_collation(COLLATION, _compare)


def _compare(left: str, right: str) -> int:
    near = float(left), float(right)  # rounding never swaps two numbers, it only makes neighbours equal
    first, second = near if near[0] != near[1] else (Decimal(left), Decimal(right))
    return (first > second) - (first < second)
