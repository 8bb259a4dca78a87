from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.feeds import selectors, services, tasks
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, InstrumentStatus, MarketType
from apps.feeds.models import Daemon, Exchange, TradePair
from apps.feeds.tests.listings import instrument, list_pairs

pytestmark = pytest.mark.django_db
SPOT = MarketType.SPOT
BTC = BookKey("binance", SPOT, "BTC/USDT")


def test_an_instrument_comes_back_as_it_was_listed():
    listed = instrument(
        contract_size=Decimal("0.001"),
        inverse=True,
        min_amount=Decimal("0.0001"),
        min_notional=Decimal(5),
        volume_24h=Decimal("1234567890123.12345678"),
        number=110_003,
    )
    services.sync_instruments(exchange="binance", market_type=SPOT, instruments=[listed])
    assert selectors.catalogue() == {BTC: listed}


def test_a_second_reading_changes_what_changed():
    list_pairs("BTC/USDT")
    changed = instrument("BTC/USDT", tick=Decimal("0.5"), status=InstrumentStatus.SUSPENDED)
    services.sync_instruments(exchange="binance", market_type=SPOT, instruments=[changed])
    assert selectors.catalogue() == {BTC: changed}
    assert TradePair.objects.count() == 1


def test_what_is_no_longer_listed_is_delisted_and_kept():
    list_pairs("BTC/USDT", "OLD/USDT")
    list_pairs("OLD/USDT", market_type="futures")
    list_pairs("BTC/USDT")
    found = {str(key): one.status for key, one in selectors.catalogue().items()}
    assert found == {
        "binance:spot:BTC/USDT": "trading",
        "binance:spot:OLD/USDT": "delisted",
        "binance:futures:OLD/USDT": "trading",
    }


def test_an_empty_list_delists_nothing():
    list_pairs("BTC/USDT")
    with pytest.raises(ValueError, match="lists nothing"):
        services.sync_instruments(exchange="binance", market_type=SPOT, instruments=[])
    assert selectors.catalogue()[BTC].status is InstrumentStatus.TRADING


def test_the_catalogue_of_some_pairs_is_those_of_all_exchanges():
    list_pairs("BTC/USDT", "ETH/USDT")
    list_pairs("BTC/USDT", exchange="okx")
    assert {key.exchange for key in selectors.catalogue(pairs={"BTC/USDT"})} == {"binance", "okx"}
    assert selectors.catalogue(pairs=set()) == {}


def test_the_catalogue_knows_where_a_price_has_few_digits():
    list_pairs("BTC/USDC", exchange="hyperliquid")
    list_pairs("BTC/USDC")
    digits = {key.exchange: one.price_digits for key, one in selectors.catalogue(pairs=["BTC/USDC"]).items()}
    assert digits == {"hyperliquid": 5, "binance": None}


def test_a_big_catalogue_is_read_in_few_queries(django_assert_max_num_queries):
    list_pairs(*(f"C{number}/USDT" for number in range(2500)))
    with django_assert_max_num_queries(2):
        assert len(selectors.catalogue()) == 2500


def test_the_age_of_each_market_is_known_and_none_means_never():
    list_pairs("BTC/USDT")
    Exchange.objects.filter(code="okx").update(enabled=False)
    ages = selectors.catalogue_age()
    assert {exchange for exchange, _ in ages} == set(registry.exchange_ids()) - {"okx"}
    assert timezone.now() - ages["binance", SPOT] < timedelta(minutes=1)
    assert ages["binance", MarketType.FUTURES] is None


def test_a_refresh_is_ordered_for_markets_that_are_missing_or_old(monkeypatch):
    ordered = []
    monkeypatch.setattr(tasks.refresh_instruments, "apply_async", lambda args, **options: ordered.append(args))
    list_pairs("BTC/USDT")
    list_pairs("BTC/USDT", market_type="futures")
    TradePair.objects.filter(market_type="futures").update(refreshed_at=timezone.now() - timedelta(hours=2))
    Exchange.objects.exclude(code__in=("binance", "bybit")).update(enabled=False)
    tasks.refresh_due()
    assert sorted(ordered) == [
        ("binance", "futures", tasks.PAUSE_S),
        ("bybit", "futures", tasks.FIRST_PAUSE_S),
        ("bybit", "spot", tasks.FIRST_PAUSE_S),
    ]


def test_an_exchange_that_does_not_answer_is_asked_again_later(settings, redis_url):
    settings.REDIS_URL = redis_url
    settings.CT_SIMULATOR_URL = "http://127.0.0.1:1"
    assert tasks.refresh_instruments("okx", "spot", 60) == 0
    assert tasks.refresh_instruments("okx", "spot", 60) == 0  # not our turn: nothing is asked
    assert not TradePair.objects.exists()


def test_a_heartbeat_keeps_a_daemon_alive_until_it_leaves():
    beat = {
        "role": "monitor",
        "host": "here",
        "pid": 1,
        "started_at": timezone.now(),
        "capacity": 800,
        "sockets": 20,
        "build_id": "test",
    }
    services.heartbeat(daemon="d1", boot_uuid="00000000-0000-0000-0000-000000000001", **beat)
    services.heartbeat(daemon="d2", boot_uuid="00000000-0000-0000-0000-000000000002", **beat)
    Daemon.objects.filter(id="d2").update(heartbeat_at=timezone.now() - timedelta(seconds=30))
    assert [one.id for one in selectors.live_daemons(within_s=10)] == ["d1"]
    services.forget_daemon(daemon="d1", boot_uuid="00000000-0000-0000-0000-000000000009")
    assert selectors.live_daemons(within_s=10)
    services.forget_daemon(daemon="d1", boot_uuid="00000000-0000-0000-0000-000000000001")
    assert not selectors.live_daemons(within_s=10)
