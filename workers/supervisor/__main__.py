"""`python -m workers.supervisor`: the whole system on one machine, in front of the terminal (what `make run` starts).

Exit status 0 after Ctrl-C or SIGTERM, 1 with one line on stderr when something cannot start.
"""

import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

from apps import logs
from apps.trading.credentials import keyring
from workers.embedded.redis import ServerMissing, find_server, write_configuration
from workers.lifecycle import CannotStart
from workers.supervisor import programs
from workers.supervisor.folder import OTHERS, Folder, check_port
from workers.supervisor.programs import Program
from workers.supervisor.session import Session, Signals

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    os.umask(OTHERS)  # for all processes of the run: databases, keys, logs and records are their owner's
    signals = Signals()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signals.note)
    try:
        with ExitStack() as held:
            run(held, signals)
    except (CannotStart, ServerMissing) as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return 1
    return 0


def run(held: ExitStack, signals: Signals) -> None:
    """Check everything first, so that nothing half-starts, then run until a signal.

    A bad setting raises SystemExit with the line that names it.
    """
    folder = Folder(Path(os.environ.get("CT_DATA_DIR") or ROOT / "var").absolute())
    folder.create()
    folder.lock(held)
    folder.await_former()
    ports = folder.ports()
    os.environ |= {
        "CT_EMBEDDED": os.environ.get("CT_EMBEDDED", "1"),
        "CT_SIMULATOR_URL": f"http://127.0.0.1:{ports['simulator']}",
        "DJANGO_SETTINGS_MODULE": "ctweb.settings",
        "PYTHONUNBUFFERED": "1",
    }
    private_keys = sealing_keys(folder)
    stores = embedded_stores(folder, ports)
    check_port(settings.PORT)
    table = [*stores, *exchanges(folder, ports["simulator"]), *own_processes(private_keys)]
    configuration = folder.run / "supervisord.conf"
    configuration.write_text(programs.configuration(table, folder, ROOT))
    Session(folder, ROOT, embedded={program.name for program in stores}).run(configuration, signals)


def embedded_stores(folder: Folder, ports: dict[str, int]) -> list[Program]:
    """The stores that no address from outside replaces; theirs are put into the environment for all processes.

    No setting may be read before all addresses stand there: what is read once holds.
    """
    found = []
    if not os.environ.get("REDIS_URL"):
        configuration, os.environ["REDIS_URL"] = write_configuration(folder.run, ports["redis"])
        found.append(programs.redis(find_server(), configuration))
    if not os.environ.get("CLICKHOUSE_URL"):
        if find_spec("chdb") is None:
            raise CannotStart("the embedded history is not installed: make clean run, or set CLICKHOUSE_URL")
        os.environ["CLICKHOUSE_URL"] = f"http://127.0.0.1:{ports['history']}/ct"
        found.append(programs.history(folder.root / "history", ports["history"], _logs()))
    return found


def exchanges(folder: Folder, port: int) -> list[Program]:
    """The simulator, unless the real exchanges are wanted; a recording has other markets, and so other accounts."""
    if settings.SOURCE == "live":
        return []
    if settings.SOURCE == "simulator":
        return [programs.simulator(port, folder.root / "simulator.sqlite3", _logs())]
    recorded = settings.CT_CAPTURES_DIR
    if recorded is None or not recorded.is_dir():
        raise CannotStart("SOURCE=replay needs recorded frames: CT_CAPTURES_DIR=folder SOURCE=replay make run")
    return [programs.simulator(port, folder.root / "replayed.sqlite3", _logs(), recorded)]


def _logs() -> tuple[str, ...]:
    """For processes that read no settings."""
    return logs.options(level=settings.CT_LOG_LEVEL, json=settings.CT_LOG_JSON)


def sealing_keys(folder: Folder) -> Path:
    """The file that opens keys of exchanges, made on the first run. Only executors are told where it is."""
    files = keyring.embedded(folder.root)
    given = os.environ.pop("CT_SEAL_PRIVATE_KEYS_FILE", None)
    if given:
        files = replace(files, private=Path(given).absolute())
    try:
        keyring.make_once(files)
    except (keyring.KeyFileRefused, OSError) as error:
        raise CannotStart(f"sealing keys: {error}") from None
    return files.private


def own_processes(private_keys: Path | None = None) -> list[Program]:
    return [
        programs.web(settings.PORT),
        programs.daemon(settings.CT_ROLE, private_keys),
        *([programs.orders(private_keys)] if settings.CT_ROLE != "monitor" else []),
        programs.jobs(os.uname().nodename),
        programs.beat(),
    ]


if __name__ == "__main__":
    sys.exit(main())
