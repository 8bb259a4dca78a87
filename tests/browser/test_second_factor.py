"""A second factor in a real browser: enrolled by keyboard, asked for before a release, and taken away again."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django_otp.oath import hotp
from playwright.sync_api import expect

from bench.system import System
from tests.fixtures.captures import ROOT

STEP_S = 30


class Telephone:
    """Shows one code after the other without waiting: its clock is taken to be ahead, as the server allows for."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b32decode(secret.replace(" ", ""))
        self._last = self._ahead = 0

    def code(self) -> str:
        now = int(time.time()) // STEP_S
        self._last = max(now + self._ahead, self._last + 1)
        self._ahead = self._last - now
        return f"{hotp(self._key, self._last):06d}"


@pytest.fixture
def alone_again(system: System) -> Iterator[None]:
    """Whatever becomes of the test: others sign in with the password alone."""
    yield
    command = [sys.executable, "manage.py", "remove_second_factor", "--user", system.login[0], "--reason", "over"]
    environment = {**os.environ, "CT_DATA_DIR": str(system.folder.root)}
    subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, timeout=120)


def test_a_second_factor_is_enrolled_by_keyboard_and_asked_for_before_a_release(
    open_page, system, going_on, alone_again
):
    page = open_page("/me/")
    page.locator("#begin [name=password]").focus()
    page.keyboard.type(system.login[1])
    page.keyboard.press("Enter")
    expect(page.locator(".qr")).to_be_visible()
    telephone = Telephone(page.locator("#secret").inner_text())
    expect(page.locator("#first-code [name=code]")).to_be_focused()
    page.keyboard.type(telephone.code())
    page.keyboard.press("Enter")
    expect(page.locator("#second-factor header")).to_contain_text("enrolled")

    page.keyboard.press("Shift+H")
    page.keyboard.press("Enter")
    page.wait_for_url("**/trading/risk/")
    page.locator("[data-resume='global:']").click()
    form = page.locator("#resume-form")
    for name, text in (("reason", "the drill is over"), ("password", system.login[1]), ("code", telephone.code())):
        form.locator(f"[name={name}]").fill(text)
    form.locator(".main").click()
    expect(page.locator("#switches li").first.locator(".rs")).to_have_text("ACTIVE")

    page.goto("/me/")
    form = page.locator("#second-factor form")
    form.locator("[name=password]").fill(system.login[1])
    form.locator("[name=code]").fill(telephone.code())
    form.locator("button").click()
    expect(page.locator("#begin")).to_be_visible()
