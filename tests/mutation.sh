#!/usr/bin/env bash
# Deliberate faults in what decides about money: how many of them do its tests find? Fewer than 80 % is a failure.
# Works on a copy of the tree. Arguments are names of mutants, as the report shows them; none: all.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r apps bench ctweb tests workers conftest.py manage.py pyproject.toml "$copy"
cd "$copy"

CT_EXAMPLES=${CT_EXAMPLES:-0.1} "$bin/mutmut" run --max-children "${CT_JOBS:-2}" "$@" > run.log 2>&1 || { tail -50 run.log; exit 1; }
"$bin/mutmut" results
"$bin/mutmut" export-cicd-stats > /dev/null
"$bin/python" - <<'PYTHON'
import json, sys

told = json.load(open("mutants/mutmut-cicd-stats.json"))
found = told["killed"] + told["timeout"] + told["segfault"]
tried = found + told["survived"] + told["no_tests"] + told["suspicious"]
print(f"mutation: {found} of {tried} faults found, {100 * found / tried:.1f} %")
sys.exit(not tried or found < 0.8 * tried)
PYTHON
