"""A whole system as `make run` starts it, and a Chromium in front of it.

Whatever a page complains about on its console (content policy included), throws, fails to load or fetches from
elsewhere fails the test that opened it; a screenshot of it is kept in the test's folder.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.system import STARTER_SET, System
from tests.browser.halts import resume
from tests.browser.processes import Daemon
from tests.fixtures.ports import free_port

CHROMIUM = Path("/usr/bin/chromium")
SIZE = {"width": 1440, "height": 900}
PATIENCE_MS = 60_000  # for what must come about: a machine may be busy
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.processes)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("browser"), free_port()) as running:
        running.wait("the starter set", lambda: running.books().get("live") == STARTER_SET)
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(system: System, chromium: Browser) -> Any:
    """The cookies of the folder's own administrator."""
    name, password = system.login
    context = chromium.new_context(base_url=system.url)
    page = context.new_page()
    page.goto("/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.click("button")
    page.wait_for_url("**/fleet/")
    state = context.storage_state()
    context.close()
    return state


@dataclass
class Complaints:
    origin: str
    allowed: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", lambda one: one.type in ("error", "warning") and self.add(one.text))
        page.on("pageerror", lambda error: self.add(f"thrown: {error}"))
        page.on("response", lambda one: one.status >= 400 and self.add(f"{one.status} {one.url}"))
        page.on("request", lambda one: self._elsewhere(one.url) and self.add(f"left our origin: {one.url}"))

    def add(self, text: str) -> None:
        if not any(words in text for words in self.allowed):
            self.found.append(text)

    def _elsewhere(self, url: str) -> bool:
        return not url.startswith((self.origin, "data:", "blob:"))


@pytest.fixture
def complaints(system: System) -> Complaints:
    """What the page complained of; a test that provokes something adds its words to `allowed`."""
    return Complaints(system.url)


@pytest.fixture
def open_page(
    system: System, chromium: Browser, signed_in: Any, complaints: Complaints, tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_at(path: str, **options: Any) -> Page:
        context = chromium.new_context(base_url=system.url, viewport=SIZE, storage_state=signed_in, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        complaints.listen(page)
        page.goto(path)
        return page

    yield open_at
    for number, context in enumerate(contexts):
        if complaints.found:
            context.pages[0].screenshot(path=tmp_path / f"{number}.png")
        context.close()
    assert complaints.found == []


@pytest.fixture
def daemon(system: System) -> Iterator[Daemon]:
    """The daemon's process, which a test may stop; it goes on afterwards."""
    found = Daemon(system.folder.run / "supervisord.pid")
    yield found
    found.resume()
    system.wait("all books", lambda: system.books().get("live", 0) >= STARTER_SET)


@pytest.fixture
def going_on(system: System, open_page: Callable[..., Page]) -> Iterator[None]:
    """Whatever was halted goes on afterwards, for the sake of other tests."""
    yield
    page = open_page("/trading/risk/")
    if page.locator("[data-resume='global:']").count():
        resume(page, system)
