from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone

from apps.users.models import IdempotentAnswer
from apps.users.tasks import sweep
from apps.users.tests.people import person
from ctweb import celery_app
from ctweb.celery import SCHEDULE


def test_every_task_on_the_schedule_exists():
    celery_app.loader.import_default_modules()
    assert SCHEDULE.keys() <= celery_app.tasks.keys()


def test_what_is_missed_is_not_made_up_for():
    assert all(entry["options"]["expires"] <= 3600 for entry in celery_app.conf.beat_schedule.values())


def test_tasks_come_as_json_may_run_twice_and_end():
    conf = celery_app.conf
    assert conf.accept_content == ["json"]
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.task_time_limit * 4 <= conf.broker_transport_options["visibility_timeout"]


@pytest.mark.django_db
def test_old_answers_are_swept_out():
    user = person("viewer")
    for days in (1, 3):
        answer = IdempotentAnswer.objects.create(user=user, key=f"k{days}", fingerprint="x")
        IdempotentAnswer.objects.filter(pk=answer.pk).update(created_at=timezone.now() - timedelta(days=days))
    sweep()
    assert IdempotentAnswer.objects.get().key == "k1"


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
def test_the_checks_of_the_system_pass(settings):
    call_command("check", fail_level="WARNING")
    settings.ALLOWED_HOSTS = ["*"]
    with pytest.raises(Exception, match="CT_ALLOWED_HOSTS"):
        call_command("check")


@pytest.mark.parametrize(
    ("embedded", "url", "warns"),
    [(False, None, True), (False, "https://pager.example/k", False), (True, None, False)],
)
def test_a_deployment_without_a_pager_is_warned_of(settings, embedded: bool, url: str | None, warns: bool):
    settings.CT_EMBEDDED, settings.CT_PAGER_URL = embedded, url
    found = {message.id for message in run_checks(include_deployment_checks=True)}
    assert ("ct.W001" in found) is warns


def test_a_deployment_that_writes_to_people_is_not_warned_of_but_needs_a_mail_server(settings):
    settings.CT_EMBEDDED, settings.CT_PAGER_URL = False, None
    settings.CT_PAGER_EMAIL_TO, settings.CT_SMTP_URL = ["anna@desk.example"], "smtps://mail.example"
    assert "ct.W001" not in {message.id for message in run_checks(include_deployment_checks=True)}
    settings.CT_SMTP_URL = None
    with pytest.raises(Exception, match="CT_SMTP_URL"):
        call_command("check")


def test_a_replay_without_frames_does_not_start(settings):
    settings.SOURCE, settings.CT_CAPTURES_DIR = "replay", None
    with pytest.raises(Exception, match="CT_CAPTURES_DIR"):
        call_command("check")
