"""What may be asked of the admin by its addresses: no secret is found there letter by letter."""

import re
from collections.abc import Iterator

import pytest
from axes.models import AccessAttempt, AccessLog
from django.apps import apps
from django.contrib.admin import site
from django.contrib.sessions.models import Session
from django.db.models import Field, Model
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AuthToken

from apps.trading.models import AccountKey
from apps.users.models import IdempotentAnswer, User
from apps.users.tests.codes import device_of
from apps.users.tests.people import person, superuser
from ctweb.tests.clients import stores_away

pytestmark = pytest.mark.django_db
SECRETS = {
    (User, "password"),
    (TOTPDevice, "key"),
    (AuthToken, "digest"),
    (AccountKey, "sealed"),
    (AccountKey, "key_id"),
    (Session, "session_key"),
    (Session, "session_data"),
    (IdempotentAnswer, "fingerprint"),  # of a body that may have had a code
    (IdempotentAnswer, "body"),
    (AccessAttempt, "get_data"),
    (AccessAttempt, "post_data"),
    (AccessLog, "session_hash"),
}
SOUNDS_SECRET = re.compile("key|token|password|secret|digest|seal|hash|session|fingerprint|data|body|salt")
PUBLIC = {
    *("users.Audit.session", "users.Audit.idempotency_key", "users.Audit.prev_hash", "users.Audit.hash"),
    *("users.AuditHead.last_hash", "users.IdempotentAnswer.key", "monitoring.ChBatch.sealed_at"),
    *("trading.OrderIntent.intent_key", "trading.OrderIntent.fingerprint", "knox.AuthToken.token_key"),
}
PAGES = list(site._registry)


@pytest.fixture
def staff(settings) -> Client:
    stores_away(settings)
    return superuser()


def paths(model: type[Model], relations: int = 2) -> Iterator[str]:
    """Every way to a secret from a row of `model`, over its relations in both directions."""
    for field in model._meta.get_fields():
        if isinstance(field, Field) and (model, field.name) in SECRETS:
            yield field.name
            if field.primary_key:
                yield "pk"
        if relations and field.related_model:
            yield from (f"{field.name}__{path}" for path in paths(field.related_model, relations - 1))


def listed(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_every_column_that_sounds_like_a_secret_is_one_or_is_known_to_be_none():
    columns = [(model, field.name) for model in apps.get_models() for field in model._meta.concrete_fields]
    sounding = {(model, name) for model, name in columns if SOUNDS_SECRET.search(name)}
    assert {f"{model._meta.label}.{name}" for model, name in sounding - SECRETS} == PUBLIC
    assert set(columns) >= SECRETS


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label_lower)
def test_no_list_says_how_a_secret_begins(staff, model):
    found = [path for path in paths(model) if staff.get(listed(model), {f"{path}__startswith": "a"}).status_code != 400]
    assert found == []


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label_lower)
def test_no_list_shows_a_secret_or_is_searched_or_sorted_by_one(model):
    page = site._registry[model]
    named = {*page.list_display, *page.list_filter, *page.search_fields, *(page.ordering or ())}
    assert not named & set(paths(model))


def test_the_secrets_can_be_reached_from_there_were_it_not_refused():
    """Else the tests above would try nothing."""
    assert {"key", "user__password"} <= set(paths(TOTPDevice))
    assert {"password", "totpdevice__key", "auth_token_set__digest", "account__key__sealed"} <= set(paths(User))


def test_a_secret_is_not_found_letter_by_letter(staff):
    device = device_of(person("viewer", "ann"))
    right, wrong = device.key[:4], "zzzz"
    answers = [staff.get(listed(TOTPDevice), {"key__startswith": begin}) for begin in (right, wrong)]
    assert [answer.status_code for answer in answers] == [400, 400]


def test_what_a_list_shows_may_be_asked_for(staff):
    assert staff.get(listed(TOTPDevice), {"confirmed__exact": "1"}).status_code == 200
    assert staff.get(listed(User), {"is_staff__exact": "1"}).status_code == 200
    assert staff.get(listed(User), {"q": "ann"}).status_code == 200
