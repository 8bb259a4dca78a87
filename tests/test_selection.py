"""In CI a test that is skipped or expected to fail fails the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.captures import ROOT

PASSES = "import pytest\n\ndef test_passes():\n    pass\n\n"
SKIPS = PASSES + "def test_skips():\n    pytest.skip('no reason')\n"
XFAILS = PASSES + "@pytest.mark.xfail\ndef test_is_expected_to_fail():\n    assert False\n"


EMPTIES = PASSES + "@pytest.mark.django_db(transaction=True)\ndef test_writes():\n    pass\n"


@pytest.mark.parametrize(("tests", "said"), [(SKIPS, "1 skipped"), (XFAILS, "1 xfailed")], ids=["skipped", "expected"])
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_test_that_proves_nothing_fails_the_run_only_where_ci_is_set(
    tmp_path: Path, ci: str, code: int, tests: str, said: str
):
    run = run_of(tests, tmp_path, ci)
    assert run.returncode == code, run.stdout
    assert f"1 passed, {said}" in run.stdout.splitlines()[-1]


def test_a_test_that_leaves_the_database_empty_for_others_starts_no_run(tmp_path: Path):
    run = run_of(EMPTIES, tmp_path, "")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR, run.stdout
    assert "test_it.py::test_writes" in run.stderr


def run_of(tests: str, folder: Path, ci: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(tests)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.fixtures.selection"]
        + ["-p", "no:django", "-c", "/dev/null", f"--rootdir={folder}", str(folder)],
        cwd=ROOT,
        env={"CI": ci, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
