"""Whether two JSON values are of one shape: names and kinds of values, not the values."""

from typing import Any

ABSENT = "absent"


def kind(value: Any) -> str:
    """Numbers that are written as text are a kind of their own."""
    if isinstance(value, str):
        plain = value.removeprefix("-").replace(".", "", 1)
        return "number as text" if plain.isdecimal() else "text"
    return type(value).__name__


def differences(ours: Any, theirs: Any, path: str = "") -> dict[str, tuple[str, str]]:
    """Where two values differ: path -> the kinds of both. Null is of any kind, and so is an empty text or list."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found: dict[str, tuple[str, str]] = {}
        for name in ours.keys() | theirs.keys():
            place = f"{path}.{name}" if path else name
            if name not in ours or name not in theirs:
                found[place] = (
                    kind(ours[name]) if name in ours else ABSENT,
                    kind(theirs[name]) if name in theirs else ABSENT,
                )
            else:
                found |= differences(ours[name], theirs[name], place)
        return found
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{path}[]") if ours and theirs else {}
    if ours in (None, "") or theirs in (None, "") or kind(ours) == kind(theirs):
        return {}
    return {path: (kind(ours), kind(theirs))}
