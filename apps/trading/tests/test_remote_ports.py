"""Which accounts a process has a way to, and for how long it keeps their keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.errors import Retryable
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials
from apps.feeds.transport import loop
from apps.trading.credentials import keyring, keys
from apps.trading.execution.gateway import remote_ports
from apps.trading.execution.gateway.ports import CannotWork
from apps.trading.execution.gateway.remote_ports import RemotePorts, server_time
from apps.trading.models import Account, AccountKey, AccountMode
from apps.trading.tests import rows
from apps.trading.tests.key_rows import as_web_process, probed, trader

pytestmark = pytest.mark.django_db
FIRST = Credentials(key="canarykey-a7f3e09b", secret="canarysecret-c41d88e2")
SECOND = Credentials(key="canarykey-second77", secret="canarysecret-second88")


@pytest.fixture
def ports(settings, tmp_path: Path, redis_url: str) -> Iterator[RemotePorts]:
    """Those of an executor that has simulated exchanges."""
    files = as_web_process(settings, tmp_path)
    settings.CT_SEAL_PRIVATE_KEYS_FILE = files.private
    settings.CT_SIMULATOR_URL, settings.REDIS_URL = "http://127.0.0.1:9", redis_url
    settings.CT_HALT_FILE = tmp_path / "HALT"
    made = remote_ports.connect()
    yield made
    loop.run(made.close(), timeout=60)


def account(mode: AccountMode = AccountMode.TESTNET, key: Credentials | None = FIRST) -> Account:
    made = rows.account(mode=mode)
    if key is not None:
        keys.keep(account=made, found=probed(key), actor=trader(f"trader{made.pk}"))
    return made


def test_the_same_port_serves_as_long_as_account_and_key_are_the_same(ports: RemotePorts):
    made = account()
    assert ports.of(made.pk) is ports.of(made.pk)
    assert ports.of(made.pk)._keys == FIRST


@pytest.mark.parametrize("mode", [AccountMode.TESTNET, AccountMode.LIVE])
def test_a_key_that_was_replaced_is_used_no_more(ports: RemotePorts, mode: AccountMode):
    made = account(mode)
    before = ports.of(made.pk)
    keys.keep(account=made, found=probed(SECOND), actor=trader("bert"))
    after = ports.of(made.pk)
    assert (after is before, after._keys) == (False, SECOND)


def test_a_key_that_was_sealed_anew_is_opened_anew(ports: RemotePorts):
    made = account()
    before = ports.of(made.pk)
    AccountKey.objects.filter(pk=made.pk).update(version=7)  # as if somebody had touched it
    with pytest.raises(CannotWork):
        ports.of(made.pk)
    AccountKey.objects.filter(pk=made.pk).update(version=1)
    assert ports.of(made.pk) is not before


def test_a_key_that_was_taken_away_is_dropped(ports: RemotePorts):
    made = account()
    ports.of(made.pk)
    keys.remove(account=made, actor=trader("bert"))
    with pytest.raises(CannotWork, match="has no key"):
        ports.of(made.pk)
    assert ports._ports == {}


def test_whom_this_process_cannot_work_for_is_said(ports: RemotePorts):
    closed = account()
    Account.objects.filter(pk=closed.pk).update(active=False)
    for number, why in (
        (account(AccountMode.PAPER, key=None).pk, "on paper"),
        (account(key=None).pk, "has no key"),
        (closed.pk, "closed"),
        (0, "closed"),
    ):
        with pytest.raises(CannotWork, match=why):
            ports.of(number)


def test_an_account_of_the_simulator_never_reaches_a_real_exchange(ports: RemotePorts, settings):
    made = account()
    settings.CT_SIMULATOR_URL = None
    real = remote_ports.connect()
    with pytest.raises(CannotWork, match="for the simulator"):
        real.of(made.pk)
    loop.run(real.close(), timeout=60)


def test_a_process_that_was_not_told_where_the_private_keys_are_has_no_way(ports: RemotePorts, settings):
    made = account()
    settings.CT_SEAL_PRIVATE_KEYS_FILE = None
    with pytest.raises(CannotWork):
        ports.of(made.pk)


def test_a_clock_whose_answer_nobody_waited_for_is_asked_again_later(ports: RemotePorts):
    """Who was stopped for seconds has not waited."""

    def stopped(coroutine: Any, timeout: float) -> Any:
        coroutine.close()
        raise TimeoutError

    with pytest.raises(Retryable):
        server_time(ports._client, stopped, "binance", MarketType.SPOT)


def test_two_accounts_with_one_key_count_their_signatures_together(ports: RemotePorts):
    first, second, other = account(), account(), account(key=SECOND)
    assert ports.of(first.pk)._asking._nonces is ports.of(second.pk)._asking._nonces
    assert ports.of(first.pk)._asking._nonces is not ports.of(other.pk)._asking._nonces


def test_a_ring_that_cannot_be_read_is_no_way(ports: RemotePorts, settings, tmp_path: Path):
    made = account()
    settings.CT_SEAL_PRIVATE_KEYS_FILE = tmp_path / "nowhere"
    with pytest.raises(CannotWork):
        ports.of(made.pk)
    assert not keyring.embedded(tmp_path / "nowhere").private.exists()
