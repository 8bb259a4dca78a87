"""Every endpoint that writes, as the resolver has it, stands in a table of bad values, and survives what comes around a
body (reliability.md 4.7)."""

import gzip
import json
import zlib
from typing import Any

import pytest
from django.urls import resolve

from apps.monitoring.models import Monitoring
from ctweb.tests import test_bad_input as general
from ctweb.tests import test_trading_bad_input as trading
from ctweb.tests.desk import Desk
from ctweb.tests.test_roles_matrix import ROUTES
from ctweb.tests.test_trading_bad_input import desk  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db

BODIES: dict[str, Any] = {
    **general.WRITABLE,
    **{endpoint.replace(" ", " /api/v1/"): body for endpoint, body in trading.WRITABLE.items()},
}
NO_BODY = (  # what they do is in their address
    *("DELETE /api/v1/tokens/nope", "DELETE /api/v1/pairs/1", "POST /monitor/tasks", "POST /trader/orders"),
    *("POST /actions/resync", "POST /actions/refresh"),
)
SPACES = b'{"reason": "' + b" " * 30_000_000 + b'"}'
BOMB = gzip.compress(SPACES)
JSON = "application/json"
AROUND: dict[str, dict[str, Any]] = {
    "a gzip bomb": {"data": BOMB, "headers": {"Content-Encoding": "gzip"}},
    "a deflate bomb": {"data": zlib.compress(SPACES), "headers": {"Content-Encoding": "deflate"}},
    "an encoding that is none": {"data": b"\x1b\x00", "headers": {"Content-Encoding": "br, gzip, ../../x"}},
    "a charset that is none": {"data": b"\xff", "content_type": f"{JSON}; charset=nonsense"},
    "UTF-7": {"data": b"+AHs-", "content_type": f"{JSON}; charset=utf-7"},
    "UTF-32": {"data": "{}".encode("utf-32"), "content_type": f"{JSON}; charset=utf-32"},
    "a body of one byte that is none": {"data": b"\xff"},
    "a form": {"data": b"name=x", "content_type": "application/x-www-form-urlencoded"},
    "parts without a boundary": {"data": b"--x", "content_type": "multipart/form-data"},
    "parts": {"data": b"--x\r\n\r\n--x--", "content_type": "multipart/form-data; boundary=x"},
    "a type of 5,000 characters": {"data": b"{}x", "content_type": f"{JSON}; x={'y' * 5000}"},
    "a query that is no UTF-8": {"data": b"\xff", "QUERY_STRING": "%ff%fe=%c0%80&\xff=1"},
    "a query of 5,000 names": {"data": b"\xff", "QUERY_STRING": "&".join(f"a{n}=1" for n in range(5000))},
    "a cookie that is none": {"data": b"\xff", "headers": {"Cookie": "sessionid=\xff\x01; csrftoken=;;="}},
    "an address that is forged": {
        "data": b"\xff",
        "headers": {"X-Forwarded-For": "' OR 1=1--, \x00", "X-Real-IP": "x"},
    },
    "another host": {"data": b"\xff", "headers": {"Host": "evil.example"}},
    "a host that is none": {"data": b"\xff", "headers": {"Host": "\x00 /../"}},
    "a length that is none": {"data": b"\xff", "CONTENT_LENGTH": "x"},
    "a length below zero": {"data": b"\xff", "CONTENT_LENGTH": "-5"},
    **{
        f"to accept {accept[:20]!r}": {"data": b"\xff", "headers": {"Accept": accept}}
        for accept in ("text/html", "image/png", "", "*/*;q=x", "x" * 5000, "application/json;version=../..", "\xff")
    },
    **{
        f"to be {words[:12]!r}": {"data": b"\xff", "headers": {"Authorization": words}}
        for words in (
            "Basic !!!",
            "Basic /w==",
            "Basic",
            "Token",
            "Token " + "x" * 10_000,
            "Token a b",
            "Bearer x",
            "\xff",
        )
    },
}
ROWS = [*BODIES, *NO_BODY]
OURS = ("Traceback", "SELECT ", "/apps/", "/ctweb/", "site-packages", ".py")


@pytest.fixture
def around(desk: Desk) -> Desk:  # noqa: F811
    Monitoring.objects.get_or_create(id=1, defaults={"exchange": "binance", "pair": "BTC/USDT"})
    return desk


def traces() -> tuple[Any, ...]:
    return *general.traces(), *trading.traces()


def test_every_endpoint_that_writes_stands_in_a_table_of_bad_values():
    declared = {
        (method, route) for route, (_, methods) in ROUTES.items() for method in methods if method not in ("GET", "HEAD")
    }
    rows = {(endpoint.split()[0], resolve(endpoint.split()[1]).route) for endpoint in ROWS}
    assert rows == declared


@pytest.mark.parametrize("endpoint", ROWS)
def test_whatever_stands_around_a_body_is_no_error_of_ours_and_changes_nothing(around, endpoint):
    before = traces()
    method, path = endpoint.split()
    for name, sent in AROUND.items():
        answer = around.olga.client.generic(method, path, **{"content_type": JSON, **sent})
        text = answer.content.decode()
        assert answer.status_code < 500, (name, text[:300])
        assert not [word for word in OURS if word in text], (name, text[:300])
        if endpoint not in NO_BODY:
            assert answer.status_code >= 400, name
            assert traces() == before, name
    assert len(json.dumps(before, default=str)) > 100  # there was something to be changed
