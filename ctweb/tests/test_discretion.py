"""Neither the page of an error nor the file of a crash tells what a process was given."""

import resource

import pytest
from django.test import Client

from apps.feeds.orders import Credentials, OrderRef
from apps.feeds.tests import canaries
from apps.trading.credentials.probing import Probe
from apps.trading.models import Account
from apps.trading.tests import rows
from apps.trading.tests.key_rows import KEYS, as_web_process
from apps.users.tests.people import person
from ctweb.discretion import NothingThatWasSent
from ctweb.tests.clients import stores_away


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("accept", ["application/json", "text/html, application/json"])
def test_a_failure_with_a_key_in_hand_does_not_show_it(settings, tmp_path, monkeypatch, capfd, debug, accept):
    stores_away(settings)
    as_web_process(settings, tmp_path)
    settings.DEBUG = debug
    monkeypatch.setattr("apps.trading.credentials.keys.ask_exchange", broken)
    client = Client(raise_request_exception=False)
    anna = person("trader", "anna")
    client.force_login(anna, backend="django.contrib.auth.backends.ModelBackend")
    account = rows.account(owner=anna, mode="testnet")
    body = {"key": KEYS.key, "secret": KEYS.secret, "passphrase": KEYS.passphrase}
    path = f"/api/v1/accounts/{account.pk}/key"
    answer = client.post(path, body, content_type="application/json", headers={"Accept": accept})
    assert answer.status_code == 500
    assert ("NoneType" in answer.content.decode()) is debug  # so that it is the page of a developer
    assert canaries.found(answer.content.decode() + "".join(capfd.readouterr()), KEYS) == []


def broken(*, account: Account, keys: Credentials, order: OrderRef | None) -> Probe:
    """An answer that our own code stumbles over, with the key in hand."""
    return Probe(keys=keys, permissions=None, clock_offset_ms=0, findings=None)  # type: ignore[arg-type]


def test_no_process_of_ours_leaves_a_core():
    assert {*resource.getrlimit(resource.RLIMIT_CORE)} <= {0, 1}  # without end is -1


@pytest.mark.parametrize("name", ["CT_SMTP_URL", "CT_PAGER_URL", "REDIS_URL", "CLICKHOUSE_URL", "CT_ID_KEY"])
def test_an_errors_page_shows_no_setting_that_may_hold_a_password(settings, name):
    setattr(settings, name, "smtps://desk:canary@mail.example")
    assert "canary" not in str(NothingThatWasSent().get_safe_settings()[name])
