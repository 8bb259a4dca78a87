"""The second factor as people meet it: enrolled on their page, asked for at the door, and shown to nobody."""

import base64
import logging
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AuthToken

from apps.users.models import Audit
from apps.users.services import MOST_TOKENS
from apps.users.tests.codes import code_of, device_of, wrong_code_of
from apps.users.tests.people import PASSWORD
from apps.users.views import MeView
from ctweb.conf.api import rest_framework
from ctweb.tests.desk import Desk, Person, open_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings) -> Desk:
    return open_desk(settings)


def begin(who: Person, password: str = PASSWORD) -> str:
    return who.client.post("/me/", {"password": password}).content.decode()


def enrol(who: Person) -> None:
    begin(who)
    assert who.post("me/second-factor", {"code": code_of(who.user)}).status_code == 200


def sign_in(name: str, **fields: str) -> tuple[int, Client]:
    client = Client()
    return client.post("/login/", {"username": name, **fields}).status_code, client


def test_it_is_enrolled_with_password_picture_and_first_code(desk):
    text = begin(desk.vera)
    device = TOTPDevice.objects.get()
    (secret,) = re.findall(r'id="secret"[^>]*>([A-Z2-7 ]+)<', text)
    assert base64.b32decode(secret.replace(" ", "")) == device.bin_key
    assert 'src="data:image/svg+xml' in text
    assert desk.vera.get("me").json()["second_factor"] is False
    assert desk.vera.post("me/second-factor", {"code": code_of(desk.vera.user)}).json()["second_factor"] is True


def test_the_secret_is_shown_once_and_kept_by_no_browser(desk):
    answer = desk.vera.client.post("/me/", {"password": PASSWORD})
    assert "no-store" in answer.headers["Cache-Control"]
    assert 'id="secret"' in answer.content.decode()
    assert 'id="secret"' not in desk.vera.client.get("/me/").content.decode()


@pytest.mark.parametrize("password", ["", "guess", "\x00", "x" * 5000])
def test_without_the_password_nothing_is_begun(desk, password):
    assert "That is not your password." in begin(desk.vera, password)
    assert not TOTPDevice.objects.exists()


def test_a_form_of_another_page_begins_nothing(desk):
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.vera.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/me/", {"password": PASSWORD}).status_code == 403
    assert not TOTPDevice.objects.exists()


def test_one_that_is_there_is_not_replaced_without_its_code(desk):
    enrol(desk.vera)
    key = TOTPDevice.objects.get().key
    assert 'id="secret"' not in begin(desk.vera)
    assert TOTPDevice.objects.get().key == key


def test_one_takes_it_away_with_password_and_code(desk):
    enrol(desk.vera)
    right = {"password": PASSWORD, "code": code_of(desk.vera.user)}
    for body, field in (
        ({**right, "password": "guess"}, "password"),
        ({**right, "code": code_of(desk.vera.user, used=True)}, "code"),
        ({"password": PASSWORD}, "code"),
    ):
        assert list(desk.vera.delete("me/second-factor", body).json()) == [field]
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)  # the pause is over
    assert desk.vera.delete("me/second-factor", right).status_code == 204
    told = Audit.objects.get(action="second_factor.remove")
    assert (told.user, told.object, told.second_factor) == ("vera", "user vera", True)
    assert not TOTPDevice.objects.exists()


def test_who_has_one_signs_in_with_its_code_alone(desk):
    device_of(desk.oleg.user)
    right = code_of(desk.oleg.user)
    assert sign_in("oleg", password=PASSWORD)[0] == 200
    refused = sign_in("oleg", password=PASSWORD, code=wrong_code_of(desk.oleg.user))[1]
    assert refused.get("/api/v1/me").status_code == 401
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    code, client = sign_in("oleg", password=PASSWORD, code=right)
    assert (code, client.get("/api/v1/me").json()["name"]) == (302, "oleg")
    assert sign_in("oleg", password=PASSWORD, code=right)[0] == 200, "it was used"


def test_the_door_does_not_say_which_of_the_two_was_wrong(desk):
    device_of(desk.oleg.user)

    def told(password: str) -> str:
        text = Client().post("/login/", {"username": "oleg", "password": password, "code": "000000"}).content.decode()
        (line,) = re.findall(r'<p class="error"[^>]*>(.*?)</p>', text)
        return str(line)

    assert told("guess") == told(PASSWORD)


