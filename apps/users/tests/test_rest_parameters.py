from datetime import UTC, datetime

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.users.rest.parameters import choice, moment, refuse_unknown, whole_number, word, yes_or_no

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def request(**parameters: str) -> Request:
    return Request(APIRequestFactory().get("/", parameters))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T13:00:00+03:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T13:00:00 03:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00.123456Z", datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)),
        ("1795168800000", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("-2h", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("-30m", datetime(2026, 11, 20, 11, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_iso_or_milliseconds_or_ago(text, found):
    assert moment(request(since=text), "since", now=NOW) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "NaN", "-1", "1e12", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00", "2026-02-30T00:00:00Z"),
        *(
            "-999999d",
            "-2w",
            "١٢",
            "253402300800000",
            "9" * 18,
            "2026-11-20T25:00:00Z",
            "2026-11-20T10:00:00+99:00",
            "\0",
        ),
    ],
)
def test_what_is_no_moment_is_refused_by_name(text):
    with pytest.raises(ValidationError) as refused:
        moment(request(since=text), "since", now=NOW)
    assert set(refused.value.detail) == {"since"}


@pytest.mark.parametrize("text", ["", "-1", "1001", "1.0", "1e2", " 1", "NaN", "١٢", "0x10", "1_0", "9" * 40])
def test_what_is_no_count_within_bounds_is_refused(text):
    with pytest.raises(ValidationError):
        whole_number(request(limit=text), "limit", default=1, least=0, most=1000)


def test_an_absent_count_is_its_default():
    assert whole_number(request(), "limit", default=7, least=0, most=1000) == 7


@pytest.mark.parametrize("text", ["a\0b", "x" * 101, "line\nbreak", "\x1b[31m"])
def test_a_word_is_short_and_printable(text):
    with pytest.raises(ValidationError):
        word(request(q=text), "q")


def test_a_choice_is_one_of_its_options():
    assert choice(request(state="on"), "state", ("on", "off")) == "on"
    with pytest.raises(ValidationError):
        choice(request(state="On"), "state", ("on", "off"))


@pytest.mark.parametrize(("text", "found"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_yes_or_no(text, found):
    assert yes_or_no(request(enabled=text), "enabled") is found


def test_a_parameter_that_nobody_reads_is_refused():
    with pytest.raises(ValidationError, match="Unknown parameter"):
        refuse_unknown(request(exchagne="okx"), ("exchange",))
