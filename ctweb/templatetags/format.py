"""Numbers in the first paint, written as static/js/fmt.js writes them a moment later."""

from typing import Any

from django import template

register = template.Library()

MISSING = "–"


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


def _is_missing(value: Any) -> bool:
    """Templates hand an attribute of nothing to a filter as an empty string."""
    return value is None or value == ""
