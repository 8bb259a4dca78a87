"""The scanner sees each form of a secret, in part too, and takes nothing else for one."""

import base64
import secrets as chance
from urllib.parse import quote

import pytest

from tests.secrecy.canaries import Find, Scanner, credentials, secret

CANARY = secret("a canary")
WALLET = credentials("hyperliquid", "a wallet").secret
WRITTEN = {
    "as it is": lambda text: text,
    "in capitals": lambda text: text.upper(),
    "reversed": lambda text: text[::-1],
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "URL": lambda text: quote(text, safe=""),
    **{
        f"base64 behind {shift}": lambda text, shift=shift: base64.b64encode(b"ab"[:shift] + text.encode()).decode()
        for shift in range(3)
    },
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    return {"canary": CANARY, "wallet": WALLET}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", ["canary", "wallet"])
def test_a_secret_is_seen_in_each_form(secrets: dict[str, str], name: str, form: str):
    written = WRITTEN[form](secrets[name])
    for content in (written, f'{{"a": "{written}"}}'.encode(), b"\x00\xff" + written.encode() + b"\x00"):
        found = Scanner(secrets.items()).scan(content, "here")
        assert {find.secret for find in found} == {name}


@pytest.mark.parametrize("form", WRITTEN)
def test_eight_characters_of_it_are_seen_wherever_they_stand(secrets: dict[str, str], form: str):
    scanner = Scanner(secrets.items())
    for at in range(len(CANARY) - 8 + 1):
        assert scanner.scan(WRITTEN[form](CANARY[at : at + 8]), "here"), at


def test_seven_characters_and_digests_and_numbers_are_nothing(secrets: dict[str, str]):
    scanner = Scanner(secrets.items())
    assert scanner.scan(CANARY[:7], "here") == set()
    assert scanner.scan(" ".join(chance.token_hex(32) for _ in range(2_000)), "here") == set()
    assert scanner.scan("1795168800000 0.00012345 exchange received_ns", "here") == set()


def test_what_was_found_is_told_with_its_name_its_form_and_its_place(secrets: dict[str, str]):
    assert Scanner(secrets.items()).scan(f"Signed by {CANARY}", "web.log") == {Find("canary", "as it is", "web.log")}
    assert {one.form for one in Scanner(secrets.items()).scan(CANARY.encode().hex(), "x")} == {"hex"}


def test_what_was_found_once_is_found_again_elsewhere(secrets: dict[str, str]):
    scanner = Scanner(secrets.items())
    assert scanner.scan(CANARY, "one")
    assert scanner.scan(CANARY, "two")
