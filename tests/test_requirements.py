"""Every library that the tree imports is named by a requirements file of its own accord, not by another's grace."""

import ast
import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.fixtures.captures import ROOT

OURS = {"apps", "bench", "conftest", "ctweb", "tests", "workers"}
RUNTIME = ("requirements.in", "requirements-embedded.in")
MYSQL = ROOT / "ctweb" / "conf" / "mysql"  # is imported only where its driver is installed
FOREIGN = {"ccxt", "cryptofeed"}  # in an environment of their own


def named(*files: str) -> set[str]:
    lines = [line for file in files for line in (ROOT / file).read_text().splitlines()]
    found = (re.match(r"[A-Za-z0-9._-]+(?=\[|==)", line) for line in lines)
    return {_normal(match[0]) for match in found if match}


def imported(*, by_tests: bool) -> set[str]:
    """Distributions whose modules are imported by the tests, or by everything else but what MySQL alone needs."""
    return _distributions(
        path
        for path in ROOT.glob("[!.]*/**/*.py")
        if path.relative_to(ROOT).parts[0] in OURS
        and path.parent != MYSQL
        and (not {"tests", "bench"}.isdisjoint(path.relative_to(ROOT).parts)) == by_tests
    )


def _distributions(files: Iterable[Path]) -> set[str]:
    distributions = packages_distributions()
    modules = {module for path in files for module in _modules(ast.parse(path.read_text()))}
    modules -= OURS | FOREIGN | sys.stdlib_module_names
    return {_normal(name) for module in modules for name in distributions.get(module, [module])}


def _modules(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_runs_imports_only_what_is_installed_for_it():
    assert imported(by_tests=False) <= named(*RUNTIME)


def test_what_mysql_alone_imports_is_installed_where_that_is_used():
    assert "mysqlclient" in _distributions(MYSQL.glob("*.py")) <= named(*RUNTIME, "requirements-mysql.txt")


def test_what_tests_imports_only_what_is_installed_for_it():
    assert imported(by_tests=True) <= named(*RUNTIME, "requirements-dev.in", "requirements-mysql.txt")


def test_no_file_names_where_packages_come_from():
    for path in Path(ROOT).glob("requirements*"):
        assert not re.search(
            r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)|https?://", path.read_text(), re.M
        )


def test_what_runs_is_pinned_by_hash():
    for file in ("requirements.txt", "requirements-embedded.txt", "requirements-dev.txt"):
        pins = re.findall(r"^[a-z0-9].*==.*$", (ROOT / file).read_text(), re.MULTILINE)
        assert pins
        assert all(pin.endswith("\\") for pin in pins)
