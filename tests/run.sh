#!/usr/bin/env bash
# All checks and tests, as `make test` runs them; the last line is pytest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/usr/local/sbin"
unset PYTHONDONTWRITEBYTECODE # else each of hundreds of processes translates all sources anew
python=.venv/bin/python

tests/lint.sh
$python -m coverage erase
quick="not (browser or faults or processes)"
again="fuzz or hypothesis" # thousands of times over the same lines: to count these takes longer than to run them
echo "== tests"
$python -m coverage run -m pytest -q -n 2 --dist worksteal -m "$quick and not ($again)"
echo "== tests of generated input"
$python -m pytest -q -n 2 --dist worksteal -m "$quick and ($again)"
echo "== tests of whole processes, one at a time"
$python -m coverage run -m pytest -q -m "(faults or processes) and not browser"
echo "== tests in the browser" # apart: its driver keeps an event loop of its own in the thread of the tests
$python -m pytest -q -m browser
$python -m coverage combine --quiet
$python -m coverage report # at least: lines that only generated input or a browser reaches are not counted

if command -v mariadbd > /dev/null && $python -c 'import MySQLdb' 2> /dev/null; then
    echo "== tests that use the database, on MariaDB"
    CT_TEST_DATABASE=mariadb $python -m pytest -q -m alone
    CT_TEST_DATABASE=mariadb $python -m pytest -q -n 2 --dist worksteal -m "not alone"
else
    echo "no MariaDB on this machine: its tests did not run"
    [ -z "${CI:-}" ]
fi
