"""How often a password or a code may be wrong: five times, however many requests come at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.users import attempts
from apps.users.attempts import UNDER_WAY
from apps.users.models import User
from apps.users.tests.codes import code_of, device_of, wrong_code_of
from apps.users.tests.people import PASSWORD, person, with_password
from ctweb.tests.clients import stores_away

pytestmark = pytest.mark.django_db
AT_ONCE = 12
BACKEND = "django.contrib.auth.backends.ModelBackend"


class TogetherHasher(MD5PasswordHasher):
    """Each password is looked at when all that may be looked at beside it are there."""

    looked_at: list[str] = []
    together = threading.Barrier(AT_ONCE)

    def verify(self, password: str, encoded: str) -> bool:
        self.looked_at.append(password)
        with suppress(threading.BrokenBarrierError):  # those that are not there may not come
            self.together.wait(timeout=1)
        return super().verify(password, encoded)


@pytest.fixture
def ann(settings) -> User:
    stores_away(settings)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return with_password(person("trader", "ann"))


@pytest.fixture
def looked_at(settings, ann) -> list[str]:
    """The passwords that are looked at from now on, all at once."""
    settings.PASSWORD_HASHERS = [f"{__name__}.{TogetherHasher.__name__}"]
    TogetherHasher.looked_at, TogetherHasher.together = [], threading.Barrier(AT_ONCE)
    return TogetherHasher.looked_at


def sign_in(password: str = PASSWORD, **fields: str) -> int:
    return Client().post("/login/", {"username": "ann", "password": password, **fields}).status_code


def at_once(ask: Callable[[int], Any]) -> list[Any]:
    def asked(number: int) -> Any:
        try:
            return ask(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(asked, range(AT_ONCE)))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_wrong_passwords_at_once_five_are_looked_at(looked_at):
    at_once(lambda number: sign_in(f"guess {number}"))
    assert len(looked_at) == 5
    assert sign_in() == 429


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_confirmations_at_once_five_are_looked_at(ann, looked_at):
    clients = [Client() for _ in range(AT_ONCE)]
    for client in clients:
        client.force_login(ann, backend=BACKEND)
    body = {"password": "guess", "code": "000000"}
    at_once(lambda number: clients[number].delete("/api/v1/me/second-factor", body, content_type="application/json"))
    assert len(looked_at) == 5


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_right_passwords_at_once_are_all_let_in(ann, looked_at):
    assert at_once(lambda _: sign_in()) == [302] * AT_ONCE
    assert AccessAttempt.objects.filter(failures_since_start__gt=0).count() == 0


def test_a_right_password_costs_no_try(ann):
    client = Client()
    client.force_login(ann, backend=BACKEND)
    for _ in range(7):
        assert "not your password" not in client.post("/me/", {"password": PASSWORD}).content.decode()


@pytest.mark.parametrize("missing", [False, True])
def test_a_right_password_without_its_code_costs_what_a_wrong_one_does(ann, missing):
    device_of(ann)
    code = {} if missing else {"code": wrong_code_of(ann)}
    assert [sign_in(**code) for _ in range(5)] == [200] * 4 + [429]
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)  # its own pause is over
    assert sign_in(code=code_of(ann)) == 429


def test_password_and_code_together_are_let_in_and_forgive_what_was_wrong(ann):
    device_of(ann)
    for _ in range(3):
        assert [sign_in() for _ in range(3)] == [200] * 3
        assert sign_in(code=code_of(ann)) == 302


@pytest.mark.parametrize(("minutes", "code"), [(16, 302), (1, 200)])
def test_tries_of_a_process_that_was_killed_are_forgotten_like_wrong_passwords(ann, monkeypatch, minutes, code):
    monkeypatch.setattr(attempts, "PATIENCE_S", 0.1)
    row = AccessAttempt(username=f"ann{UNDER_WAY}", ip_address="127.0.0.1", user_agent="", failures_since_start=5)
    row.save()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=minutes))
    assert sign_in() == code


def test_neither_code_nor_next_password_is_written_down_with_a_wrong_password(ann):
    User.objects.update(is_staff=True)
    client = Client()
    client.force_login(ann, backend=BACKEND)
    new = {"new_password1": "canary two", "new_password2": "canary two"}
    client.post("/admin/password_change/", {"old_password": "canary one", **new})
    sign_in("canary three", code="918273")
    told = str(list(AccessAttempt.objects.values()))
    assert "/login/" in told
    assert "canary" not in told
    assert "918273" not in told
