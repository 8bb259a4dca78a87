"""Caches forget by age and by use, and say how often they helped; events wait in a file."""

import gc
from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import Fill, LookUp, OrderStatus, OrderUpdate, PositionSide
from apps.trading import caches
from apps.trading.caches import CONFIG, Cache, Size, Stats
from apps.trading.collecting.cache import EventCache
from apps.trading.collecting.lookups import WAITS_S, LookUps
from apps.trading.collecting.spool import Spool

FILL = Fill(
    symbol="BTCUSDT",
    exchange_order_id="x1",
    client_order_id="ct1",
    trade_id="t1",
    side=Side.BUY,
    price=Decimal(60_000),
    amount=Decimal("0.1"),
    fee=Decimal("-0.000000000000000001"),
    fee_asset="USDT",
    is_maker=None,
    exchange_ms=1_795_164_734_411,
)
UPDATE = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="x1",
    client_order_id=None,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=Decimal("0.1"),
)
LOOKUP = LookUp(symbol="BTC", exchange_order_id="7", client_order_id=None)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class TestCache:
    def test_what_was_put_is_found_until_it_is_too_old(self):
        clock = Clock()
        cache: Cache[str, int] = Cache("config", Size(most=10, ttl_s=5), timer=clock)
        cache.put("a", 1)
        clock.now_s = 4.9
        assert cache.get("a") == 1
        clock.now_s = 5.1
        assert cache.get("a") is None

    def test_what_was_not_used_for_longest_is_forgotten_first(self):
        cache: Cache[str, int] = Cache("config", Size(most=2, ttl_s=60))
        cache.put("a", 1)
        cache.put("b", 2)
        cache.get("a")
        cache.put("c", 3)
        assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)

    def test_it_says_how_often_it_helped(self):
        cache: Cache[str, int] = Cache("config", CONFIG)
        assert [cache.get_or_load("a", lambda: 1) for _ in range(4)] == [1, 1, 1, 1]
        stats = cache.stats()
        assert (stats.hits, stats.misses, stats.size) == (3, 1, 1)

    def test_what_is_dropped_is_loaded_anew(self):
        cache: Cache[str, int] = Cache("config", CONFIG)
        cache.put("a", 1)
        cache.drop("a")
        assert cache.get_or_load("a", lambda: 2) == 2


class TestReport:
    def test_it_tells_of_all_caches_by_name(self):
        first, second = (Cache("of this test", CONFIG) for _ in range(2))
        first.get_or_load("a", lambda: 1)
        first.get("a")
        second.get_or_load("a", lambda: 2)
        assert caches.report()["of this test"] == Stats(hits=1, misses=2, size=2)

    def test_a_cache_that_is_gone_is_not_told(self):
        Cache("gone", CONFIG)
        gc.collect()
        assert "gone" not in caches.report()


class TestEventCache:
    def test_the_very_same_event_is_known(self):
        cache = EventCache()
        assert not cache.knows(FILL)
        cache.add(FILL)
        cache.add(UPDATE)
        assert cache.knows(FILL)
        assert cache.knows(UPDATE)
        assert (cache.stats().hits, cache.stats().misses) == (2, 1)

    @pytest.mark.parametrize("changes", [{"price": Decimal(1)}, {"amount": Decimal(1)}, {"side": Side.SELL}])
    def test_a_trade_that_is_told_with_another_content_is_another_event(self, changes):
        cache = EventCache()
        cache.add(FILL)
        assert not cache.knows(replace(FILL, **changes))

    @pytest.mark.parametrize(
        "changes", [{"amount": Decimal(1)}, {"price": Decimal(1)}, {"position_side": PositionSide.LONG}]
    )
    def test_an_order_that_is_told_with_other_terms_is_another_event(self, changes):
        cache = EventCache()
        cache.add(UPDATE)
        assert not cache.knows(replace(UPDATE, **changes))


class TestSpool:
    def test_events_come_back_as_they_were_in_their_order(self, tmp_path):
        spool = Spool(tmp_path / "fills" / "1.jsonl")
        assert spool.is_empty
        spool.add(FILL)
        spool.add(UPDATE)
        assert list(Spool(tmp_path / "fills" / "1.jsonl").events()) == [FILL, UPDATE]
        spool.clear()
        assert spool.is_empty
        assert list(spool.events()) == []

    def test_a_line_that_a_kill_has_cut_is_counted_and_loses_no_other(self, tmp_path):
        path = tmp_path / "1.jsonl"
        spool = Spool(path)
        spool.add(FILL)
        spool.add(UPDATE)
        spool.close()
        path.write_bytes(path.read_bytes()[:-9])
        again = Spool(path)
        assert list(again.events()) == [FILL]
        assert again.torn == 1

    def test_what_is_kept_after_a_line_that_a_kill_has_cut_is_whole(self, tmp_path):
        path = tmp_path / "1.jsonl"
        spool = Spool(path)
        spool.add(FILL)
        spool.close()
        path.write_bytes(path.read_bytes()[:-9])
        again = Spool(path)
        again.add(UPDATE)
        again.close()
        assert list(again.events()) == [UPDATE]


class TestLookUps:
    def test_an_order_that_is_pushed_again_while_it_waits_is_one_question(self):
        lookups = LookUps(Clock())
        lookups.want(LOOKUP)
        lookups.want(LOOKUP)
        assert lookups.due() == [LOOKUP]
        assert lookups.due() == []

    def test_it_is_asked_again_until_its_trades_explain_it(self):
        clock = Clock()
        lookups = LookUps(clock)
        lookups.want(LOOKUP)
        assert lookups.due() == [LOOKUP]
        assert lookups.next_s == WAITS_S[1]
        clock.now_s = 10
        assert lookups.due() == [LOOKUP]
        lookups.done(LOOKUP)
        assert (len(lookups), lookups.next_s) == (0, None)

    def test_executions_that_come_after_the_question_are_asked_for_anew(self):
        lookups = LookUps(Clock())
        lookups.want(LOOKUP)
        lookups.due()
        lookups.want(LOOKUP)
        lookups.done(LOOKUP)
        assert lookups.due() == [LOOKUP]

    def test_after_enough_questions_it_is_left_to_the_sweeps(self):
        clock = Clock()
        lookups = LookUps(clock)
        lookups.want(LOOKUP)
        asked = 0
        for _ in range(20):
            asked += len(lookups.due())
            clock.now_s += 10
        assert (asked, len(lookups)) == (len(WAITS_S), 0)
