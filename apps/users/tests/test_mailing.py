"""Alerts are written to people as they are told to the pager: each for certain, whatever the mail server does."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from apps.users import alerts, paging, tasks
from apps.users.alerts import raise_alert
from apps.users.models import Alert
from apps.users.pagers import lines
from apps.users.paging import MAILS, page_due
from apps.users.services import Actor
from apps.users.tests.mail_server import PASSWORD, MailServer
from apps.users.tests.pager import Listener
from apps.users.tests.people import person
from apps.users.tests.troubles import no_hurry, troubles
from apps.users.transport import mail, webhook
from apps.users.transport.away import PagerAway
from apps.users.transport.mail import Mailbox, subject_of
from apps.users.transport.webhook import Webhook

pytestmark = pytest.mark.django_db

TO = ["anna@desk.example", "boris@desk.example"]
PAGE = {"id": 7, "kind": "UNKNOWN", "scope": "account", "scope_id": "3", "subject": "ct1", "text": "a"}


@pytest.fixture(autouse=True)
def nothing_is_due_by_itself(monkeypatch: pytest.MonkeyPatch):
    no_hurry(monkeypatch, mail, webhook)


@pytest.fixture
def server() -> Iterator[MailServer]:
    made = MailServer()
    yield made
    made.end()


def mailbox(server: MailServer) -> Mailbox:
    return Mailbox(url=server.url, sender="ct@desk.example", to=TO)


def later() -> None:
    """The pause of every message is over."""
    Alert.objects.filter(mailed_at=None).update(mail_at=Now())


def test_a_message_says_what_where_since_when_and_when_it_halts_and_is_sent_once(server: MailServer):
    row = raise_alert(kind="QUARANTINE", text="look at it", scope="account", scope_id="7", subject="ct1")
    row.refresh_from_db()
    assert [page_due(mailbox(server), MAILS) for _ in range(2)] == [1, 0]
    (message,) = server.heard
    assert (message["Subject"], message["From"], message["Message-ID"]) == (
        *("[ct-system] QUARANTINE account 7 ct1", "ct@desk.example"),
        f"<alert-{row.pk}@ct-system>",
    )
    assert message.get_content().splitlines() == [
        *("look at it", "", f"since {row.at.isoformat()}, alert {row.pk}"),
        f"Unless somebody acknowledges it, the account is halted at {(row.at + timedelta(minutes=5)).isoformat()}.",
        f"Acknowledge it on /trading/risk/, or by POST /api/v1/alerts/{row.pk}/ack.",
    ]
    assert server.recipients == TO
    row.refresh_from_db()
    assert (row.mailed_at is not None, row.mail_tries, row.mail_error) == (True, 1, "")


def test_twenty_of_twenty_arrive_while_the_server_fails_at_first_and_restarts():
    """It refuses, is busy, hangs up, and is away for a while."""
    wanted = troubles(20)
    here = MailServer()
    here.answers = [451, 550, 0, 250] * 10
    box = mailbox(here)
    for _ in range(400):
        if len(here.heard) >= 10:
            break
        page_due(box, MAILS)
        later()
    here.end()
    assert page_due(box, MAILS) == 0
    later()
    again = MailServer(here.port)
    again.answers = [421, 250] * 10
    for _ in range(400):
        if paging.standing(MAILS).waiting == 0:
            break
        page_due(box, MAILS)
        later()
    again.end()
    told = [message["Message-ID"] for message in (*here.heard, *again.heard)]
    assert sorted(told) == sorted(f"<alert-{number}@ct-system>" for number in wanted)
    assert paging.standing(MAILS).delivered == 20
    assert paging.standing(MAILS).tries > 20


@pytest.mark.parametrize("answer", [421, 451, 550, 554])
def test_only_what_the_server_takes_is_told(server: MailServer, answer: int):
    troubles(1)
    server.answers = [answer]
    assert page_due(mailbox(server), MAILS) == 0
    row = Alert.objects.get()
    assert (row.mailed_at, row.mail_tries, row.mail_error) == (None, 1, f"the mail server answers {answer}")


def test_a_mail_server_that_is_away_holds_up_no_pager_and_the_other_way_round(server: MailServer):
    first, second = Listener(), Listener()
    second.end()
    troubles(1)
    server.answers = [451]
    assert (page_due(mailbox(server), MAILS), page_due(Webhook(first.url))) == (0, 1)
    first.end()
    later()
    troubles(2)
    assert page_due(Webhook(second.url)) == 0
    assert page_due(mailbox(server), MAILS) == 2
    assert Alert.objects.exclude(mailed_at=None).filter(paged_at=None).exists()


def test_what_somebody_has_seen_is_not_written_to_anybody(server: MailServer):
    (seen,) = troubles(1)
    alerts.ack(alert_id=seen, actor=Actor(user="anna", user_id=person("operator", "anna").pk))
    assert (page_due(mailbox(server), MAILS), server.heard) == (0, [])


def test_the_password_is_in_no_row_and_no_line_of_the_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    troubles(2)
    server = MailServer()
    box = mailbox(server)
    server.answers = [451]
    page_due(box, MAILS)
    later()
    server.end()
    page_due(box, MAILS)
    shown = [caplog.text, repr(box), *Alert.objects.values_list("mail_error", flat=True)]
    assert Alert.objects.exclude(mail_error="").exists()
    assert all(PASSWORD not in text for text in shown)


def test_a_deployment_may_have_either_or_both_and_celery_tells_all(server: MailServer, settings):
    listener = Listener()
    row = troubles(1)[0]
    values = {"url": None, "mail_to": [], "mail_from": "ct@desk.example", "smtp_url": server.url}
    assert lines(**values) == []
    assert [one.name for one in lines(**{**values, "url": listener.url, "mail_to": TO})] == ["pager", "mail"]
    settings.CT_PAGER_URL, settings.CT_PAGER_EMAIL_TO, settings.CT_SMTP_URL = listener.url, TO, server.url
    tasks.page()
    listener.end()
    assert ([page["id"] for page in listener.heard], len(server.heard)) == ([row], 1)


def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, server: MailServer):
    monkeypatch.setattr(mail, "TIMEOUT_S", 0.2)
    monkeypatch.setattr("apps.users.tests.mail_server._Session.handle", lambda session: session.rfile.read())
    with pytest.raises(PagerAway, match="Disconnected"):
        mailbox(server).send({**PAGE, "at": "", "halts_at": None, "ack": ""})


def test_a_subject_is_one_line_whatever_stands_in_the_page():
    assert (
        subject_of({**PAGE, "subject": "a\r\nBcc: x@y.example"}) == "[ct-system] UNKNOWN account 3 a Bcc: x@y.example"
    )
