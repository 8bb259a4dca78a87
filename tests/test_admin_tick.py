"""A pair ticked off and on in the admin's own form, on the system as `make run` starts it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from statistics import median
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from bench.system import STARTER_SET, System
from tests.fixtures.ports import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

LIST = "/admin/monitoring/monitoring/?exchange=bybit&market_type=spot"
SPOT = "v5/public/spot"  # of Bybit's sockets
OTHERS = ("BTCUSDT", "ETHUSDT")
MSG_S = 200  # enough to lose some; how much a small machine can carry is not the question here


class Form(HTMLParser):
    """What a browser would post of the page's forms: `fields`, and which row's box has which name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.boxes: dict[str, str] = {}
        self._row = ""
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        self._cell = self._cell or (tag == "th" and "field-pair" in values.get("class", ""))
        if tag == "input" and name.endswith("-enabled"):
            self.boxes[self._row] = name
        if tag == "input" and name and (values.get("type") != "checkbox" or "checked" in values):
            self.fields[name] = values.get("value", "on")

    def handle_data(self, data: str) -> None:
        if self._cell and data.strip():
            self._row, self._cell = data.strip(), False


class Admin:
    """Somebody at the admin's list."""

    def __init__(self, system: System) -> None:
        self._url = system.url
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open
        name, password = system.login
        self._post("/login/", {**Form(self._get("/login/")).fields, "username": name, "password": password})

    def tick(self, pair: str, *, on: bool) -> None:
        form = Form(self._get(LIST))
        assert (form.boxes[pair] in form.fields) is not on
        if on:
            form.fields[form.boxes[pair]] = "on"
        else:
            del form.fields[form.boxes[pair]]
        self._post(LIST, {**form.fields, "action": "", "_save": "Save"})

    def _get(self, path: str) -> str:
        with self._open(self._url + path, timeout=60) as answer:
            return answer.read().decode()

    def _post(self, path: str, fields: dict[str, str]) -> None:
        request = Request(self._url + path, urlencode(fields).encode(), {"Referer": self._url + path})
        with self._open(request, timeout=60) as answer:
            assert "errornote" not in answer.read().decode()


@pytest.fixture
def system(tmp_path) -> Iterator[System]:
    with System(tmp_path, free_port(), msg_s=MSG_S) as running:
        running.wait("the starter set", lambda: running.books().get("live") == STARTER_SET)
        running.wait("its accounts", lambda: {bool(row["reconciled_at"]) for row in accounts(running)} == {True})
        assert streams(running) == 6  # the start, which needs all of a small machine, is over
        yield running


def accounts(system: System) -> list[dict[str, Any]]:
    return system.get("/api/v1/accounts?limit=100")["results"]


def streams(system: System) -> int:
    """How many streams the daemon is subscribed to on Bybit's spot socket, as the exchange sees it."""
    try:
        sockets = system.simulator("state")["sockets"]
    except (OSError, KeyError):  # not there yet
        return 0
    return sum(socket["streams"] for socket in sockets if socket["path"] == SPOT)


def sent(system: System) -> dict[str, Any]:
    """Of the pairs that were not touched: sockets, book messages and prints that the exchange wrote."""
    rows = [row for row in system.simulator("log?exchange=bybit&market_type=spot") if row["symbol"] in OTHERS]
    return {
        "sockets": len({row["connection"] for row in rows}),
        "books": sum(row["sent"] for row in rows if row["kind"] == "book"),
        "trades": sum(row["trades"] for row in rows if row["kind"] == "trades"),
    }


def kept(system: System, table: str) -> int:
    where = f"exchange = 'bybit' AND market_type = 'spot' AND symbol IN {OTHERS}"
    rows = system.history(f"SELECT count() FROM {table} WHERE {where}")
    return int(rows[0][0]) if rows else 0


def test_a_tick_in_the_admin_reaches_the_socket_in_two_seconds_and_the_other_pairs_lose_nothing(system: System):
    admin, seconds = Admin(system), []
    for on, subscribed in ((False, 4), (True, 6), (False, 4), (True, 6), (False, 4)):
        admin.tick("SOL/USDT", on=on)
        seconds.append(system.wait(f"the tick {on}", lambda subscribed=subscribed: streams(system) == subscribed))
    assert median(seconds) < 2  # one or two may meet a machine that is busy with something else
    system.simulator("fault", {"op": "mute", "exchange": "bybit", "market_type": "spot"})
    system.wait("what was sent is kept", lambda: kept(system, "trades") >= sent(system)["trades"])
    system.wait("what was sent is kept", lambda: kept(system, "orderbook_updates") >= sent(system)["books"])
    counts = sent(system)
    assert counts == {"sockets": 1, "books": kept(system, "orderbook_updates"), "trades": kept(system, "trades")}
    assert counts["books"] > 0
