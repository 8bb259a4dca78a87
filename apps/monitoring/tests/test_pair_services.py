from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.feeds.market import BookKey, InstrumentStatus, MarketType
from apps.feeds.selectors import listed
from apps.feeds.services import set_exchange_enabled
from apps.feeds.tests.listings import PAIRS, instrument, list_pairs
from apps.monitoring import ledger, services
from apps.monitoring.gaps import Gap
from apps.monitoring.models import ChBatch, FeedGap, Monitoring, MonitoringPair
from apps.monitoring.selectors import loaded, tasks
from apps.users.models import Audit
from apps.users.selectors import verify_audit
from apps.users.services import SYSTEM, Actor

pytestmark = pytest.mark.django_db
ANN = Actor(user="ann", role="operator")


def key(pair: str = "BTC/USDT", exchange: str = "binance", market_type: str = "spot") -> BookKey:
    return BookKey(exchange, MarketType(market_type), pair)


@pytest.fixture(autouse=True)
def catalogue() -> None:
    list_pairs()
    list_pairs("BTC/USDT", exchange="binance", market_type="futures")
    list_pairs("BTC/USDT", exchange="okx", extra=(instrument("OLD/USDT", "okx", status=InstrumentStatus.SUSPENDED),))


@pytest.fixture
def nudges(monkeypatch, django_capture_on_commit_callbacks):
    """Counts the messages that would go to the daemons when the block is committed."""
    sent: list[str] = []

    class Redis:
        def publish(self, channel: str, payload: str) -> None:
            sent.append(channel)

        def close(self) -> None:
            pass

    monkeypatch.setattr("apps.feeds.services.connect_sync", lambda url: Redis())

    def counted(act: Any) -> int:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return len(sent)

    return counted


def test_an_added_pair_is_watched():
    row = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN, depth=50, priority=3)
    (subscription,) = loaded().subscriptions.values()
    assert (subscription.key, subscription.depth, subscription.priority) == (key(), 50, 3)
    assert row.exchange_name == "Binance"
    assert row.trade_pair_id is not None


@pytest.mark.parametrize("depth", [50, 0])
def test_a_depth_that_the_exchange_does_not_offer_is_refused_at_the_field(depth: int):
    list_pairs("BTC/USDC", exchange="hyperliquid")
    row = services.add_pair(exchange="hyperliquid", pair="BTC/USDC", actor=ANN, depth=20)
    refused = (
        lambda: services.edit(ids=[row.pk], values={"depth": depth}, actor=ANN),
        lambda: services.add_pair(exchange="dex", pair="BTC/USDC", actor=ANN, depth=depth),
        lambda: services.enable_pairs(keys={key("BTC/USDC", "hyperliquid")}, enabled=True, depth=depth, actor=ANN),
    )
    with pytest.raises(ValidationError) as refusal:
        refused[0]()
    assert refusal.value.message_dict == {"depth": ["hyperliquid spot does not offer this depth, but 20."]}
    services.delete(ids=[row.pk], actor=ANN)
    for act in refused[1:]:
        with pytest.raises(ValidationError) as refusal:
            act()
        assert "depth" in refusal.value.message_dict
    assert not Monitoring.objects.exists()


def test_an_added_pair_is_normalised():
    services.add_pair(exchange=" Binance ", market_type="FUTURES", pair="btc/usdt", actor=ANN)
    assert list(loaded().subscriptions) == [key(market_type="futures")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"exchange": "kraken"}, "exchange"),
        ({"exchange": ""}, "exchange"),
        ({"market_type": "options"}, "market_type"),
        ({"pair": "NOPE/USDT"}, "pair"),
        ({"pair": "BTC-USDT"}, "pair"),
        ({"pair": "BTÇ/USDT"}, "pair"),
        ({"pair": ""}, "pair"),
        ({"pair": "OLD/USDT", "exchange": "okx"}, "pair"),
        ({"depth": 21}, "depth"),
        ({"depth": -1}, "depth"),
        ({"priority": 2**31}, "priority"),
    ],
)
def test_what_cannot_run_is_refused_at_its_field(wrong, field):
    with pytest.raises(ValidationError) as refused:
        services.add_pair(**{"exchange": "binance", "pair": "BTC/USDT", "actor": ANN, **wrong})
    assert list(refused.value.message_dict) == [field]
    assert not Monitoring.objects.exists()
    assert not Audit.objects.exists()


