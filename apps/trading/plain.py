"""Numbers of JSON that we write: every digit, no exponent. `0E+18` is 0, and people read it."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct


def text(number: Decimal) -> str:
    """`0.00000001`, not `1E-8`; digits that say nothing are left out."""
    return f"{number.normalize():f}" if number else "0"


def evidence(told: Struct) -> dict[str, Any]:
    """What somebody told, as JSON."""
    return plainly(msgspec.to_builtins(told, builtin_types=(Decimal,)))


def plainly(value: Any) -> Any:
    """The same with each decimal in it as text."""
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, dict):
        return {key: plainly(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plainly(each) for each in value]
    return value
