"""Which lanes have work, who does it, and hints that reach them."""

import base64
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery as CeleryApp
from django.db.models import F
from redis import Redis

from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import await_that, timed
from apps.trading import tasks
from apps.trading.execution.entry.working import work_lane
from apps.trading.execution.executors import lanes, monitor
from apps.trading.execution.runtime import waking
from apps.trading.models import OrderIntent
from apps.trading.tests import held_lanes, stage
from apps.trading.tests.threads import WAIT_S
from ctweb.celery import app
from ctweb.conf.queues import celery_settings

BRIEF_S, MANY = 0.1, 40


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Redis may take its time."""
    monkeypatch.setattr(lanes, "TTL_S", 600.0)
    monkeypatch.setattr(monitor, "GONE_S", 600)
    for module in (monitor, waking):
        monkeypatch.setattr(module, "TIMEOUT_S", 60.0)


@pytest.mark.django_db
def test_lanes_tell_their_depth_age_and_holder():
    first, second = stage.trade(stage.rich_account()), stage.trade(stage.rich_account())
    for trade in (first, first, second):
        stage.want(trade)
    OrderIntent.objects.filter(account=first.account).update(created_at=F("created_at") - timedelta(seconds=10))
    executor = stage.executor()
    held = held_lanes.acquire(stage.lane(second), executor)
    assert held is not None
    OrderIntent.objects.filter(account=second.account).update(state="SENDING")
    waiting, sending = sorted(monitor.lanes(), key=lambda each: each.depth, reverse=True)
    assert (waiting.lane, waiting.depth, waiting.in_flight, waiting.holder) == (stage.lane(first), 2, 0, "")
    assert waiting.age_ms is not None
    assert waiting.age_ms >= 10_000
    assert (sending.account_id, sending.depth, sending.age_ms, sending.in_flight) == (second.account_id, 0, None, 1)
    assert (sending.holder, sending.fence) == (executor.holder, held.fence)
    assert [each.lane for each in monitor.lanes(account_ids=[first.account_id])] == [stage.lane(first)]
    assert monitor.lanes(account_ids=[]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "x", "1:", "1:2:3", "<b>:1", "1:" + "9" * 60])
def test_a_lane_that_is_not_called_after_its_account_and_pair_is_told_with_both_and_marked(name):
    trade = stage.trade()
    stage.want(trade)
    stage.want(trade)
    misnamed = OrderIntent.objects.latest("id")
    OrderIntent.objects.filter(pk=misnamed.pk).update(lane=name)
    assert {(each.lane, each.account_id, each.pair_id, each.is_misnamed) for each in monitor.lanes()} == {
        (stage.lane(trade), misnamed.account_id, misnamed.pair_id, False),
        (name, misnamed.account_id, misnamed.pair_id, True),
    }


@pytest.mark.django_db
def test_executors_tell_what_they_did(redis_url):
    trade = stage.trade()
    stage.want(trade)
    stage.want(trade)
    OrderIntent.objects.filter(pk=OrderIntent.objects.latest("id").pk).update(
        max_age_ms=1, created_at="2026-01-01T00:00Z"
    )
    executor = stage.executor(stage.Exchange(trade.account_id))
    work_lane(stage.lane(trade), executor=executor)
    monitor.Reporter(redis_url).report(executor)
    with Redis.from_url(redis_url) as redis:
        (found,) = monitor.executors(redis)
        assert 0 < redis.ttl(f"executor:{executor.holder}") <= monitor.GONE_S
    assert (found.holder, found.build_id) == (executor.holder, stage.BUILD)
    assert found.counts == {"orders placed": 1, "intents EXPIRED": 1, "lanes empty": 1}


def test_an_executor_is_told_of_once_a_second_and_without_redis_not_at_all(redis_url):
    executor, reporter = stage.executor(), monitor.Reporter(redis_url)
    with Redis.from_url(redis_url) as redis:
        reporter.report(executor)
        redis.flushall()
        reporter._told[executor.holder] += 1_000  # not yet due
        reporter.report(executor)
        assert monitor.executors(redis) == []
    monitor.Reporter("redis://127.0.0.1:9/0").report(executor)


def test_while_redis_stands_still_one_executor_waits_for_it_and_not_all(monkeypatch):
    monkeypatch.setattr(monitor, "TIMEOUT_S", BRIEF_S)
    server = RedisProcess()
    server.start()
    try:
        reporter = monitor.Reporter(server.url)
        server.pause()
        with timed() as seconds:
            for _ in range(MANY):
                reporter.report(stage.executor())
            assert seconds() <= MANY * BRIEF_S / 4
    finally:
        server.close()


# hints


class Celery:
    """Takes hints, and lets a test wait for them."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._change = threading.Condition()

    def __call__(self, hint: str) -> None:
        with self._change:
            self.told.append(hint)
            self._change.notify_all()

    def wait_for(self, number: int) -> list[str]:
        with self._change:
            assert self._change.wait_for(lambda: len(self.told) >= number, WAIT_S)
            return list(self.told)