def test_a_pair_of_an_exchange_that_is_switched_off_is_refused():
    set_exchange_enabled(exchange="binance", enabled=False, actor=ANN)
    with pytest.raises(ValidationError, match="switched off"):
        services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)


def test_a_pair_is_added_once_even_if_plain_sql_spelt_it_otherwise():
    Monitoring.objects.create(exchange="Binance", pair="btc/usdt ")
    with pytest.raises(ValidationError, match="watched already"):
        services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)


def test_switching_off_and_on_moves_the_task():
    row = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)
    services.edit(ids=[row.pk], values={"enabled": False}, actor=ANN)
    assert tasks() == []
    services.edit(ids=[row.pk], values={"enabled": True}, actor=ANN)
    assert len(tasks()) == 1


def test_switching_on_makes_an_inactive_row_active():
    row = Monitoring.objects.create(exchange="binance", pair="BTC/USDT", enabled=False, active=False)
    services.edit(ids=[row.pk], values={"enabled": True}, actor=ANN)
    assert len(tasks()) == 1


@pytest.mark.parametrize("nonsense", [{"pair": "NOPE/USDT"}, {"exchange": "kraken"}, {"market_type": "options"}])
def test_a_row_that_cannot_run_is_not_switched_on_but_can_be_switched_off_and_deleted(nonsense):
    row = Monitoring.objects.create(**{"exchange": "binance", "pair": "BTC/USDT", "enabled": False, **nonsense})
    with pytest.raises(ValidationError) as refused:
        services.edit(ids=[row.pk], values={"enabled": True}, actor=ANN)
    assert list(refused.value.message_dict) == ["enabled"]
    services.edit(ids=[row.pk], values={"enabled": False}, actor=ANN)
    services.delete(ids=[row.pk], actor=ANN)
    assert not Monitoring.objects.exists()


def test_many_are_switched_on_together_and_missing_rows_are_made():
    have = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN, enabled=False)
    keys = {key(pair) for pair in PAIRS}
    change = services.enable_pairs(keys=keys, enabled=True, depth=50, actor=ANN)
    assert loaded().subscriptions.keys() == keys
    assert have.pk in change.rows
    assert {sub.key.pair: sub.depth for sub in loaded().subscriptions.values()}["ETH/USDT"] == 50


def test_many_are_switched_on_all_or_none():
    with pytest.raises(ValidationError) as refused:
        services.enable_pairs(keys={key(), key("NOPE/USDT"), key("OLD/USDT", "okx")}, enabled=True, actor=ANN)
    (texts,) = refused.value.message_dict.values()
    assert len(texts) == 2
    assert tasks() == []


def test_switching_off_a_pair_takes_it_out_of_other_rows_lists():
    row = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)
    further = key("ETH/USDT")
    MonitoringPair.objects.create(monitor=row, trade_pair=listed(keys=[further])[further])
    assert set(loaded().subscriptions) == {key(), further}
    services.enable_pairs(keys={further}, enabled=False, actor=ANN)
    assert set(loaded().subscriptions) == {key()}


def test_a_change_moves_updated_at():
    row = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)
    Monitoring.objects.filter(pk=row.pk).update(updated_at=datetime(2020, 1, 1, tzinfo=UTC))
    services.edit(ids=[row.pk], values={"depth": 0}, actor=ANN)
    assert Monitoring.objects.get(pk=row.pk).updated_at.year > 2020


def test_each_change_is_one_row_of_the_trail():
    row = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)
    services.edit(ids=[row.pk], values={"depth": 50}, actor=ANN, reason="deeper")
    services.edit(ids=[row.pk], values={"enabled": False}, actor=ANN)
    services.enable_pairs(keys={key(pair) for pair in PAIRS}, enabled=True, actor=ANN)
    services.delete(ids=[row.pk], actor=ANN)
    trail = list(Audit.objects.order_by("change_id"))
    assert [one.action for one in trail] == ["pair.add", "pair.edit", "pair.disable", "pair.enable", "pair.delete"]
    assert trail[1].before[0]["depth"] is None
    assert trail[1].after[0]["depth"] == 50
    assert (trail[1].user, trail[1].reason) == ("ann", "deeper")


