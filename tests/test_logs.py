"""What a process writes about itself: one line of JSON for each event, whoever says it."""

import json
import subprocess
import sys

import pytest

PROCESS = """
import logging, structlog
from apps import logs
logs.start(level="INFO", json={json})
structlog.get_logger("ours").warning("a book is away", key="okx:spot:BTC/USDT")
logging.getLogger("theirs").info("served %s", 1)
logging.getLogger("celery.beat").info("beat: Starting...")
logging.getLogger("celery.beat").info("Scheduler: Sending due task %s (%s)", "a", "b")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("theirs").exception("broken")
"""


def said(as_json: bool | None) -> list[str]:
    process = [sys.executable, "-c", PROCESS.format(json=as_json)]
    done = subprocess.run(process, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.parametrize("as_json", [None, True])
def test_a_log_that_goes_to_a_file_is_json_with_tracebacks_and_without_the_ticks_of_the_schedule(as_json):
    lines = [json.loads(line) for line in said(as_json)]
    assert [(line["logger"], line["level"], line["event"]) for line in lines] == [
        ("ours", "warning", "a book is away"),
        ("theirs", "info", "served 1"),
        ("celery.beat", "info", "beat: Starting..."),
        ("theirs", "error", "broken"),
    ]
    assert lines[0]["key"] == "okx:spot:BTC/USDT"
    assert "ZeroDivisionError" in lines[-1]["exception"]


def test_text_is_for_people():
    first, *_ = said(False)
    assert "a book is away" in first
    assert not first.startswith("{")
