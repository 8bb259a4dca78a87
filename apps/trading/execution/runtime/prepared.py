"""Long statements that are asked again and again."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

PLACE = re.compile(r"%\((\w+)\)s")


def execute(cursor: Any, text: str, values: Mapping[str, Any]) -> None:
    """A statement with places like `%(name)s`. MariaDB reads it once for each connection and is then told the
    values alone; MySQL takes no values with EXECUTE, and SQLite's driver keeps what it has read by itself.
    """
    on = cursor.db
    if not getattr(on, "mysql_is_mariadb", False):
        cursor.execute(text, values)
        return
    marked, names = _marked(text)
    kept: dict[str, str] = vars(on.connection).setdefault("kept_statements", {})
    if text not in kept:
        name = f"kept_{len(kept)}"
        cursor.execute(f"PREPARE {name} FROM %s", [marked])
        kept[text] = name
    places = ", ".join(["%s"] * len(names))
    cursor.execute(f"EXECUTE {kept[text]} USING {places}", [values[name] for name in names])


@cache
def _marked(text: str) -> tuple[str, tuple[str, ...]]:
    """With the places as MariaDB's PREPARE wants them, and whose they are."""
    return PLACE.sub("?", text).replace("%%", "%"), tuple(PLACE.findall(text))
