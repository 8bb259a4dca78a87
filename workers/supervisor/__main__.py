"""`python -m workers.supervisor`: the whole system on one machine, in front of the terminal (what `make run` starts).

Exit status 0 after Ctrl-C or SIGTERM, 1 with one line on stderr when something cannot start.
"""

import os
import signal
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from ctweb.env import ConfigurationError, Environment, load
from workers.embedded.redis import ServerMissing, find_server, write_configuration
from workers.supervisor import programs
from workers.supervisor.folder import CannotStart, Folder, check_port
from workers.supervisor.programs import Program
from workers.supervisor.session import Session, Signals

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    signals = Signals()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signals.note)
    try:
        with ExitStack() as held:
            run(held, signals)
    except (CannotStart, ConfigurationError, ServerMissing) as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return 1
    return 0


def run(held: ExitStack, signals: Signals) -> None:
    """Check everything first, so that nothing half-starts, then run until a signal."""
    os.environ.setdefault("CT_EMBEDDED", "1")
    folder = Folder(Path(os.environ.get("CT_DATA_DIR") or ROOT / "var").absolute())
    folder.create()
    folder.lock(held)
    ports = folder.ports()
    # the simulator is this run's own: an address from outside would be asked for and then not used
    os.environ["CT_SIMULATOR_URL"] = f"http://127.0.0.1:{ports['simulator']}"
    check_port(load().port)
    stores = embedded_stores(folder, ports)
    environment = load()
    table = [*stores, *exchanges(environment, ports), *own_processes(environment)]
    configuration = folder.run / "supervisord.conf"
    configuration.write_text(programs.configuration(table, folder, ROOT))
    os.environ["PYTHONUNBUFFERED"] = "1"
    Session(environment, folder, ROOT, embedded={program.name for program in stores}).run(configuration, signals)


def embedded_stores(folder: Folder, ports: dict[str, int]) -> list[Program]:
    """The stores that no address from outside replaces; theirs are put into the environment for all processes."""
    found = []
    if not os.environ.get("REDIS_URL"):
        configuration, os.environ["REDIS_URL"] = write_configuration(folder.run, ports["redis"])
        found.append(programs.redis(find_server(), configuration))
    if not os.environ.get("CLICKHOUSE_URL"):
        if find_spec("chdb") is None:
            raise CannotStart("the embedded history is not installed: make clean run, or set CLICKHOUSE_URL")
        os.environ["CLICKHOUSE_URL"] = f"http://127.0.0.1:{ports['history']}/ct"
        found.append(programs.history(folder.root / "history", ports["history"]))
    return found


def exchanges(environment: Environment, ports: dict[str, int]) -> list[Program]:
    """The simulator, unless the real exchanges are wanted."""
    if environment.source == "live":
        return []
    replay = environment.captures_dir if environment.source == "replay" else None
    if environment.source == "replay" and (replay is None or not replay.is_dir()):
        raise CannotStart(
            "SOURCE=replay needs a folder of recorded frames: CT_CAPTURES_DIR=folder SOURCE=replay make run"
        )
    return [programs.simulator(ports["simulator"], replay)]


def own_processes(environment: Environment) -> list[Program]:
    return [
        programs.web(environment.port),
        programs.daemon(environment.role),
        programs.jobs(os.uname().nodename),
        programs.beat(),
    ]


if __name__ == "__main__":
    sys.exit(main())
