"""In CI a skipped test fails the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.captures import ROOT

SKIPS = "import pytest\n\ndef test_passes():\n    pass\n\ndef test_skips():\n    pytest.skip('no reason')\n"


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_the_run_only_where_ci_is_set(tmp_path: Path, ci: str, code: int):
    (tmp_path / "test_it.py").write_text(SKIPS)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.fixtures.selection"]
        + ["-p", "no:django", "-c", "/dev/null", f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=ROOT,
        env={"CI": ci, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout
    assert "1 passed, 1 skipped" in run.stdout.splitlines()[-1]
