"""Query parameters: text from strangers, refused by name when it is not what it should be."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

DIGITS = re.compile(r"-?[0-9]{1,18}", re.ASCII)
AGO = re.compile(r"-([0-9]{1,6})(s|m|h|d)", re.ASCII)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """A misspelt filter must not look like an empty one."""
    unknown = {name: ["Unknown parameter."] for name in request.query_params if name not in known}
    if unknown:
        raise ValidationError(unknown)


def whole_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not DIGITS.fullmatch(text) or not least <= int(text) <= most:
        raise ValidationError({name: [f"Must be a whole number from {least} to {most}."]})
    return int(text)


def word(request: Request, name: str, *, default: str | None = None, longest: int = 100) -> str:
    """A required text unless there is a `default`."""
    text = request.query_params.get(name, default)
    if text is None:
        raise ValidationError({name: ["This parameter is required."]})
    if not text.isprintable() or not len(text) <= longest:
        raise ValidationError({name: [f"Must be at most {longest} printable characters."]})
    return text


def choice(request: Request, name: str, options: Collection[str], *, default: str | None = None) -> str | None:
    """One of `options`; None when it is not asked and there is no default."""
    text = request.query_params.get(name, default)
    if text is not None and text not in options:
        raise ValidationError({name: [f"Must be one of {', '.join(options)}."]})
    return text


def yes_or_no(request: Request, name: str) -> bool | None:
    """None when it is not asked."""
    text = request.query_params.get(name)
    if text not in (None, "true", "false", "1", "0"):
        raise ValidationError({name: ["Must be true or false."]})
    return None if text is None else text in ("true", "1")


def moment(request: Request, name: str, *, now: datetime, default: datetime | None = None) -> datetime:
    """ISO 8601 (UTC unless it says otherwise), milliseconds since 1970, or a time ago such as `-2h`."""
    text = request.query_params.get(name)
    if text is None:
        if default is None:
            raise ValidationError({name: ["This parameter is required."]})
        return default
    found = _moment(text, now)
    if found is None or not EARLIEST <= found <= LATEST:
        raise ValidationError({name: ["Must be ISO 8601, milliseconds since 1970, or a time ago such as -2h."]})
    return found


def _moment(text: str, now: datetime) -> datetime | None:
    try:
        if ago := AGO.fullmatch(text):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if DIGITS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        # in a query the plus of an offset arrives as a space
        found = parse_datetime(text.replace(" ", "+") if text.isascii() and "T" in text else text)
    except (ValueError, OverflowError, OSError):
        return None
    if found is None:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
