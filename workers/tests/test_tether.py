"""What stands between supervisord and each process."""

import os
import subprocess
import sys
from pathlib import Path

TETHER = (sys.executable, "-S", "-m", "workers.supervisor.tether")
NICENESS = (sys.executable, "-c", "import os; print(os.nice(0))")


def said(*options: str) -> str:
    run = subprocess.run((*TETHER, *options, "--", *NICENESS), capture_output=True, text=True, check=True, timeout=120)
    return run.stdout.strip()


def test_a_command_keeps_the_priority_of_its_parent():
    assert said() == str(os.nice(0))


def test_a_command_that_can_wait_yields():
    assert said("--nice", "3") == str(os.nice(0) + 3)


def test_a_command_waits_for_its_file(tmp_path: Path):
    ready = tmp_path / "ready"
    command = (*TETHER, "--after", str(ready), "--nice", "1", "--", *NICENESS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        os.set_blocking(waiting.stdout.fileno(), False)
        assert waiting.poll() is None
        ready.touch()
        os.set_blocking(waiting.stdout.fileno(), True)
        assert waiting.stdout.read().strip() == str(os.nice(0) + 1)
