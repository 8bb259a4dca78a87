"""`/orderbook/...`, `/status` and lists of books against a real Redis, filled as daemons fill it."""

from typing import Any

import pytest
import redis
from django.test import Client

from apps.feeds.bus import codec
from apps.feeds.market import BookKey, BookState
from apps.feeds.shards import shard_of
from apps.feeds.tests.listings import list_pairs
from apps.feeds.tests.waiting import await_that, timed
from apps.monitoring.models import Monitoring
from ctweb.tests.clients import client_of, stores_away
from ctweb.tests.redis_content import book_status, now_ms, publish_book, publish_daemon

pytestmark = pytest.mark.django_db
KEY = "binance:spot:BTC/USDT"
ADDRESS = "/orderbook/binance/BTC-USDT"
AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def store(settings, redis_url) -> Any:
    stores_away(settings)
    settings.REDIS_URL = redis_url
    list_pairs("BTC/USDT", "ETH/USDT")
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def viewer(store) -> Client:
    return client_of("viewer")


def test_a_live_book_is_answered_as_published(store, viewer):
    publish_book(store)
    answer = viewer.get(ADDRESS, {"market_type": "spot", "depth": 20})
    assert answer.status_code == 200
    book = answer.json()
    assert (book["exchange"], book["market_type"], book["pair"]) == ("binance", "spot", "BTC/USDT")
    assert book["state"] == "LIVE"
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["bids"] == sorted(book["bids"], reverse=True)
    assert {"seq", "exchange_ms", "received_ns"} <= book.keys()


@pytest.mark.parametrize(("depth", "levels"), [("1", 1), ("20", 20), ("33", 33), ("50", 50), ("0", 50), ("1000", 50)])
def test_a_book_is_cut_to_the_depth_that_is_asked(store, viewer, depth, levels):
    publish_book(store)
    assert len(viewer.get(ADDRESS, {"depth": depth}).json()["bids"]) == levels


@pytest.mark.parametrize("depth", ["0", "60"])
def test_a_deep_book_comes_from_where_the_full_one_is_published(store, viewer, depth):
    publish_book(store)
    publish_book(store, full=True)
    assert len(viewer.get(ADDRESS, {"depth": depth}).json()["bids"]) == 60


@pytest.mark.parametrize("pair", ["BTC-USDT", "BTC%2FUSDT", "BTC/USDT", "btc-usdt"])
def test_the_slash_of_a_pair_may_be_a_dash_or_encoded(store, viewer, pair):
    publish_book(store)
    assert viewer.get(f"/orderbook/binance/{pair}").json()["pair"] == "BTC/USDT"
    assert viewer.get(f"/api/v1/books/binance/spot/{pair}").json()["pair"] == "BTC/USDT"


def is_down(answer: Any) -> bool:
    book = answer.json()
    return (answer.status_code, book["state"], book["bids"], book["asks"], book["seq"]) == (503, "DOWN", [], [], None)


def test_a_book_that_nobody_publishes_is_down_and_empty(viewer):
    assert is_down(viewer.get(ADDRESS))


def test_with_redis_away_every_book_is_down_and_empty(viewer, settings):
    settings.REDIS_URL = AWAY
    answer = viewer.get(ADDRESS)
    assert is_down(answer)
    assert answer.json()["reason"] == "redis does not answer"


def test_the_last_word_of_a_former_owner_is_not_served(store, viewer):
    publish_book(store, fence=7)
    store.set(codec.fence_name(shard_of(BookKey.parse(KEY))), 8)
    assert is_down(viewer.get(ADDRESS))


def test_a_syncing_book_has_no_levels(store, viewer):
    publish_book(store, state=BookState.SYNCING, reason="gap")
    book = viewer.get(ADDRESS).json()
    assert (book["state"], book["reason"], book["bids"], book["asks"]) == ("SYNCING", "gap", [], [])


