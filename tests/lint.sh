#!/usr/bin/env bash
# Format, style, types, import contracts, migrations.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
CT_DATA_DIR=$(mktemp -d) # settings are read for the types and the migrations: not those of the developer's own run
export CT_DATA_DIR
trap 'rm -rf "$CT_DATA_DIR"' EXIT
unset DATABASE_URL REDIS_URL CLICKHOUSE_URL SOURCE

$bin/ruff format --check --quiet . || { echo "not formatted: make format"; exit 1; }
$bin/ruff check --quiet .
$bin/mypy
$bin/lint-imports --no-cache > "$CT_DATA_DIR/imports" || { cat "$CT_DATA_DIR/imports"; exit 1; }
$bin/python manage.py makemigrations --check --dry-run
echo "lint: all good"
