"""All that a test of orders needs: simulated exchanges, a database of its own, processes that are forked and killed."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.orders import rows
from tests.orders.exchange import Exchanges
from tests.orders.forks import Fork, Forks

MODULES = ("tests.orders.rows",)
MONEY = "1000000"
PAIRS = ("BTC/USDT",)


class Rig:
    """Runs while entered. The database is empty before, and nobody else's."""

    exchanges: Exchanges
    forks: Forks

    def __init__(self, folder: Path, database_url: str, modules: Sequence[str] = ()) -> None:
        self._folder = folder
        self._modules = [*MODULES, *modules]
        self._environment = {
            "DATABASE_URL": database_url,
            "CT_EMBEDDED": "1",
            "CT_DATA_DIR": str(folder / "data"),
            "CT_SEAL_PRIVATE_KEYS_FILE": str(folder / "data" / "keys" / "seal.private"),
            "CT_TEST_HOOKS": "1",
            "CT_LOG_LEVEL": "WARNING",
            "REDIS_URL": "redis://127.0.0.1:9/0",  # nobody is there: no order needs it
        }
        self._numbers = count(1)
        self._listed: set[tuple[str, str]] = set()

    @property
    def halt_file(self) -> Path:
        """The signal file of this host, as its senders know it."""
        return self._folder / "data" / "HALT"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        (self._folder / "data").mkdir()
        with ExitStack() as stack:
            self.exchanges = stack.enter_context(Exchanges(self._folder / "exchanges.log"))
            environment = self._environment | {"CT_SIMULATOR_URL": self.exchanges.url, "SOURCE": "simulator"}
            self.forks = stack.enter_context(Forks(self._folder / "forks", environment, self._modules))
            self.forks.call(rows.migrate)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def accounts(
        self,
        number: int,
        exchange: str = "binance",
        *,
        market_type: str = "spot",
        pairs: Sequence[str] = PAIRS,
        held: str = "0",
    ) -> list[dict[str, Any]]:
        """New ones at the exchange and in the database: id, name, trades and pairs by the pair's name."""
        if (exchange, market_type) not in self._listed:
            self.forks.call(rows.list_market, exchange=exchange, market_type=market_type)
            self._listed.add((exchange, market_type))
        names = [f"rig{next(self._numbers)}" for _ in range(number)]
        assets = dict.fromkeys((asset for pair in pairs for asset in pair.split("/")), MONEY)
        for name in names:
            self.exchanges.open_account(exchange, name, market_type, assets)
        where = {"exchange": exchange, "market_type": market_type, "pairs": list(pairs)}
        opened: list[dict[str, Any]] = self.forks.call(rows.open_accounts, names=names, held=held, **where)
        return [{**each, "exchange": exchange, "market_type": market_type} for each in opened]

    def middle(self, account: dict[str, Any], pair: str = PAIRS[0]) -> Decimal:
        """Of a book that stands still."""
        where = {"exchange": account["exchange"], "market_type": account["market_type"]}
        book = self.exchanges.get("_sim/book", symbol=account["symbols"][pair], **where)
        return (Decimal(str(book["bids"][0][0])) + Decimal(str(book["asks"][0][0]))) / 2

    def kill_at(self, point: str, *, skip: int = 0, how: str = "kill") -> dict[str, str]:
        """The environment of a fork that ends itself at a point of the plan."""
        return {"CT_KILL_AT": point, "CT_KILL_SKIP": str(skip), "CT_KILL_HOW": how}


def database_of(folder: Path) -> str:
    """The URL of a new database: on the run's own MariaDB where the run has one, else a file."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("mysql"):
        return f"sqlite:///{folder}/rig.sqlite3"
    name = f"rig_{os.getpid()}_{folder.name.replace('-', '_')}"
    return create_database(server, name)


def create_database(server: str, name: str) -> str:
    import MySQLdb

    path = server.partition("unix_socket=")[2]
    with MySQLdb.connect(user="root", unix_socket=path) as link, link.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    return f"mysql://root@localhost/{name}?unix_socket={path}"


__all__ = ["Fork", "Rig", "create_database", "database_of"]
