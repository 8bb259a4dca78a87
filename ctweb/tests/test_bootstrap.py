import stat
from itertools import product

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.monitoring.models import Monitoring
from apps.monitoring.selectors import tasks
from apps.users.models import User
from apps.users.roles import ADMIN, role_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.CT_EMBEDDED = True
    settings.CT_DATA_DIR = tmp_path
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    return tmp_path


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
