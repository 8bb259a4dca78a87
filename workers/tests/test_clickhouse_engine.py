"""The engine below HTTP, in a process of its own: what fails in it leaves nothing open, and only what chDB says becomes
an answer."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(find_spec("chdb") is None, reason="no embedded ClickHouse")

SCRIPT = """
import json, sys
from pathlib import Path
import chdb
from workers.embedded.clickhouse import engine as module
from workers.embedded.clickhouse.errors import QueryError
from workers.embedded.clickhouse.request import read

opened = []
connect = chdb.connect
chdb.connect = lambda path: opened.append(connect(path)) or opened[-1]
engine = module.Engine(Path(sys.argv[1]), max_memory_bytes=1 << 30, max_seconds=30)

def is_open(handle):
    try:
        handle.query("SELECT 1")
    except AttributeError:  # that is how chDB says it
        return False
    return True

def outcome(statement):
    try:
        engine.run(read("POST", "", "", statement)).close()
    except QueryError as error:
        return error.code
    except ZeroDivisionError:
        return "a fault of ours"
    return "ok"

def ask(statement):
    said = outcome(statement)
    return [said, is_open(opened[-1])]

said = [ask(statement) for statement in STATEMENTS]
module._whole = lambda *_: 1 / 0
print(json.dumps([*said, ask(b"SELECT 1 FORMAT JSON")]))
"""
STATEMENTS = [
    b"CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n",
    b"SELECT nothing_of_this_name",
    b"SELECT throwIf(1) FORMAT Native",
    b"INSERT INTO t FORMAT CSV\nnot a number\n",
    b"SELECT \xff\xfe",  # chDB cannot read its own complaint about what is no text
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of each statement, and whether its handle is open; the last one met a fault of ours."""
    script = SCRIPT.replace("STATEMENTS", repr(STATEMENTS))
    folder: Path = tmp_path_factory.mktemp("engine")
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True, timeout=180
    )
    return json.loads(done.stdout)


def test_what_chdb_refuses_is_an_answer(said):
    assert [code for code, _ in said[:-1]] == ["ok", 47, 395, 117, 1001]


def test_a_fault_of_ours_is_no_answer(said):
    assert said[-1][0] == "a fault of ours"


def test_no_handle_stays_open_whatever_happened(said):
    assert [is_open for _, is_open in said] == [False] * len(said)
