"""What needs no login asks the stores once a second, however many ask together."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.feeds.tests.waiting import await_that, timed
from ctweb.tests.clients import client_of, stores_away

pytestmark = pytest.mark.django_db
MANY = 12


class ClickHouse(ThreadingHTTPServer):
    """Counts pings, and leaves them without an answer while it `hangs`."""

    pings = 0

    def __init__(self) -> None:
        self.answering = threading.Event()
        super().__init__(("127.0.0.1", 0), Ping)


class Ping(BaseHTTPRequestHandler):
    server: ClickHouse

    def do_GET(self) -> None:
        self.server.pings += 1
        self.server.answering.wait()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the test's own output."""


@contextmanager
def serving() -> Iterator[ClickHouse]:
    with ClickHouse() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.answering.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def clickhouse(settings) -> Iterator[ClickHouse]:
    stores_away(settings)
    with serving() as server:
        settings.CLICKHOUSE_URL = f"http://127.0.0.1:{server.server_port}/ct"
        yield server


def test_requests_that_come_together_are_one_check_of_the_stores(clickhouse: ClickHouse):
    """The others come while the first one's check still waits for a store that hangs, and never cost one each."""
    paths = MANY * ["/health/ready"] + MANY * ["/status"]
    with timed() as seconds, ThreadPoolExecutor(len(paths)) as threads:
        answers = list(threads.map(lambda path: client_of(None).get(path).json()["stores"]["clickhouse"], paths))
        assert answers == len(paths) * [{"ok": False, "ms": None}]
        assert 1 <= clickhouse.pings <= 1 + seconds()


def test_a_store_that_answers_again_is_seen_within_a_second_or_so(clickhouse: ClickHouse):
    anybody = client_of(None)
    assert not anybody.get("/status").json()["stores"]["clickhouse"]["ok"]
    clickhouse.answering.set()
    await_that(lambda: anybody.get("/status").json()["stores"]["clickhouse"]["ok"], seconds=5)
