"""The databases that a system under observation may have: SQLite in its folder, or a MariaDB of its own."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.fixtures.mariadb import MariaDB
from tests.secrecy import stores

REFUSED = "no key is written"


class Database(Protocol):
    """`settings`: what the system is told of it. `place`: what finds in its files begin with."""

    settings: Mapping[str, str]
    place: str

    def __enter__(self) -> "Database": ...

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: str) -> None: ...

    def refuse_keys(self) -> None:
        """From now on writing a key fails with REFUSED, until `take_keys`."""

    def take_keys(self) -> None: ...

    def plant(self, text: str) -> None:
        """Make a table `planted` of `text`, as `words` and as `bytes`."""

    def tables(self) -> stores.Found:
        """Every text and binary value of every table."""

    def files(self) -> stores.Found:
        """Its files that are not in the system's own folder."""


class Sqlite:
    settings: Mapping[str, str] = {}
    place = "file ct.sqlite3"

    def __init__(self, data: Path) -> None:
        """`data`: the system's folder."""
        self._path = data / "ct.sqlite3"

    def __enter__(self) -> "Sqlite":
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: str) -> None:
        with closing(sqlite3.connect(self._path, timeout=60)) as database, database:
            database.execute(sql)

    def refuse_keys(self) -> None:
        then = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        self.execute(f"CREATE TRIGGER refuse BEFORE UPDATE ON account_key {then}")

    def take_keys(self) -> None:
        self.execute("DROP TRIGGER refuse")

    def plant(self, text: str) -> None:
        self.execute(f"CREATE TABLE planted AS SELECT '{text}' AS words, CAST('{text}' AS BLOB) AS bytes")

    def tables(self) -> stores.Found:
        with closing(sqlite3.connect(self._path)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in names:
                rows = database.execute(f'SELECT * FROM "{table}"')
                yield from _values(table, [column[0] for column in rows.description], rows)

    def files(self) -> stores.Found:
        """They are in the system's own folder."""
        return iter(())


class Maria:
    place = "server data/"

    def __init__(self, directory: Path) -> None:
        """`directory`: where the server shall keep its files; it does not exist yet."""
        self._server = MariaDB(directory, durable=True)
        # a person's own run on another database, not a deployment: the login is made, one factor is enough for paper
        self.settings = {"DATABASE_URL": self._server.url, "CT_EMBEDDED": "1", "CT_ROLE": "both"}
        self.settings |= {"CT_SECOND_FACTOR": "live"}

    def __enter__(self) -> "Maria":
        self._server.start()
        with self._cursor("") as cursor:
            cursor.execute("CREATE DATABASE ct")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def execute(self, sql: str) -> None:
        with self._cursor() as cursor:
            cursor.execute(sql)

    def refuse_keys(self) -> None:
        # as a check that fails: by default it were a database that does not answer
        then = f"SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 4025, MESSAGE_TEXT = '{REFUSED}'"
        self.execute(f"CREATE TRIGGER refuse BEFORE UPDATE ON account_key FOR EACH ROW {then}")

    def take_keys(self) -> None:
        self.execute("DROP TRIGGER refuse")

    def plant(self, text: str) -> None:
        self.execute("CREATE TABLE planted (words TEXT, bytes BLOB)")
        self.execute(f"INSERT INTO planted VALUES ('{text}', '{text}')")

    def tables(self) -> stores.Found:
        with self._cursor() as cursor:
            cursor.execute("SHOW TABLES")
            for (table,) in cursor.fetchall():
                cursor.execute(f"SELECT * FROM `{table}`")
                yield from _values(table, [column[0] for column in cursor.description], cursor.fetchall())

    def files(self) -> stores.Found:
        """Tables, the logs of what was changed, and what the server says."""
        return stores.files(self._server.directory, "server")

    @contextmanager
    def _cursor(self, name: str = "ct") -> Iterator[Any]:
        import MySQLdb

        link = MySQLdb.connect(user="root", unix_socket=str(self._server.socket), db=name, charset="utf8mb4")
        with closing(link), link.cursor() as cursor:
            yield cursor
            link.commit()


def _values(table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> stores.Found:
    """What is sealed also as the bytes that it is, should it be a mere encoding."""
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            if isinstance(value, str | bytes) and value:
                yield f"table {table}.{column}", value.encode() if isinstance(value, str) else value
