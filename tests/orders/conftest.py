from collections.abc import Iterator

import pytest

from tests.fixtures.mariadb import MariaDB
from tests.orders.rig import Rig, create_database, database_of

JOBS = ("naive", "evidence", "lives", "ablated", "halts", "outages", "listeners", "stops", "takeovers")
MODULES = tuple(f"tests.orders.{name}" for name in JOBS)


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One for all tests of a process: each opens accounts of its own."""
    folder = tmp_path_factory.mktemp("rig")
    with Rig(folder / "files", database_of(folder), MODULES) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """One that keeps what was committed when it is killed, and that no other module uses."""
    mariadb = MariaDB(tmp_path_factory.mktemp("durable") / "mariadb", durable=True)
    mariadb.start()
    yield mariadb
    mariadb.stop()


@pytest.fixture(scope="module")
def durable(server: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("durable-rig") / "files", create_database(server.url, "rig"), MODULES) as running:
        yield running
