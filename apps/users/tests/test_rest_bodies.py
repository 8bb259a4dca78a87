from io import BytesIO

import pytest
from rest_framework.exceptions import ParseError

from apps.users.rest.parsers import StrictJSONParser, TooLarge


def parse(body: bytes):
    return StrictJSONParser().parse(BytesIO(body))


def test_a_body_of_json_is_read():
    assert parse('{"pair": "BTC/USDT", "depth": 20, "wörd": [1.5, null, true]}'.encode()) == {
        "pair": "BTC/USDT",
        "depth": 20,
        "wörd": [1.5, None, True],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"pair=BTC",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e309}',
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b'{"a": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"1" * 5_000,
    ],
)
def test_what_is_not_json_is_refused(body):
    with pytest.raises(ParseError):
        parse(body)


def test_a_body_over_a_megabyte_is_too_large(settings):
    with pytest.raises(TooLarge):
        parse(b'"' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"')
