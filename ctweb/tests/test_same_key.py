"""One key is one order, and one effect: again, later, at once, by another person, written a little otherwise."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.db import connection

from apps.feeds.bus import codec
from apps.feeds.market import BookKey, MarketType
from apps.feeds.tests.listings import list_pairs
from apps.feeds.tests.published import HandMade
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.halts import switches
from apps.trading.models import OrderIntent
from apps.trading.views import intents
from apps.users.models import IdempotentAnswer
from apps.users.services import SYSTEM
from ctweb.tests.bus import message
from ctweb.tests.desk import Desk, open_desk, working

pytestmark = pytest.mark.django_db

POSTS = 100 * int(os.environ.get("CT_FAULTS", "1"))
PUBLISHED_NS = time.time_ns()
BTC = BookKey("binance", MarketType.SPOT, "BTC/USDT")
HEADER_KEYS = ("k" * 100, "a b", "ключ", "key/../../x", "' OR 1=1--", "{{7*7}}", "%00", "=cmd|'/c calc'!A1", "🔑")
NO_KEYS = ("", "x" * 101, "я" * 101, "a\nb", "a\x00b", "a\u202eb", "\u200b", "\ud7ff\ue000")


@pytest.fixture
def desk(settings, redis_url, monkeypatch) -> Desk:
    """With a live book at 100 that does not grow old, and a build that may trade."""
    list_pairs("BTC/USDT")
    found = open_desk(settings)
    settings.REDIS_URL = redis_url
    switches.allow_build(build="b1", actor=SYSTEM)
    with redis.Redis.from_url(redis_url) as client:
        market = RedisMarket(client, clock=lambda: PUBLISHED_NS)
        monkeypatch.setattr(intents, "_market", lambda url: market)
        book = HandMade(received_ns=PUBLISHED_NS, last_event_ns=PUBLISHED_NS)
        client.set(codec.book_name(BTC), message(book, published_ns=PUBLISHED_NS))
        yield found


def wanted(desk: Desk, who: str = "desk", **changes: Any) -> dict[str, Any]:
    body = {"account": desk.accounts[who].pk, "pair": "BTC/USDT", "side": "buy", "amount": "0.5", "price": "99.5"}
    return {**body, **changes}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_hundred_who_send_the_same_order_at_once_get_one(desk):
    def send(_: int) -> tuple[int, int]:
        try:
            answer = desk.anna.post("intents", wanted(desk), key="k1")
            return answer.status_code, answer.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(POSTS)))
    assert len({number for _, number in answers}) == 1
    assert sorted(code for code, _ in answers) == [200] * (POSTS - 1) + [201]
    assert OrderIntent.objects.count() == 1


def test_the_same_key_is_the_same_order_after_it_is_over(desk):
    """Filled, refused or cancelled: what the key named is told, nothing new is wanted."""
    first = desk.anna.post("intents", wanted(desk), key="k1").json()
    for state, result in (("WORKING", None), ("DONE", "FILLED"), ("DONE", "REJECTED"), ("DONE", "CANCELLED")):
        OrderIntent.objects.filter(pk=first["id"]).update(state=state, result=result)
        again = desk.anna.post("intents", wanted(desk), key="k1")
        assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, first["id"], state)
        assert desk.anna.post("intents", wanted(desk, amount="0.6"), key="k1").status_code == 409
    assert OrderIntent.objects.count() == 1


@pytest.mark.parametrize("change", [{"amount": "0.50"}, {"price": "99.50"}, {"type": "limit"}, {"pair": "btc/usdt "}])
def test_the_same_order_written_otherwise_is_the_same(desk, change):
    first = desk.anna.post("intents", wanted(desk), key="k1").json()
    again = desk.anna.post("intents", wanted(desk, **change), key="k1")
    assert (again.status_code, again.json()) == (200, first)


def test_a_number_that_is_off_the_lot_under_a_used_key_is_another_order(desk):
    desk.anna.post("intents", wanted(desk), key="k1")
    assert desk.anna.post("intents", wanted(desk, amount="0.50000000000001"), key="k1").status_code == 409
    assert desk.anna.post("intents", wanted(desk, amount="0.50000000000001"), key="k2").status_code == 400


def test_a_key_of_one_person_says_nothing_to_another_of_the_same_account(desk):
    ids = {getattr(desk, name).post("intents", wanted(desk), key="k1").json()["id"] for name in ("anna", "boris")}
    assert len(ids) == 2


@pytest.mark.parametrize("key", HEADER_KEYS)
def test_any_words_are_a_key(desk, key):
    body = wanted(desk, key=key)
    codes = [desk.anna.post("intents", body).status_code for _ in range(2)]
    assert codes == [201, 200]
    assert OrderIntent.objects.count() == 1


@pytest.mark.parametrize("key", NO_KEYS)
def test_what_is_no_key_is_refused_at_its_field(desk, key):
    body = json.dumps(wanted(desk, key=key)).encode()
    answer = desk.anna.client.post("/api/v1/intents", body, content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["key"])
    assert not OrderIntent.objects.exists()


def test_every_letter_of_a_key_counts(desk):
    """Databases that fold case would take the second for the first, and answer what was never asked."""
    ids = {desk.anna.post("intents", wanted(desk, key=key)).json()["id"] for key in ("aB", "Ab", "äb", "ab")}
    assert len(ids) == 4
    for key in ("cD", "Cd", "cd"):
        assert desk.anna.post(f"orders/{working(desk).pk}/cancel", key=key).status_code == 200, key
    assert IdempotentAnswer.objects.count() == 3


def test_a_cancel_that_is_repeated_after_the_order_is_over_tells_what_it_told(desk):
    order = working(desk)
    first = desk.anna.post(f"orders/{order.pk}/cancel", key="c1")
    order.status = "CANCELLED"
    order.save()
    assert desk.anna.post(f"orders/{order.pk}/cancel", key="c1").json() == first.json()
    assert desk.anna.post(f"orders/{order.pk}/cancel", key="c2").status_code == 409
    assert desk.anna.post(f"orders/{working(desk).pk}/cancel", key="c1").status_code == 409
