"""Numbers in the first paint, written as static/js/fmt.js writes them a moment later."""

from decimal import Decimal
from typing import Any

from django import template

register = template.Library()

MISSING = "–"
CENTS = 2  # decimals of dollars


@register.filter
def known(value: Any) -> Any:
    """The value, or the mark of a missing one: nothing unknown is drawn as 0."""
    return MISSING if _is_missing(value) else value


@register.filter
def grouped(value: Any) -> str:
    """`97412.36` -> `97,412.36`; a decimal string keeps its decimals."""
    if _is_missing(value):
        return MISSING
    whole, dot, part = str(value).partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{dot}{part}"


@register.filter
def money(value: Any) -> str:
    """Every digit of a decimal and no zero more: `0.500000` -> `0.5`."""
    return MISSING if _is_missing(value) else grouped(f"{Decimal(value).normalize():f}")


@register.filter
def cents(value: Any, places: int = CENTS) -> str:
    """Two decimals, up to `places` where it has them, with the sign written out; zero has none."""
    if _is_missing(value):
        return MISSING
    text = f"{Decimal(value):.{places}f}"
    least = len(text) - places + CENTS
    text = text[:least] + text[least:].rstrip("0")
    plus = "+" if Decimal(text) > 0 else ""
    return plus + grouped(text.removeprefix("-") if not Decimal(text) else text)


@register.filter
def tone(value: Any, places: int = CENTS) -> str:
    """The class of a result: gained, lost, or nothing to speak of: what `cents` writes as zero is none."""
    if _is_missing(value) or not round(Decimal(value), places):
        return "muted"
    return "bid" if value > 0 else "ask"


def _is_missing(value: Any) -> bool:
    """Templates hand an attribute of nothing to a filter as an empty string."""
    return value is None or value == ""
