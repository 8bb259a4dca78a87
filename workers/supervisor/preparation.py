"""What must be done to the database before the processes that use it may start."""

import subprocess
import sys
from pathlib import Path

from workers.lifecycle import CannotStart
from workers.supervisor.folder import Folder


class Preparation:
    """Runs the steps one after another beside the stores' own start; its output goes to log/prepare.log."""

    def __init__(self, folder: Folder, root: Path) -> None:
        self._folder = folder
        self._root = root
        self._log = folder.log / "prepare.log"
        self._steps = [["migrate", "--no-input", "--verbosity", "0"], ["bootstrap"]]
        self._process: subprocess.Popen[bytes] | None = None
        folder.prepared.unlink(missing_ok=True)
        self._next()

    def advance(self) -> bool:
        """True once all is done. Raise CannotStart with the last line of a step that failed."""
        if self._process is None:
            return True
        code = self._process.poll()
        if code is None:
            return False
        if code:
            raise CannotStart(f"{self._last_line()} (whole log: {self._log})")
        self._next()
        return self._process is None

    def cancel(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _next(self) -> None:
        if not self._steps:
            self._process = None
            self._folder.prepared.touch()
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", *self._steps.pop(0)], cwd=self._root, stdout=log, stderr=log
            )

    def _last_line(self) -> str:
        lines = self._log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "the database could not be prepared")
