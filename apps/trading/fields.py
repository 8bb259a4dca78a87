"""Columns of the trading tables that Django has no word for."""

from enum import StrEnum
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression

from apps.feeds.fields import ExactDecimalField
from apps.users.fields import ExactTextField

__all__ = ["ExactTextField", "Money", "UpperCaseField"]


class Money(ExactDecimalField):
    """Amounts, prices, fees: 20 digits before the point, 18 after it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 38, "decimal_places": 18})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs


class UpperCaseField(models.CharField):
    """A word of ours (`buy`) that the seeds' tables write in capitals (`BUY`); in Python it is the enum's member."""

    def __init__(self, words: type[StrEnum], *args: Any, **kwargs: Any) -> None:
        self.words = words
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, [self.words, *args], kwargs

    def to_python(self, value: Any) -> Any:
        return None if value in (None, "") else self.words(str(value).lower())

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else str(value).upper()

    def from_db_value(self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else self.words(value.lower())
