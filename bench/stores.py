"""The databases that a fleet of the benchmarks stands on: a file of SQLite's, or a MariaDB of its own."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, Protocol

from tests.fixtures.mariadb import MariaDB

PROGRAMS = "/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin"
DATABASE = "ct"  # as the URL of MariaDB names it
PATIENCE_S = 20
Row = Sequence[object]


class Store(Protocol):
    """Statements name their values as `%s`."""

    url: str

    def query(self, statement: str, values: Row = ()) -> Sequence[Any]: ...

    def change(self, *steps: tuple[str, Iterable[Row]]) -> None:
        """Each statement once for each of its rows, all in one transaction."""
        ...


class File:
    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path

    def query(self, statement: str, values: Row = ()) -> Sequence[Any]:
        with closing(sqlite3.connect(self._path, timeout=PATIENCE_S)) as database:
            return database.execute(statement.replace("%s", "?"), values).fetchall()

    def change(self, *steps: tuple[str, Iterable[Row]]) -> None:
        with closing(sqlite3.connect(self._path, timeout=PATIENCE_S)) as database, database:
            for statement, rows in steps:
                database.executemany(statement.replace("%s", "?"), rows)


class Server:
    """A MariaDB that writes its log with every commit, as a server does, and runs while this is entered."""

    def __init__(self, directory: Path) -> None:
        self._server = MariaDB(directory, durable=True)
        self.url = self._server.url

    def __enter__(self) -> "Server":
        self._server.start()
        with closing(self._connect("")) as link, link.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def query(self, statement: str, values: Row = ()) -> Sequence[Any]:
        with closing(self._connect()) as link, link.cursor() as cursor:
            cursor.execute(statement, values)
            found: Sequence[Any] = cursor.fetchall()
            return found

    def change(self, *steps: tuple[str, Iterable[Row]]) -> None:
        with closing(self._connect()) as link, link.cursor() as cursor:
            for statement, rows in steps:
                cursor.executemany(statement, list(rows))
            link.commit()

    def _connect(self, database: str = DATABASE) -> Any:
        import MySQLdb

        return MySQLdb.connect(user="root", unix_socket=str(self._server.socket), database=database)


def has_server() -> bool:
    return which("mariadbd", path=PROGRAMS) is not None and find_spec("MySQLdb") is not None
