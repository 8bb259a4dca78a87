"""In CI a test that is skipped or expected to fail fails the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.captures import ROOT

PASSES = "import pytest\n\ndef test_passes():\n    pass\n\n"
SKIPS = PASSES + "def test_skips():\n    pytest.skip('no reason')\n"
XFAILS = PASSES + "@pytest.mark.xfail\ndef test_is_expected_to_fail():\n    assert False\n"


@pytest.mark.parametrize(("tests", "said"), [(SKIPS, "1 skipped"), (XFAILS, "1 xfailed")], ids=["skipped", "expected"])
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_test_that_proves_nothing_fails_the_run_only_where_ci_is_set(
    tmp_path: Path, ci: str, code: int, tests: str, said: str
):
    (tmp_path / "test_it.py").write_text(tests)
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
    assert f"1 passed, {said}" in run.stdout.splitlines()[-1]
