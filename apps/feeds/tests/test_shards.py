from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from apps.feeds.market import BookKey, MarketType
from apps.feeds.shards import BUCKETS, assign, shard_of

SHARDS = [
    f"{exchange}:{market}:{n}" for exchange in ("a", "b", "c") for market in ("spot", "futures") for n in range(16)
]
DAEMONS = st.dictionaries(st.text("abcdefgh123", min_size=1, max_size=6), st.integers(1, 2_000), max_size=6)


def test_a_pair_is_always_in_the_same_bucket_of_its_market():
    assert shard_of(BookKey("binance", MarketType.SPOT, "BTC/USDT")) == "binance:spot:15"
    assert shard_of(BookKey("binance", MarketType.FUTURES, "BTC/USDT")) == "binance:futures:15"


def test_pairs_spread_over_all_buckets():
    shards = {shard_of(BookKey("okx", MarketType.SPOT, f"C{n}/USDT")) for n in range(300)}
    assert len(shards) == BUCKETS


@given(capacities=DAEMONS, leaver=st.integers(0, 5))
def test_a_daemon_that_leaves_moves_only_its_own_shards(capacities: dict[str, int], leaver: int):
    before = assign(SHARDS, capacities)
    gone = sorted(capacities)[leaver] if leaver < len(capacities) else None
    after = assign(SHARDS, {daemon: c for daemon, c in capacities.items() if daemon != gone})
    assert all(after.get(shard) == owner for shard, owner in before.items() if owner != gone)


def test_shards_are_spread_by_capacity():
    many = [f"x:spot:{n}" for n in range(3_000)]
    counts = Counter(assign(many, {"small": 100, "large": 200}).values())
    assert 1.7 < counts["large"] / counts["small"] < 2.4


def test_without_capacity_nobody_holds_anything():
    assert assign(SHARDS, {}) == {}
    assert assign(SHARDS, {"drained": 0}) == {}
