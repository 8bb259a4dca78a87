from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from apps.feeds.market import BookKey, MarketType
from apps.feeds.shards import BUCKETS, ranking, shard_of

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


@given(weights=DAEMONS, leaver=st.integers(0, 5))
def test_a_daemon_that_leaves_changes_nobody_elses_place(weights: dict[str, int], leaver: int):
    gone = sorted(weights)[leaver] if leaver < len(weights) else None
    left = {daemon: weight for daemon, weight in weights.items() if daemon != gone}
    for shard in SHARDS:
        assert ranking(shard, left) == [daemon for daemon in ranking(shard, weights) if daemon != gone]


def test_shards_are_spread_by_weight():
    first = Counter(ranking(f"x:spot:{n}", {"small": 100, "large": 200})[0] for n in range(3_000))
    assert 1.7 < first["large"] / first["small"] < 2.4
