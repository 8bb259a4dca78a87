"""How Django speaks to its database; what was measured stands in the comments."""

from typing import Any

import dj_database_url

SQLITE_PRAGMAS = """
    PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; PRAGMA foreign_keys=ON;
    PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16000;
"""
# One writer at a time, from the first statement on: a transaction that begins by reading cannot fail when it writes.
SQLITE = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_PRAGMAS}

MYSQL = {
    "charset": "utf8mb4",
    "isolation_level": "read committed",
    "init_command": "SET sql_mode='STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
    " time_zone='+00:00', innodb_lock_wait_timeout=5",
    "connect_timeout": 5,
    "read_timeout": 30,
    "write_timeout": 30,
}


def databases(url: str) -> dict[str, Any]:
    """Django's DATABASES for SQLite or MySQL/MariaDB."""
    found: dict[str, Any] = dict(dj_database_url.parse(url))
    if found["ENGINE"].endswith("sqlite3"):
        found["OPTIONS"] = {**SQLITE, **found.get("OPTIONS", {})}
        found["TEST"] = {"NAME": f"{found['NAME']}.test"}  # a file: in memory, threads would lock each other out
    else:
        found["ENGINE"] = "ctweb.conf.mysql"
        found["OPTIONS"] = {**MYSQL, **found.get("OPTIONS", {})}
        found["TEST"] = {"CHARSET": "utf8mb4"}
    return {"default": found}
