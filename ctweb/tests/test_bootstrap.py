import stat
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.models import TradePair
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.listings import list_pairs
from apps.feeds.transport import loop
from apps.monitoring.models import Monitoring
from apps.monitoring.selectors import loaded, tasks
from apps.users.models import User
from apps.users.roles import ADMIN, role_of
from ctweb.management.commands import bootstrap

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.CT_EMBEDDED = True
    settings.CT_DATA_DIR = tmp_path
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.fixture
def recordings(folder, settings, captures) -> Iterator[Simulator]:
    """Played as `SOURCE=replay` does."""
    simulator = Simulator(replay=captures)
    port = loop.run(simulator.start(), timeout=20)
    settings.SOURCE, settings.CT_CAPTURES_DIR = "replay", captures
    settings.CT_SIMULATOR_URL = f"http://127.0.0.1:{port}"
    yield simulator
    loop.run(simulator.stop(), timeout=20)


def login(folder) -> tuple[str, str]:
    name, password = (folder / "login.txt").read_text().split()
    return name, password


def opens(name: str, password: str) -> bool:
    return authenticate(RequestFactory().post("/login/"), username=name, password=password) is not None


def test_it_makes_a_login_that_works_and_writes_it_for_the_owner_only(folder):
    call_command("bootstrap")
    assert opens(*login(folder))
    assert stat.S_IMODE((folder / "login.txt").stat().st_mode) == 0o600
    assert role_of(User.objects.get()) == ADMIN
    assert User.objects.get().is_staff


def test_it_watches_three_coins_on_every_exchange_and_both_markets(folder):
    call_command("bootstrap")
    coins = [(task.exchange, task.market_type, task.pair.partition("/")[0]) for task in tasks()]
    every = product(registry.exchange_ids(), MarketType, ("BTC", "ETH", "SOL"))
    assert sorted(coins) == sorted(every)
    assert {task.pair.partition("/")[2] for task in tasks()} == {"USDT", "USDC"}


def test_a_second_time_changes_nothing(folder):
    call_command("bootstrap")
    first = login(folder)
    Monitoring.objects.all().delete()
    call_command("bootstrap")
    assert login(folder) == first
    assert not Monitoring.objects.exists()


def test_a_password_that_the_admin_chose_stays(folder):
    call_command("bootstrap")
    user = User.objects.get()
    user.set_password("chosen by myself")
    user.save()
    call_command("bootstrap")
    assert opens(user.username, "chosen by myself")


def test_a_lost_login_file_means_a_new_password(folder):
    call_command("bootstrap")
    (folder / "login.txt").unlink()
    call_command("bootstrap")
    assert opens(*login(folder))


def test_a_deployment_is_not_given_a_login(folder, settings):
    settings.CT_EMBEDDED = False
    with pytest.raises(CommandError, match="embedded"):
        call_command("bootstrap")
    assert not User.objects.exists()


def test_a_replay_watches_all_that_is_recorded(recordings):
    call_command("bootstrap")
    asked = loaded()
    assert asked.refused == []
    watched = {(key.exchange, one.instrument.symbol) for key, one in asked.subscriptions.items()}
    listed = {(name, symbol) for name, one in recordings.exchanges.items() for _, symbol in one.listings}
    assert watched == listed - {("okx", "UNI-USD-SWAP"), ("htx", "ICP-USD")}  # paid in coins: we list none of those
    assert {exchange for exchange, _ in watched} == set(registry.exchange_ids())


def test_a_recorded_pair_that_was_removed_stays_so_until_other_recordings_are_played(recordings, settings, tmp_path):
    call_command("bootstrap")
    Monitoring.objects.filter(exchange="kucoin").delete()
    call_command("bootstrap")
    assert not Monitoring.objects.filter(exchange="kucoin").exists()
    settings.CT_CAPTURES_DIR = tmp_path
    call_command("bootstrap")
    assert Monitoring.objects.filter(exchange="kucoin").exists()


def test_recordings_that_nobody_plays_are_said_so(folder, settings, monkeypatch):
    settings.SOURCE, settings.CT_SIMULATOR_URL = "replay", "http://127.0.0.1:1"
    monkeypatch.setattr(bootstrap, "PLAYER_S", 0.2)
    with pytest.raises(CommandError, match="nobody plays the recordings"):
        call_command("bootstrap")


@pytest.mark.parametrize(("source", "is_read_again"), [("simulator", False), ("live", True)])
def test_a_catalogue_of_another_source_is_read_again(folder, settings, source, is_read_again):
    call_command("bootstrap")
    list_pairs("BTC/USDT")
    settings.SOURCE = source
    call_command("bootstrap")
    read_at = TradePair.objects.get().refreshed_at
    assert (timezone.now() - read_at >= timedelta(hours=1)) is is_read_again
