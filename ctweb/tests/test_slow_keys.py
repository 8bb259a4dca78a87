"""A simulator that takes its time for a key holds nobody up, and is asked once however often the request comes."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from apps.feeds.tests.waiting import await_that
from apps.trading.models import AccountKey
from apps.trading.tests.key_rows import as_web_process
from apps.trading.tests.remote_seat import Exchanges
from apps.users.models import Audit, IdempotentAnswer
from ctweb.tests.desk import Desk, open_desk, working

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
UNSENT = ("Host", "Content-Length", "Accept-Encoding")  # another server, its own length, read as it is


class Slow(ThreadingHTTPServer):
    """In front of the simulator: makes keys only once it is `let`."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        self.behind, self.asked, self.let = urlsplit(url).port, 0, threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        if self.path == "/_sim/accounts":
            self.server.asked += 1
            self.server.let.wait()
        self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

    def _pass_on(self, body: bytes | None) -> None:
        headers = {name: value for name, value in self.headers.items() if name not in UNSENT}
        with closing(HTTPConnection("127.0.0.1", self.server.behind)) as connection:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            told = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Nothing on the test's own output."""


@pytest.fixture
def slow(settings) -> Iterator[Slow]:
    with Exchanges() as exchanges, Slow(exchanges.simulator.url) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.CT_SIMULATOR_URL = server.url
        try:
            yield server
        finally:
            server.let.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def desk(settings, tmp_path, redis_url, slow) -> Desk:
    as_web_process(settings, tmp_path)
    made = open_desk(settings)
    settings.REDIS_URL = redis_url
    return made


def new_account(desk: Desk) -> int:
    answer = desk.anna.post("accounts", {"name": "tried", "exchange": "binance", "mode": "testnet"})
    assert answer.status_code == 201, answer.content
    return int(answer.json()["id"])


def test_others_write_while_the_simulator_makes_a_key_and_a_repeat_meanwhile_makes_none(desk: Desk, slow: Slow):
    path = f"accounts/{new_account(desk)}/simulated-key"

    def ask() -> tuple[int, object]:
        try:
            answer = desk.anna.post(path, key="k1")
            return answer.status_code, answer.json()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(ask)
        try:
            await_that(lambda: slow.asked)
            assert desk.boris.patch(f"accounts/{desk.accounts['boris'].pk}", {"name": "renamed"}).status_code == 200
            assert ask()[0] == 409
            assert not first.done()
        finally:
            slow.let.set()
        status, told = first.result()
    assert status == 200, told
    assert ask() == (200, told)
    assert (slow.asked, AccountKey.objects.get().version) == (1, 1)
    assert desk.anna.post(path, {"reason": "another"}, key="k1").status_code == 409


def test_a_request_that_failed_leaves_its_key_free(desk: Desk, slow: Slow, settings):
    path = f"accounts/{new_account(desk)}/simulated-key"
    settings.CT_SIMULATOR_URL = "http://127.0.0.1:9"
    assert desk.anna.post(path, key="k1").status_code == 503
    assert not IdempotentAnswer.objects.exists()
    settings.CT_SIMULATOR_URL = slow.url
    slow.let.set()
    assert desk.anna.post(path, key="k1").status_code == 200


def test_a_key_that_is_refused_stands_in_the_trail(desk: Desk, slow: Slow):
    slow.let.set()
    working(desk, exchange_order_id="4711")
    desk.accounts["anna"].mode = "testnet"
    desk.accounts["anna"].save()
    assert desk.anna.post(f"accounts/{desk.accounts['anna'].pk}/simulated-key", key="k1").status_code == 400
    assert Audit.objects.get(action="key.set").result == "refused"
    assert not AccountKey.objects.exists()


@pytest.mark.parametrize(("age_s", "status"), [(60, 409), (180, 200)])
def test_the_claim_of_a_process_that_died_ends(desk: Desk, slow: Slow, age_s: int, status: int):
    path = f"accounts/{new_account(desk)}/simulated-key"
    began = timezone.now() - timedelta(seconds=age_s)
    IdempotentAnswer.objects.create(user=desk.anna.user, key="k1", fingerprint="f", created_at=began)
    slow.let.set()
    assert desk.anna.post(path, key="k1").status_code == status