def test_who_has_one_makes_a_token_with_its_code(desk):
    assert desk.vera.post("tokens").status_code == 201
    device_of(desk.vera.user)
    right = code_of(desk.vera.user)
    for body in ({}, {"code": wrong_code_of(desk.vera.user)}):
        answer = desk.vera.post("tokens", body)
        assert (answer.status_code, list(answer.json())) == (400, ["code"])
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)  # the pause is over
    assert desk.vera.post("tokens", {"code": right}).status_code == 201
    told = Audit.objects.filter(action="token.create").order_by("change_id")
    assert [row.second_factor for row in told] == [False, True]
    assert AuthToken.objects.count() == 2


def test_a_token_too_many_uses_no_code_up(desk):
    for _ in range(MOST_TOKENS):
        desk.vera.post("tokens")
    body = desk.vera.coded()
    assert desk.vera.post("tokens", body).status_code == 409
    AuthToken.objects.all().delete()
    assert desk.vera.post("tokens", body).status_code == 201


def test_the_admin_has_no_door_of_its_own(desk):
    device_of(desk.olga.user)
    answer = Client().get("/admin/login/?next=/admin/users/user/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/admin/users/user/")
    fields = {"username": "olga", "password": PASSWORD}
    assert Client().post("/admin/login/", fields).headers["Location"] == "/login/"


def test_a_password_alone_is_no_longer_enough_by_http_basic(desk, monkeypatch):
    classes = rest_framework(basic=True)["DEFAULT_AUTHENTICATION_CLASSES"]
    monkeypatch.setattr(MeView, "authentication_classes", [import_string(name) for name in classes])
    header = {"Authorization": "Basic " + base64.b64encode(f"oleg:{PASSWORD}".encode()).decode()}
    assert Client().get("/api/v1/me", headers=header).status_code == 200
    device_of(desk.oleg.user)
    answer = Client().get("/api/v1/me", headers=header)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Who has a second factor uses a token."})


@pytest.fixture
def staff(desk, admin_user) -> Client:
    client = Client()
    client.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def admin_url(view: str, device: TOTPDevice) -> str:
    return reverse(f"admin:otp_totp_totpdevice_{view}", args=[device.pk])


def test_an_administrator_takes_away_somebody_elses_and_the_trail_tells(desk, staff, admin_user):
    device = device_of(desk.vera.user)
    assert staff.post(admin_url("delete", device), {"post": "yes"}).status_code == 302
    told = Audit.objects.get(action="second_factor.remove")
    assert (told.user, told.object) == (admin_user.username, "user vera")
    assert not TOTPDevice.objects.exists()


def test_nobody_takes_away_his_own_in_the_admin(staff, admin_user):
    device = device_of(admin_user)
    assert staff.post(admin_url("delete", device), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [device.pk], "post": "yes"}
    staff.post(reverse("admin:otp_totp_totpdevice_changelist"), chosen)
    assert TOTPDevice.objects.exists()


def test_neither_secret_nor_code_is_found_anywhere_but_where_it_was_shown(desk, staff, caplog):
    caplog.set_level(logging.DEBUG)
    enrol(desk.vera)
    used = code_of(desk.vera.user, used=True)
    device = TOTPDevice.objects.get()
    shown = [
        *(desk.vera.client.get(path).content.decode() for path in ("/me/", "/trading/risk/", "/api/v1/me")),
        *(desk.olga.get(path).content.decode() for path in ("audit", "me")),
        *(staff.get(admin_url(view, device)).content.decode() for view in ("change", "delete", "history")),
        staff.get(reverse("admin:otp_totp_totpdevice_changelist")).content.decode(),
        staff.get(reverse("admin:users_user_delete", args=[desk.vera.user.pk])).content.decode(),
        caplog.text,
    ]
    staff.post(admin_url("delete", device), {"post": "yes"})
    shown += [repr(list(LogEntry.objects.values())), repr(list(Audit.objects.values()))]
    secrets = (device.key, base64.b32encode(device.bin_key).decode(), base64.b64encode(device.bin_key).decode())
    assert [secret for secret in secrets if any(secret in text.replace(" ", "") for text in shown)] == []
    said = repr(list(Audit.objects.values("action", "object", "before", "after", "reason", "idempotency_key")))
    assert used not in said  # elsewhere a time or a digest may look like it


def test_a_picture_of_the_secret_has_no_address_of_its_own(desk, staff):
    device = device_of(desk.vera.user)
    for name in ("config", "qrcode"):
        assert staff.get(f"/admin/otp_totp/totpdevice/{device.pk}/{name}/").status_code in (302, 404), name
