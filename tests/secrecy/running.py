"""A whole system under observation: what it says is kept, and its processes are within reach."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.system import System
from tests.fixtures.captures import ROOT
from tests.fixtures.ports import free_port
from tests.secrecy.databases import Database, Maria, Sqlite
from tests.secrecy.ears import Person
from workers.tests.deployed import accepts

MSG_S = 100  # how much the markets tell is of no account here
PROGRAMS = {"web": b"uvicorn", "daemon": b"--role", "orders": b"exec.wake", "jobs": b"flush.", "beat": b"\0beat\0"}


class Run:
    """`data` is the system's own folder, `heard` has what it said, `temporary` is where its processes put files.

    The caller enters `database` first, then `system`.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        """`kind` of database: sqlite or mariadb."""
        self.data, self.heard, self.temporary = (folder / name for name in ("data", "heard", "temporary"))
        for path in (self.data, self.heard, self.temporary):
            path.mkdir()
        self.database: Database = Sqlite(self.data) if kind == "sqlite" else Maria(folder / "server")
        told = {"CT_PUBLISH_HZ": "1", "TMPDIR": str(self.temporary), **self.database.settings}
        self.system = System(self.data, free_port(), told, msg_s=MSG_S)

    def pids(self) -> dict[str, int]:
        """Program -> process."""
        supervisord = (self.system.folder.run / "supervisord.pid").read_text().strip()
        found: dict[str, int] = {}
        for pid in Path(f"/proc/{supervisord}/task/{supervisord}/children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended in this very moment
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                found |= {name: int(pid) for name, word in PROGRAMS.items() if word in command}
        return found

    def environment(self, program: str) -> dict[str, str]:
        content = Path(f"/proc/{self.pids()[program]}/environ").read_bytes()
        return dict(one.split("=", 1) for one in content.decode().split("\0") if "=" in one)

    def manage(self, *arguments: str) -> None:
        """Run a command as on the host of an executor."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment("daemon"),
            capture_output=True,
            check=True,
            timeout=300,
        )
        with (self.heard / "commands").open("ab") as file:
            file.write(done.stdout + done.stderr)

    @contextmanager
    def debugging(self) -> Iterator[Person]:
        """Somebody at a web process with DEBUG on, beside the other."""
        port = free_port()
        environment = self.environment("web") | {"DJANGO_SETTINGS_MODULE": "tests.secrecy.debug_settings"}
        command = [sys.executable, "-m", "uvicorn", "ctweb.asgi:application", "--port", str(port), "--lifespan", "off"]
        with (self.heard / "log of the web process with DEBUG").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            try:
                self.system.wait("the web process with DEBUG", lambda: accepts(port))
                yield Person(f"http://127.0.0.1:{port}", self.system.login, self.heard / "http with DEBUG")
            finally:
                process.terminate()
                process.wait(60)
