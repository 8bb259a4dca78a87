"""Tests find the rows of migrations whatever ran before them."""

import subprocess
import sys
from pathlib import Path

from tests.fixtures.captures import ROOT

AS_NAMED = """
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name)
"""
TESTS = """
import pytest
from apps.feeds.models import Exchange

@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_1_commits():
    Exchange.objects.create(code="left behind")

@pytest.mark.django_db
def test_2_counts_on_what_migrations_wrote():
    assert Exchange.objects.filter(code="binance").exists()
    assert not Exchange.objects.filter(code="left behind").exists()
"""


def test_after_a_test_that_commits_there_is_what_migrations_wrote(tmp_path: Path):
    (tmp_path / "as_named.py").write_text(AS_NAMED)
    (tmp_path / "test_it.py").write_text(TESTS)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "conftest", "-p", "as_named"]
        + ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.index("test_1_commits PASSED") < run.stdout.index("test_2_counts_on_what_migrations_wrote PASSED")