def test_status_needs_no_login_and_counts_books(store):
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    Monitoring.objects.create(exchange="binance", pair="ETH/USDT")
    publish_daemon(store, book_status(KEY), book_status("okx:spot:X/Y", "STALE"))
    answer = client_of(None).get("/status")
    assert answer.status_code == 200
    status = answer.json()
    assert status["books"] == {"live": 1, "syncing": 0, "stale": 1, "down": 1}  # nobody holds ETH/USDT
    assert [one["daemon"] for one in status["daemons"]] == ["d1"]
    assert status["stores"]["database"]["ok"]
    assert status["stores"]["redis"]["ms"] >= 0
    assert status["stores"]["clickhouse"] == {"ok": False, "ms": None}
    assert status["version"]


def test_books_of_a_daemon_that_fell_silent_are_down(store, viewer):
    publish_daemon(store, book_status(KEY), at_ms=now_ms() - 4_000)
    assert viewer.get("/status").json()["books"] == {"live": 0, "syncing": 0, "stale": 0, "down": 1}
    assert viewer.get("/api/v1/daemons").json()[0]["state"] == "LOST"
    (book,) = viewer.get("/api/v1/books").json()
    assert (book["state"], book["reason"]) == ("DOWN", "its daemon is lost")


def test_status_answers_within_a_second_or_so_with_every_store_away(settings):
    stores_away(settings)
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    with timed() as seconds:
        status = client_of(None).get("/status").json()
        assert seconds() < 3
    assert status["books"]["live"] == 0
    assert not status["stores"]["redis"]["ok"]


def test_a_book_held_by_two_daemons_counts_once_as_the_higher_fence_says(store, viewer):
    publish_daemon(store, book_status(KEY, fence=7), daemon="d1")
    publish_daemon(store, book_status(KEY, "SYNCING", fence=8), daemon="d2")
    (book,) = viewer.get("/api/v1/books").json()
    assert (book["daemon"], book["state"]) == ("d2", "SYNCING")


def test_health_says_whether_the_process_can_work(store, settings):
    anybody = client_of(None)
    assert anybody.get("/health/live").status_code == 200
    assert anybody.get("/health/ready").status_code == 200
    settings.REDIS_URL = AWAY
    assert anybody.get("/health/live").status_code == 200
    with timed() as seconds:
        await_that(lambda: anybody.get("/health/ready").status_code == 503)
        assert seconds() < 3


def test_lists_of_what_lives_say_that_redis_is_away(viewer, settings):
    settings.REDIS_URL = AWAY
    for address in ("/api/v1/books", "/api/v1/daemons"):
        assert viewer.get(address).status_code == 503


def test_a_watched_pair_shows_its_live_state_and_why_it_does_not_run(store, viewer):
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    Monitoring.objects.create(exchange="binance", pair="NOPE/USDT")
    publish_daemon(store, book_status(KEY))
    rows = {row["pair"]: row for row in viewer.get("/api/v1/pairs").json()["results"]}
    assert rows["BTC/USDT"]["live"]["state"] == "LIVE"
    assert rows["BTC/USDT"]["reason"] is None
    assert "not in the catalogue" in rows["NOPE/USDT"]["reason"]


def test_the_loaded_tasks_are_told_with_their_refusals(viewer):
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT", priority=1)
    Monitoring.objects.create(exchange="kraken", pair="BTC/USDT")
    first, second = viewer.post("/monitor/tasks").json()
    assert (first["exchange"], first["market_type"], first["pair"], first["depth"]) == (
        "binance",
        "spot",
        "BTC/USDT",
        20,
    )
    assert first["refused"] is None
    assert second["refused"] == "unknown exchange 'kraken'"


def test_a_preview_counts_what_a_change_would_cost(store):
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    publish_daemon(store, book_status(KEY, msg_s=12.5))
    body = {"pairs": [{"exchange": "binance", "pair": "ETH/USDT"}], "enabled": True}
    answer = client_of("operator").post("/api/v1/pairs/preview", body, content_type="application/json")
    cost = answer.json()
    assert (cost["books"], cost["sockets"], cost["interrupted"]) == ([1, 2], [1, 1], 0)
    assert cost["messages_s"] == [12.5, 25.0]
    assert cost["fits"]
    assert Monitoring.objects.count() == 1
