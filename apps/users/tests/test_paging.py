"""The pager is told of every alert that waits, whatever becomes of it meanwhile."""

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.users import alerts, paging, tasks
from apps.users.alerts import raise_alert
from apps.users.models import Alert
from apps.users.paging import page_due, wait_s
from apps.users.services import Actor
from apps.users.tests.pager import SECRET, Listener
from apps.users.tests.people import person
from apps.users.tests.troubles import no_hurry, troubles
from apps.users.transport import webhook
from apps.users.transport.away import PagerAway
from apps.users.transport.webhook import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_due_by_itself(monkeypatch: pytest.MonkeyPatch):
    no_hurry(monkeypatch, webhook)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.end()


def later() -> None:
    """The pause of every page is over."""
    Alert.objects.filter(paged_at=None).update(page_at=Now())


def test_a_page_says_what_where_and_since_when_and_is_told_once(listener: Listener):
    row = raise_alert(kind="QUARANTINE", text="look at it", scope="account", scope_id="7", subject="ct1")
    row.refresh_from_db()
    assert [page_due(Webhook(listener.url)) for _ in range(2)] == [1, 0]
    assert listener.heard == [
        {
            "id": row.pk,
            "kind": "QUARANTINE",
            "scope": "account",
            "scope_id": "7",
            "subject": "ct1",
            "text": "look at it",
            "at": row.at.isoformat(),
            "escalates": True,
            "halts_at": (row.at + timedelta(minutes=5)).isoformat(),
            "ack": f"/api/v1/alerts/{row.pk}/ack",
        }
    ]
    row.refresh_from_db()
    assert (row.paged_at is not None, row.page_tries, row.page_error) == (True, 1, "")


def test_a_hundred_of_a_hundred_arrive_while_the_pager_fails_and_restarts():
    """Each of its answers but every third is a failure, and in the middle it is away for a while."""
    wanted = troubles(100)
    here = Listener()
    here.answers = [500, 0, 200] * 50
    pager = Webhook(here.url)
    for _ in range(400):
        if len(here.heard) >= 50:
            break
        page_due(pager)
        later()
    port, heard = here.server_port, here.heard
    here.end()
    assert page_due(pager) == 0
    assert Alert.objects.filter(paged_at=None).exclude(page_error="").exists()
    later()
    again = Listener(port)
    again.answers = [503, 200] * 60
    for _ in range(400):
        if paging.standing().waiting == 0:
            break
        page_due(pager)
        later()
    again.end()
    assert {page["id"] for page in [*heard, *again.heard]} == set(wanted)
    assert paging.standing().delivered == 100
    assert paging.standing().tries > 100


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_only_a_success_is_one(listener: Listener, status: int):
    troubles(1)
    listener.answers = [status]
    assert page_due(Webhook(listener.url)) == 0
    row = Alert.objects.get()
    assert (row.paged_at, row.page_tries, row.page_error) == (None, 1, f"it answers {status}")


def test_it_is_tried_again_after_a_growing_pause(listener: Listener):
    assert [wait_s(tries) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    troubles(1)
    listener.answers = [500]
    assert [page_due(Webhook(listener.url)) for _ in range(3)] == [0, 0, 0]
    assert Alert.objects.get().page_tries == 1
    later()
    assert page_due(Webhook(listener.url)) == 1


def test_one_page_that_is_not_taken_holds_up_no_other(listener: Listener):
    first, second = troubles(2)
    listener.answers = [400]
    pager = Webhook(listener.url)
    page_due(pager)
    assert page_due(pager) == 1
    assert [page["id"] for page in listener.heard] == [second]
    assert Alert.objects.get(pk=first).paged_at is None


def test_who_tells_it_has_claimed_it_and_who_died_leaves_it_to_the_next(listener: Listener):
    troubles(1)

    class Dies:
        def send(self, page: Mapping[str, Any]) -> None:
            assert page_due(Webhook(listener.url)) == 0, "another process tells nothing meanwhile"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        page_due(Dies())
    assert page_due(Webhook(listener.url)) == 0
    later()
    assert page_due(Webhook(listener.url)) == 1


def test_what_somebody_has_seen_or_is_over_is_not_told(listener: Listener):
    seen, over = troubles(2)
    alerts.ack(alert_id=seen, actor=Actor(user="anna", user_id=person("operator", "anna").pk))
    alerts.clear(kind="UNKNOWN", scope="account", scope_id="1")
    assert Alert.objects.get(pk=over).cleared_at is not None
    assert (page_due(Webhook(listener.url)), listener.heard) == (0, [])


def test_the_address_is_in_no_row_and_no_line_of_the_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    troubles(2)
    listener = Listener()
    pager = Webhook(listener.url)
    listener.answers = [500]
    page_due(pager)
    later()
    listener.end()
    page_due(pager)
    assert Alert.objects.exclude(page_error="").exists()
    shown = [caplog.text, repr(pager), *Alert.objects.values_list("page_error", flat=True)]
    assert all(SECRET not in text for text in shown)


def test_celery_pages_where_there_is_a_pager_and_not_where_there_is_none(listener: Listener, settings):
    troubles(1)
    settings.CT_PAGER_URL = None
    tasks.page()
    assert listener.heard == []
    settings.CT_PAGER_URL = listener.url
    tasks.page()
    assert len(listener.heard) == 1


def test_a_pager_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.2)
    deaf = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # takes connections, and reads none
    with deaf, pytest.raises(PagerAway, match="Timeout"):
        Webhook(f"http://127.0.0.1:{deaf.server_port}/").send({"id": 1})
