"""The processes of an embedded run, as a table, and the supervisord configuration that it becomes."""

import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.supervisor.folder import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process. Stopping goes from the highest `order` to the lowest; equal orders stop together."""

    name: str
    command: tuple[str, ...]
    order: int
    stop_s: int  # after SIGTERM; then SIGKILL
    needs_database: bool = False  # starts once the database is prepared
    environment: tuple[tuple[str, str], ...] = ()  # what no other process shall be told
    # Priority: what can wait must not delay books on their way to Redis and the browser. Nobody can who writes to the
    # database: SQLite has one lock for all, and who holds it must not wait for a processor.
    nice: int = 0


# Run as root, celery and supervisord warn at length; the embedded run belongs to whoever started it.
QUIET_ROOT = ("-W", "ignore:You're running the worker with superuser")
SAME_USER = "user=0" if os.geteuid() == 0 else ""

CAN_WAIT = 10
STORES, JOBS, FRONT = 10, 20, 30  # stop: front, jobs and exchanges, stores; all within STOP_S of the stack
DAEMON_SETTLES_S, DAEMON_ENDS_S = 6.5, 1.5  # after its parts: threads that hang in a store, and Python itself


def python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def redis(server: Path, configuration: Path) -> Program:
    return Program(name="redis", command=(str(server), str(configuration)), order=STORES, stop_s=2)


def history(directory: Path, port: int, logs: Sequence[str]) -> Program:
    command = python("workers.embedded.clickhouse", "--path", str(directory), "--port", str(port), *logs)
    return Program(name="history", command=command, order=STORES, stop_s=2, nice=CAN_WAIT)


def simulator(port: int, accounts: Path, logs: Sequence[str], replay: Path | None = None) -> Program:
    """`accounts`: the file of accounts that outlive its process."""
    recorded = ("--replay", str(replay)) if replay else ()
    kept = ("--accounts", str(accounts))
    command = python("apps.feeds.simulator", "--port", str(port), "--seed", "1", *logs, *kept, *recorded)
    return Program(name="simulator", command=command, order=JOBS, stop_s=2)


def web(port: int) -> Program:
    serve = ("--host", "127.0.0.1", "--port", str(port), "--ws", "websockets-sansio", "--lifespan", "off")
    log = ("--no-access-log", "--log-config", str(Path(__file__).with_name("uvicorn.json")))
    # no proxy stands before it: a forwarded address would be one that the client chose
    plain = ("--no-proxy-headers", "--timeout-graceful-shutdown", "2")
    command = python("uvicorn", "ctweb.asgi:application", *serve, *log, *plain)
    return Program(name="web", command=command, order=FRONT, stop_s=5, needs_database=True)


def daemon(role: str, private_keys: Path | None = None) -> Program:
    """`private_keys`: the file that opens the keys of exchanges, for a daemon that trades."""
    command = python("workers", "--role", role, "--settle-s", str(DAEMON_SETTLES_S))
    stop_s = int(DAEMON_SETTLES_S + DAEMON_ENDS_S)
    told = _told(private_keys) if role != "monitor" else ()
    return Program(name="daemon", command=command, order=FRONT, stop_s=stop_s, needs_database=True, environment=told)


def orders(private_keys: Path | None = None) -> Program:
    """Works lanes at exchanges when it is told of one, and nothing else, so that no job is ever ahead of an order."""
    worker = ("worker", "-P", "threads", "-c", "8", "-Q", "exec.wake", "-n", "orders@%h")
    command = (*_celery(), *worker, "--without-gossip", "--without-mingle")
    return Program(
        name="orders",
        command=command,
        order=FRONT,
        stop_s=5,
        needs_database=True,
        environment=_told(private_keys),
    )


def jobs(host: str) -> Program:
    """One process with threads: four small jobs at a time need no more here, and it starts faster than a fork."""
    queues = f"flush.{host},recover,audit,default"
    worker = ("worker", "-P", "threads", "-c", "4", "-Q", queues, "--without-gossip", "--without-mingle")
    command = (*_celery(), *worker)
    return Program(name="jobs", command=command, order=JOBS, stop_s=3, needs_database=True)


def beat() -> Program:
    command = python("celery", "-A", "ctweb", "--quiet", "beat", "--pidfile=")
    return Program(name="beat", command=command, order=FRONT, stop_s=2, needs_database=True, nice=CAN_WAIT)


def _celery() -> tuple[str, ...]:
    return (sys.executable, *QUIET_ROOT, "-m", "celery", "-A", "ctweb", "--quiet")


def _told(private_keys: Path | None) -> tuple[tuple[str, str], ...]:
    """Where the keys of exchanges are opened."""
    return (("CT_SEAL_PRIVATE_KEYS_FILE", str(private_keys)),) if private_keys else ()


def configuration(programs: Iterable[Program], folder: Folder, root: Path) -> str:
    """supervisord's configuration; settings and secrets are not in it, they are inherited."""
    programs = list(programs)
    sections = [_supervisord(folder), *(_program(program, folder, root) for program in programs)]
    for order in sorted({program.order for program in programs}):
        names = ",".join(program.name for program in programs if program.order == order)
        sections.append(f"[group:stage{order}]\nprograms={names}\npriority={order}\n")
    return "\n".join(sections)


def _supervisord(folder: Folder) -> str:
    return f"""\
[supervisord]
nodaemon=true
{SAME_USER}
silent=true
logfile={_plain(folder.log / "supervisor.log")}
logfile_maxbytes=2MB
logfile_backups=1
pidfile={_plain(folder.run / "supervisord.pid")}
childlogdir={_plain(folder.log)}
"""


def _program(program: Program, folder: Folder, root: Path) -> str:
    after = ("--after", str(folder.prepared)) if program.needs_database else ()
    nice = ("--nice", str(program.nice)) if program.nice else ()
    told = ("/usr/bin/env", *(f"{name}={value}" for name, value in program.environment)) if program.environment else ()
    tether = (sys.executable, "-S", "-m", "workers.supervisor.tether", *after, *nice, "--")
    return f"""\
[program:{program.name}]
command={_plain(shlex.join((*tether, *told, *program.command)))}
directory={_plain(root)}
autorestart=true
startsecs=2
startretries=5
stopsignal=TERM
stopwaitsecs={program.stop_s}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={_plain(_plain(folder.log / program.name))}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


def _plain(text: object) -> str:
    """supervisord expands percent signs, twice in the names of a program's logs."""
    return str(text).replace("%", "%%")
