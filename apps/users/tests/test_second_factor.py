"""Codes of second factors: each counts once, wrong ones cost time, and the secret stays where it was shown."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.users import second_factor
from apps.users.models import Audit, User
from apps.users.second_factor import CodeRefused
from apps.users.services import Actor
from apps.users.tests.codes import code_of, device_of, wrong_code_of
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return person("trader", "ann")


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 20, 12, 0, 7, tzinfo=UTC), tick=False) as found:
        yield found


def refusal(user: User, code: str) -> str:
    with pytest.raises(CodeRefused) as refused:
        second_factor.verify(user=user, code=code)
    return str(refused.value)


def test_a_device_counts_from_its_first_code_on(ann):
    device = second_factor.begin(ann)
    assert not second_factor.has_device(ann)
    assert "no second factor" in refusal(ann, code_of(ann))
    second_factor.confirm(user=ann, code=code_of(ann), actor=Actor(user="ann"))
    assert second_factor.has_device(ann)
    assert Audit.objects.get(action="second_factor.add").object == "user ann"
    assert TOTPDevice.objects.get().pk == device.pk


def test_a_wrong_first_code_enrols_nothing(ann):
    second_factor.begin(ann)
    with pytest.raises(CodeRefused):
        second_factor.confirm(user=ann, code=wrong_code_of(ann), actor=Actor(user="ann"))
    assert not second_factor.has_device(ann)
    assert not Audit.objects.exists()


def test_who_begins_again_has_another_secret_and_the_first_is_forgotten(ann):
    first = second_factor.begin(ann)
    assert second_factor.begin(ann).key != first.key
    assert TOTPDevice.objects.count() == 1


def test_who_has_one_begins_no_other(ann):
    device_of(ann)
    with pytest.raises(second_factor.Enrolled):
        second_factor.begin(ann)
    assert second_factor.has_device(ann)


def test_a_code_counts_once(ann, clock):
    device_of(ann)
    code = code_of(ann)
    second_factor.verify(user=ann, code=code)
    assert "used before" in refusal(ann, code)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_requests_with_one_code_one_is_let_through():
    ann = person("trader", "ann")
    device_of(ann)
    code = code_of(ann)

    def let_through(_: int) -> bool:
        try:
            second_factor.verify(user=ann, code=code)
        except CodeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(let_through, range(16))) == 1


def test_after_wrong_codes_even_the_right_one_waits_and_each_doubles_the_pause(ann, clock):
    device_of(ann)
    for pause_s in (1, 2, 4, 8):
        assert "not the code" in refusal(ann, wrong_code_of(ann))
        assert refusal(ann, code_of(ann)) == f"Too many wrong codes: try again in {pause_s} s."
        clock.shift(timedelta(seconds=pause_s))
    second_factor.verify(user=ann, code=code_of(ann))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", " 12345", "-12345", "1_2345", "1e5000"])
def test_what_is_no_code_is_refused_and_costs_nothing(ann, code):
    device_of(ann)
    assert refusal(ann, code) == "A code has six digits."
    assert TOTPDevice.objects.get().throttling_failure_count == 0


def test_who_has_none_is_let_through_unless_one_is_needed(ann):
    assert second_factor.prove(user=ann, code="", needed=False) is False
    with pytest.raises(CodeRefused, match="enrol one"):
        second_factor.prove(user=ann, code="", needed=True)
    with pytest.raises(CodeRefused, match="leave this out"):
        second_factor.prove(user=ann, code="123456", needed=False)


def test_who_has_one_is_asked_for_it(ann):
    device_of(ann)
    with pytest.raises(CodeRefused, match="needs the code"):
        second_factor.prove(user=ann, code="", needed=False)
    assert second_factor.prove(user=ann, code=code_of(ann), needed=False) is True


def test_neither_secret_nor_code_is_logged(ann, caplog):
    caplog.set_level(logging.DEBUG)
    device = second_factor.begin(ann)
    code = code_of(ann)
    second_factor.confirm(user=ann, code=code, actor=Actor(user="ann"))
    refusal(ann, code)
    text = second_factor.secret_text(device).replace(" ", "")
    assert "code refused" in caplog.text
    assert not [one for one in (device.key, text, code) if one in caplog.text or one in repr(device)]


def test_at_the_host_it_is_taken_away_by_name_with_a_reason(ann):
    device_of(ann)
    call_command("remove_second_factor", "--user", "ann", "--reason", "lost")
    told = Audit.objects.get(action="second_factor.remove")
    assert (told.object, told.reason, told.user) == ("user ann", "lost", "manage.py remove_second_factor")
    with pytest.raises(CommandError, match="ann has no second factor"):
        call_command("remove_second_factor", "--user", "ann", "--reason", "lost")