def test_hints_are_told_in_their_order_to_celery_and_on_the_channel(redis_url):
    celery = Celery()
    with Redis.from_url(redis_url) as redis, redis.pubsub() as heard:
        heard.subscribe(waking.CHANNEL)
        assert heard.get_message(timeout=WAIT_S)["type"] == "subscribe"
        waker = waking.Waker(redis_url, celery)
        for lane in ("1:1", "1:2", "cancels:3"):
            waker.wake(lane)
        assert celery.wait_for(3) == ["1:1", "1:2", "cancels:3"]
        told = [heard.get_message(timeout=WAIT_S) for _ in range(3)]
    assert [each["data"].decode() for each in told if each] == ["1:1", "1:2", "cancels:3"]


def test_a_hint_that_cannot_be_told_silences_no_other(redis_url, monkeypatch):
    monkeypatch.setattr(waking, "REST_S", 0.0)
    told: list[str] = []

    def tell(hint: str) -> None:
        told.append(hint)
        if len(told) == 1:
            raise ZeroDivisionError

    waker = waking.Waker(redis_url, tell)
    waker.wake("1:1")
    waker.wake("1:2")
    await_that(lambda: told == ["1:1", "1:2"])


@pytest.mark.parametrize(
    ("hint", "task", "about"), [("1:2", tasks.wake_lane, "1:2"), ("cancels:3", tasks.wake_cancels, 3)]
)
def test_a_hint_waits_in_celerys_queue_under_the_name_of_its_task_and_not_for_long(hint, task, about, redis_url):
    own = CeleryApp(set_as_current=False, fixups=[])
    own.conf.update(celery_settings(redis_url=redis_url, run_dir=Path(), finish_s=2))
    own.set_current()  # in this thread
    try:
        waking.tell_celery(hint)
    finally:
        app.set_current()
        own.close()
    with Redis.from_url(redis_url) as redis:
        message = json.loads(redis.lpop(waking.QUEUE))
        assert redis.llen(waking.QUEUE) == 0
    assert json.loads(base64.b64decode(message["body"]))[:2] == [[about], {}]
    assert (message["headers"]["task"], message["headers"]["ignore_result"]) == (task.name, True)
    assert message["properties"]["expiration"] == "5000"  # ms


def test_a_queue_that_nobody_empties_gets_no_more_hints(redis_url):
    celery, before = Celery(), waking.counts["full"]
    with Redis.from_url(redis_url) as redis:
        waker = waking.Waker(redis_url, celery)
        redis.rpush(waking.QUEUE, *range(waking.MOST))
        waker.wake("1:1")
        await_that(lambda: waking.counts["full"] > before)
        redis.delete(waking.QUEUE)
        waker.wake("1:2")
        assert celery.wait_for(1) == ["1:2"]


def test_whoever_gives_a_hint_waits_for_nobody(redis_url, monkeypatch):
    monkeypatch.setattr(waking, "MOST", 2)
    go_on, before = threading.Event(), waking.counts["dropped"]
    waker = waking.Waker(redis_url, lambda hint: go_on.wait(WAIT_S))
    for number in range(10):
        waker.wake(f"1:{number}")
    go_on.set()
    assert waking.counts["dropped"] - before >= 7


def test_without_redis_hints_are_counted_and_forgotten():
    before = waking.counts["failed"]
    waker = waking.Waker("redis://127.0.0.1:9/0", lambda hint: None)
    waker.wake("1:1")
    await_that(lambda: waking.counts["failed"] > before)
