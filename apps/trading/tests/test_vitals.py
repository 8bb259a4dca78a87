"""How processes of trading fare, as they tell Redis themselves."""

import pytest
from redis import Redis

from apps.trading.caches import CONFIG, Cache
from apps.trading.execution.executors import vitals
from apps.trading.execution.runtime import waking


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Redis may take its time."""
    monkeypatch.setattr(vitals, "GONE_S", 600)
    monkeypatch.setattr(vitals, "TIMEOUT_S", 60.0)


def test_a_process_tells_its_caches_its_hints_and_the_accounts_it_looks_after(redis_url):
    cache: Cache[str, int] = Cache("vitals of a test", CONFIG)
    cache.put("a", 1)
    cache.get("a")
    cache.get("b")
    care = vitals.Care(account_id=7, step="READY", ready=True, whole=False, counts={"sweeps": 3})
    vitals.Teller(redis_url).tell(vitals.own(word="daemon d1", build_id="b1", accounts=[care], dropped=2))
    with Redis.from_url(redis_url) as redis:
        (found,) = vitals.told(redis)
        assert 0 < redis.ttl(vitals.PREFIX + found.process) <= vitals.GONE_S
    assert (found.word, found.build_id, found.accounts) == ("daemon d1", "b1", [care])
    told = found.caches["vitals of a test"]
    assert (told.hits, told.misses, told.size) == (1, 1, 1)
    assert found.hints["dropped here"] == 2


def test_a_process_without_redis_goes_on():
    vitals.Teller("redis://127.0.0.1:9/0").tell(vitals.own(word="daemon d1", build_id="b1"))


def test_hints_that_nobody_takes_are_counted(redis_url):
    with Redis.from_url(redis_url) as redis:
        assert vitals.hints_that_wait(redis) == 0
        redis.rpush(waking.QUEUE, "one", "two")
        assert vitals.hints_that_wait(redis) == 2
