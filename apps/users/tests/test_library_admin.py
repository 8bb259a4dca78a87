"""Pages that libraries bring along: nothing of people, tokens and roles is changed there without a row in the trail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AuthToken

from apps.users.models import Audit, User
from apps.users.tests.codes import device_of
from apps.users.tests.people import person, superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(settings) -> Client:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]
    client = superuser()
    AccessLog.objects.all().delete()  # that of this client
    return client


def seen(model: type[Model], **values: Any) -> Model:
    """A row of who came to the door."""
    who = {"username": "ann", "ip_address": "127.0.0.1", "user_agent": "x", "attempt_time": timezone.now()}
    row: Model = model._base_manager.create(**{**who, **values})
    return row


ROWS: dict[type[Model], Callable[[User], Model]] = {
    Group: lambda _: Group.objects.get(name="trader"),
    AuthToken: lambda ann: AuthToken.objects.create(user=ann, expiry=timedelta(days=1))[0],
    TOTPDevice: device_of,
    AccessAttempt: lambda _: seen(AccessAttempt, failures_since_start=5),
    AccessLog: lambda _: seen(AccessLog),
    AccessFailureLog: lambda _: seen(AccessFailureLog),
}
TOLD = {  # what the trail says of a row that was taken away; of the others none is
    AuthToken: "token.revoke",
    TOTPDevice: "second_factor.remove",
    AccessAttempt: "user.unlock",
}


def url(model: type[Model], view: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def test_every_page_of_a_library_is_looked_at_here():
    ours = ("users", "feeds", "monitoring", "trading")
    assert {model for model in admin.site._registry if model._meta.app_label not in ours} == set(ROWS)


@pytest.mark.parametrize("model", ROWS)
def test_there_nothing_is_made_or_changed(staff, model):
    row = ROWS[model](person("viewer", "ann"))
    before = list(model._base_manager.values())
    asked = {"name": "viewer2", "user": row.pk, "username": "eve", "expiry_0": "2030-01-01", "expiry_1": "10:00:00"}
    assert staff.get(url(model, "add")).status_code == 403
    assert staff.post(url(model, "add"), asked).status_code == 403
    assert staff.post(url(model, "change", row.pk), asked).status_code == 403
    staff.post(url(model, "changelist"), {"action": "cleanup_expired_attempts", "_selected_action": [row.pk]})
    assert list(model._base_manager.values()) == before
    assert not Audit.objects.exists()


@pytest.mark.parametrize("way", ["its page", "the list"])
@pytest.mark.parametrize("model", ROWS)
def test_what_is_taken_away_there_leaves_its_row_in_the_trail(staff, model, way):
    row = ROWS[model](person("viewer", "ann"))
    if way == "its page":
        staff.post(url(model, "delete", row.pk), {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        staff.post(url(model, "changelist"), chosen)
    gone = not model._base_manager.filter(pk=row.pk).exists()
    told = list(Audit.objects.values_list("user", "action"))
    assert (gone, told) == ((True, [("root", TOLD[model])]) if model in TOLD else (False, []))


def test_the_trail_says_whose_token_was_ended(staff):
    token, _ = AuthToken.objects.create(user=person("viewer", "ann"), expiry=timedelta(days=1))
    staff.post(url(AuthToken, "delete", token.pk), {"post": "yes"})
    row = Audit.objects.get()
    assert (row.object, row.before["user"]) == (f"token {token.token_key}", "ann")


def test_a_permission_that_somebody_is_given_is_told(staff):
    ann = person("viewer", "ann")
    given = Permission.objects.get(codename="delete_user")
    joined = {"date_joined_0": "2026-11-20", "date_joined_1": "10:00:00"}
    staff.post(url(User, "change", ann.pk), {"username": "ann", "user_permissions": [given.pk], **joined})
    row = Audit.objects.get()
    assert (row.before["permissions"], row.after["permissions"]) == ([], ["delete_user"])