def test_what_changes_nothing_leaves_no_trace(nudges):
    row = services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)
    before = Audit.objects.count()
    assert nudges(lambda: services.edit(ids=[row.pk], values={"enabled": True}, actor=ANN)) == 0
    assert Audit.objects.count() == before


def test_daemons_are_told_of_every_change_when_it_is_committed(nudges):
    assert nudges(lambda: services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)) == 1
    (row,) = Monitoring.objects.all()
    assert nudges(lambda: services.edit(ids=[row.pk], values={"enabled": False}, actor=ANN)) == 1
    assert nudges(lambda: services.delete(ids=[row.pk], actor=ANN)) == 1
    assert nudges(lambda: set_exchange_enabled(exchange="okx", enabled=False, actor=ANN)) == 1


def test_a_change_goes_through_while_redis_is_away(settings, django_capture_on_commit_callbacks):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with django_capture_on_commit_callbacks(execute=True):
        services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN)
    assert len(tasks()) == 1


def test_rows_that_are_not_there_are_named():
    with pytest.raises(ValidationError, match="999"):
        services.delete(ids=[999], actor=ANN)


def test_a_thousand_at_once_is_the_most():
    with pytest.raises(ValidationError, match="At most 1000"):
        services.edit(ids=range(1001), values={"enabled": False}, actor=ANN)


def test_the_starter_set_is_watched_once():
    keys = {BookKey(exchange, market, "BTC/USDT") for exchange in ("binance", "okx") for market in MarketType}
    services.start_with(keys=keys)
    assert len(tasks()) == 4
    services.delete(ids=[row.pk for row in Monitoring.objects.all()], actor=ANN)
    services.start_with(keys=keys)
    assert tasks() == []


def test_the_starter_set_leaves_rows_alone_that_are_there():
    services.add_pair(exchange="binance", pair="BTC/USDT", actor=ANN, enabled=False)
    services.start_with(keys={BookKey("binance", MarketType.SPOT, "BTC/USDT")})
    assert tasks() == []


def test_tasks_come_by_priority_in_two_queries(django_assert_num_queries):
    for number, pair in enumerate(PAIRS):
        services.add_pair(exchange="binance", pair=pair, actor=SYSTEM, priority=number)
    with django_assert_num_queries(2):
        assert [task.pair for task in tasks()] == list(reversed(PAIRS))


def test_a_gap_reported_again_is_the_same_gap_with_its_end():
    begun = Gap(
        exchange="okx",
        market_type="spot",
        pair="BTC/USDT",
        stream="okx:spot:3",
        epoch=7,
        from_ns=1_795_168_800_123_456_789,
        to_ns=None,
        reason="socket closed 1006",
        daemon="d1",
    )
    ended = Gap(
        **{name: getattr(begun, name) for name in begun.__struct_fields__ if name != "to_ns"},
        to_ns=1_795_168_801 * 10**9,
    )
    ledger.record_gaps(gaps=[begun])
    ledger.record_gaps(gaps=[ended, ended])
    (row,) = FeedGap.objects.all()
    assert row.from_ts == datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
    assert row.to_ts == datetime(2026, 11, 20, 10, 0, 1, tzinfo=UTC)


def test_a_batch_is_registered_once():
    columns = {"table_name": "trades", "daemon": "d1", "host": "h", "path": "/x", "rows": 3, "sha256": "0" * 64}
    assert ledger.register_batch(batch_id="b1", **columns)
    assert not ledger.register_batch(batch_id="b1", **{**columns, "rows": 4})
    assert ChBatch.objects.get().rows == 3


def test_the_trail_of_all_this_is_whole():
    rows = [services.add_pair(exchange="binance", pair=pair, actor=ANN) for pair in PAIRS]
    services.delete(ids=[row.pk for row in rows], actor=ANN)
    assert verify_audit().intact
