"""The environment that every test run sees, set before Django reads its settings (pytest -p tests.environment).

The developer's own settings and data folder never leak in: whatever the system reads is set here or unset.
CT_TEST_DATABASE=mariadb runs the tests that use the database on a private MariaDB instead of SQLite.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.fixtures.mariadb import MariaDB

ON_MARIADB = os.environ.get("CT_TEST_DATABASE") == "mariadb"
IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ
OWN = ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL", "PORT", "SOURCE", "SECRET_KEY_FILE")
KEPT = {"CT_FAULTS", "CT_TEST_DATABASE", "CT_TEST_OUTAGE_S", "CT_CAPTURES_DIR", "CT_FUZZ", "CT_EXAMPLES"}


def prepare() -> None:
    """Replace the system's settings in `os.environ`; the MariaDB of the run is started once and shared by workers."""
    for name in [name for name in os.environ if name in OWN or (name.startswith("CT_") and name not in KEPT)]:
        del os.environ[name]
    directory = Path(tempfile.mkdtemp(prefix="ct-test-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.environ.update(
        CT_DATA_DIR=str(directory),
        SOURCE="simulator",
        CT_SECOND_FACTOR="live",  # as the embedded run has it, on MariaDB too: tests of `all` say so
        CT_SIMULATOR_URL="http://127.0.0.1:9",  # nothing listens there: a test names its own simulator
        SECRET_KEY="only-for-tests-" + "x" * 50,
    )
    if ON_MARIADB:
        server = MariaDB(directory / "mariadb")
        server.start()
        atexit.register(server.stop)  # runs before the folder goes: last registered, first called
        os.environ["DATABASE_URL"] = server.url


if not IS_XDIST_WORKER:  # workers inherit what the first process prepared
    prepare()
