from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.feeds.market import DEPTHS, BookKey, Instrument, InstrumentStatus, MarketType
from apps.feeds.subscriptions import Diff, Offers, Subscription, Task, diff, wanted

EXCHANGES = {"binance": True, "okx": True, "bybit": False}


def instrument(key: BookKey, status: InstrumentStatus = InstrumentStatus.TRADING) -> Instrument:
    base, quote = key.pair.split("/")
    return Instrument(
        exchange=key.exchange,
        market_type=key.market_type,
        pair=key.pair,
        symbol=base + quote,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal("0.1"),
        lot=Decimal("0.1"),
        status=status,
    )


BTC = BookKey("binance", MarketType.SPOT, "BTC/USDT")
ETH = BookKey("okx", MarketType.FUTURES, "ETH/USDT")
OLD = BookKey("binance", MarketType.SPOT, "OLD/USDT")
CATALOGUE = {BTC: instrument(BTC), ETH: instrument(ETH), OLD: instrument(OLD, InstrumentStatus.DELISTED)}


def task(
    row_id: int = 1, exchange: str = "binance", market: str | None = "spot", pair: str = "BTC/USDT", **more
) -> Task:
    return Task(source="monitoring", row_id=row_id, exchange=exchange, market_type=market, pair=pair, **more)


def reason_of(row: Task) -> str:
    result = wanted([task(row_id=9), row], CATALOGUE, EXCHANGES)
    assert list(result.subscriptions) == [BTC]  # the good row beside it runs
    (refused,) = result.refused
    assert refused.row_id == row.row_id
    return refused.reason


def test_a_row_becomes_a_subscription_at_the_default_depth():
    result = wanted([task()], CATALOGUE, EXCHANGES, default_depth=50)
    assert result.subscriptions == {BTC: Subscription(instrument=CATALOGUE[BTC], depth=50)}


def test_rows_of_one_pair_are_one_subscription_at_the_deepest_depth_and_highest_priority():
    rows = [task(1, depth=20, priority=3), task(2, depth=0, priority=1), task(3, depth=50)]
    (subscription,) = wanted(rows, CATALOGUE, EXCHANGES).subscriptions.values()
    assert (subscription.depth, subscription.priority) == (0, 3)


def test_spelling_of_hand_written_rows_is_forgiven():
    rows = [task(1, " Binance ", None, "btc/usdt"), task(2, "OKX", "Futures", " eth/usdt ")]
    result = wanted(rows, CATALOGUE, EXCHANGES)
    assert set(result.subscriptions) == {BTC, ETH}
    assert result.refused == []


def test_an_unknown_exchange_is_refused_by_name():
    assert reason_of(task(exchange="mtgox")) == "unknown exchange 'mtgox'"


def test_an_exchange_that_is_switched_off_is_refused():
    assert reason_of(task(exchange="bybit")) == "exchange bybit is switched off"


def test_an_unknown_market_type_is_refused():
    assert reason_of(task(market="options")) == "unknown market type 'options': spot or futures"


def test_a_depth_that_nobody_offers_is_refused():
    assert reason_of(task(depth=17)) == "unknown depth 17: 20, 50 or 0 (full)"


def test_a_pair_that_is_not_listed_is_refused():
    assert reason_of(task(pair="NOPE/USDT")) == "'NOPE/USDT' is not in the catalogue of binance spot"


def test_a_delisted_pair_is_refused():
    assert reason_of(task(pair="OLD/USDT")) == "OLD/USDT is delisted at binance spot"


TEXT = st.text(max_size=12)
NONSENSE = st.builds(
    Task,
    source=st.just("monitoring"),
    row_id=st.integers(),
    exchange=TEXT | st.sampled_from(["binance", "bybit", "okx"]),
    market_type=st.none() | TEXT | st.sampled_from(["spot", "futures"]),
    pair=TEXT | st.sampled_from(["BTC/USDT", "OLD/USDT"]),
    depth=st.none() | st.integers(),
    priority=st.integers(),
)


@settings(max_examples=300)
@given(rows=st.lists(NONSENSE, max_size=8))
def test_any_row_is_either_subscribed_or_refused_with_a_reason(rows: list[Task]):
    result = wanted(rows, CATALOGUE, EXCHANGES)
    assert all(refused.reason for refused in result.refused)
    assert len(result.refused) + len(result.subscriptions) <= len(rows)
    assert len(result.refused) == len(rows) or result.subscriptions
    assert all(key == sub.key and sub.depth in DEPTHS for key, sub in result.subscriptions.items())


KEYS = st.sampled_from([BookKey("binance", market, f"C{n}/USDT") for market in MarketType for n in range(12)])
CURRENT = st.dictionaries(KEYS, st.sampled_from(DEPTHS))
TARGET = st.dictionaries(KEYS, st.tuples(st.sampled_from(DEPTHS), st.integers(-5, 5))).map(
    lambda rows: {
        key: Subscription(instrument=instrument(key), depth=depth, priority=priority)
        for key, (depth, priority) in rows.items()
    }
)


def applied(current: dict[BookKey, int], change: Diff) -> dict[BookKey, int]:
    """What is subscribed after the change; each step must find the world as it needs it."""
    after = dict(current)
    for key in change.remove:
        del after[key]
    for subscription in change.add:
        assert subscription.key not in after
        after[subscription.key] = subscription.depth
    return after


@settings(max_examples=1_000, deadline=None)
@given(current=CURRENT, target=TARGET)
def test_applying_the_difference_gives_what_is_wanted_and_touches_nothing_else(
    current: dict[BookKey, int], target: dict[BookKey, Subscription]
):
    change = diff(current, target)
    depths = {key: subscription.depth for key, subscription in target.items()}
    assert applied(current, change) == depths
    unchanged = {key for key in current if depths.get(key) == current[key]}
    assert unchanged.isdisjoint(change.remove)
    assert unchanged.isdisjoint(subscription.key for subscription in change.add)
    assert len(change.add) == len(depths.keys() - unchanged)
    assert len(change.remove) == len(current.keys() - unchanged)


@given(target=TARGET)
def test_the_most_important_pairs_are_added_first(target: dict[BookKey, Subscription]):
    priorities = [subscription.priority for subscription in diff({}, target).add]
    assert priorities == sorted(priorities, reverse=True)


SHALLOW = Offers({("binance", MarketType.SPOT): (20,)}, {"bnb": "binance"})


def test_a_depth_that_an_exchange_does_not_offer_is_refused_with_what_it_does():
    for depth, asked in ((50, "50"), (0, "the full book")):
        (refused,) = wanted([task(depth=depth)], CATALOGUE, EXCHANGES, offers=SHALLOW).refused
        assert refused.reason == f"binance offers 20 levels at most, not {asked}"
    assert BTC in wanted([task(depth=20)], CATALOGUE, EXCHANGES, offers=SHALLOW).subscriptions


def test_a_row_without_a_depth_takes_the_deepest_that_is_offered_where_the_default_is_not():
    result = wanted([task()], CATALOGUE, EXCHANGES, offers=SHALLOW, default_depth=50)
    assert result.subscriptions[BTC].depth == 20


def test_another_name_of_an_exchange_means_the_same_book():
    rows = [task(exchange=" BNB ", row_id=1), task(row_id=2)]
    assert list(wanted(rows, CATALOGUE, EXCHANGES, offers=SHALLOW).subscriptions) == [BTC]
