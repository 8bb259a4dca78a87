from collections.abc import Iterator

import pytest

from tests.orders.rig import Rig, database_of

JOBS = ("naive", "evidence", "lives", "ablated", "halts", "outages", "listeners")
MODULES = tuple(f"tests.orders.{name}" for name in JOBS)


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One for all tests of a process: each opens accounts of its own."""
    folder = tmp_path_factory.mktemp("rig")
    with Rig(folder / "files", database_of(folder), MODULES) as running:
        yield running
