"""The lines of API.md that a reader may copy, as one script for a system that runs elsewhere."""

import re
import subprocess
from pathlib import Path

from bench.system import System
from tests.fixtures.captures import ROOT

SHELL = re.compile(r"```bash\n(.*?)```", re.DOTALL)
KEYS = ('"first', '"second', "cancel second")
SECONDS = 300  # of the script; what it waits for takes one or two


def script(number: int) -> str:
    """Every block in its order; `number` makes the keys new ones, as somebody else's would be."""
    text = "".join(SHELL.findall((ROOT / "API.md").read_text()))
    for key in KEYS:
        assert key in text
        text = text.replace(key, f"{key} {number}")
    return text


def run(system: System, number: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a folder whose `var/login.txt` is that of the system; the first line that fails ends it."""
    (folder / "var").mkdir(exist_ok=True)
    (folder / "var" / "login.txt").write_text(system.folder.login.read_text())
    lines = script(number).replace("http://127.0.0.1:8080", system.url)
    command = ["bash", "-euo", "pipefail", "-c", lines]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
