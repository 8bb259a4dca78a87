"""`python -m bench.drill`: the drill of a release. Orders rest on every market of every simulated exchange, then all is
halted: how long until each is cancelled and confirmed. Exit status 1 when that took more than ten seconds, or was not
whole.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.drill", description=__doc__)
    parser.add_argument("--orders", type=int, default=5, help="on each market")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import tests.environment  # noqa: F401 (a data folder of its own, and no settings of the developer)

    django.setup()
    return run(options.orders)


def run(orders: int) -> int:
    from tests.fixtures.mariadb import MariaDB
    from tests.orders.drill import drill
    from tests.orders.rig import Rig, create_database

    with tempfile.TemporaryDirectory(prefix="ct-drill-") as directory:
        server = MariaDB(Path(directory) / "mariadb", durable=True)
        server.start()
        try:
            url = create_database(server.url, "drill")
            with Rig(Path(directory) / "rig", url, ("tests.orders.halts", "tests.orders.lives")) as rig:
                told = drill(rig, orders)
        finally:
            server.stop()
    print(told)
    return 0 if told.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
