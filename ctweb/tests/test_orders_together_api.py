"""Several orders at once by REST, and what the processes say that work them."""

import pytest
from msgspec import json, structs
from redis import Redis

from apps.feeds.tests.listings import list_pairs
from apps.trading.caches import Stats
from apps.trading.execution.executors.vitals import Care, own
from apps.trading.models import Order
from ctweb.tests.desk import Desk, open_desk, working

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT")
    return open_desk(settings)


def cancelled_together(person, orders: list[int]):
    return person.post("orders/cancel", {"orders": orders})


def test_orders_that_are_shown_are_cancelled_together(desk):
    first, second, over = working(desk), working(desk), working(desk, status="FILLED")
    answer = cancelled_together(desk.anna, [first.pk, second.pk, over.pk])
    assert (answer.status_code, answer.json()) == (200, {"asked": 2, "over": 1})
    assert set(Order.objects.exclude(cancel_state="NONE").values_list("pk", flat=True)) == {first.pk, second.pk}
    assert cancelled_together(desk.anna, [first.pk]).json() == {"asked": 1, "over": 0}  # a wish is one, however often


def test_of_orders_that_one_may_not_cancel_none_is_cancelled(desk):
    mine, theirs = working(desk), working(desk, "boris")
    external = working(desk)
    Order.objects.filter(pk=external.pk).update(intent=None, is_external=True)
    for other in (theirs.pk, external.pk, 10**17):
        answer = cancelled_together(desk.anna, [mine.pk, other])
        assert (answer.status_code, list(answer.json())) == (400, ["orders"])
    assert cancelled_together(desk.oleg, [mine.pk]).status_code == 403
    assert not Order.objects.exclude(cancel_state="NONE").exists()


@pytest.mark.parametrize("orders", [[], [0], [True], ["1"], [1.5], "1", None, {"a": 1}, list(range(1, 202))])
def test_a_list_of_orders_that_is_none_is_refused_at_its_field(desk, orders):
    answer = desk.anna.post("orders/cancel", {"orders": orders})
    assert (answer.status_code, list(answer.json())) == (400, ["orders"])


def test_a_process_shows_its_caches_and_of_accounts_those_that_one_may_see(desk, redis_url, settings):
    settings.REDIS_URL = redis_url
    mine = desk.accounts["anna"].pk
    cared = [Care(account_id=each, step="READY") for each in (mine, desk.accounts["boris"].pk)]
    with Redis.from_url(redis_url) as bus:
        told = own(word="daemon d1", build_id="b1", accounts=cared)
        bus.set("trading:h:1", json.encode(structs.replace(told, caches={"config": Stats(hits=3, misses=1, size=2)})))
    daemon, web = desk.anna.get("executors").json()["processes"]
    assert (daemon["word"], [each["account_id"] for each in daemon["accounts"]]) == ("daemon d1", [mine])
    assert (web["word"], web["accounts"]) == ("web", [])
    assert daemon["caches"] == {"config": {"hits": 3, "misses": 1, "size": 2}}
