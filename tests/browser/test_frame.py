"""What holds on every page."""

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.processes import Web

BOOK = "/book/binance/spot/BTC-USDT/"
PAGES = ["/fleet/", "/pairs/", BOOK]
ADMIN = ["/admin/", "/admin/monitoring/monitoring/", "/admin/monitoring/monitoring/add/", "/admin/users/user/"]
SCRIPTS = 150 * 1024
STYLES = 20 * 1024
PAGE = 60 * 1024
SPARE_MS = 3000  # for a machine that is busy


@pytest.mark.parametrize("path", [*PAGES, *ADMIN, "/login/"])
def test_a_page_breaks_no_content_policy_and_complains_of_nothing(open_page, path):
    page = open_page(path)
    page.wait_for_load_state("networkidle" if path in (*ADMIN, "/login/") else "load")
    if path in PAGES:
        expect(page.locator("#link")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize("path", PAGES)
def test_scripts_styles_and_the_page_itself_are_small(open_page, path):
    sizes: dict[str, int] = {"script": 0, "stylesheet": 0, "document": 0}
    page = open_page("/login/")
    page.on(
        "response",
        lambda one: (
            one.request.resource_type in sizes
            and sizes.update(
                {one.request.resource_type: sizes[one.request.resource_type] + len(gzip.compress(one.body()))}
            )
        ),
    )
    page.goto(path)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    assert sizes["script"] < SCRIPTS
    assert sizes["stylesheet"] < STYLES
    assert sizes["document"] < PAGE


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_complete_and_readable_without_scripts(open_page, path):
    page = open_page(path, java_script_enabled=False)
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("#source")).to_have_text("SIMULATED market, no exchange is connected")
    expect(page.locator("#counts")).to_contain_text("live")
    if path == BOOK:
        expect(page.locator(".asks .lv").first).to_contain_text("8")
    else:
        expect(page.locator(".tile, #rows .row").first).to_be_visible()


def test_each_page_says_that_it_is_paper_and_simulated(open_page):
    page = open_page("/fleet/")
    expect(page.locator(".pill")).to_have_text("PAPER · no order leaves this host")
    expect(page.locator("#source")).to_have_text("SIMULATED market, no exchange is connected")


@pytest.mark.parametrize(("scheme", "colour"), [("dark", "rgb(10, 13, 18)"), ("light", "rgb(243, 245, 248)")])
def test_the_theme_follows_the_system_unless_chosen(open_page, scheme, colour):
    page = open_page("/fleet/", color_scheme=scheme)
    expect(page.locator("body")).to_have_css("background-color", colour)
    other = {"dark": "light", "light": "dark"}[scheme]
    page.locator(".menu summary").click()
    page.locator(f"[data-theme-choice={other}]").click()
    expect(page.locator("body")).not_to_have_css("background-color", colour)
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == other


def test_a_lost_link_dims_the_page_within_three_and_a_half_seconds_and_heals_by_itself(open_page, system):
    page = open_page(BOOK)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    expect(page.locator("#state")).to_have_text("LIVE")  # a book has come, which grows old
    web = Web(system.folder.run / "supervisord.pid")
    web.pause()
    try:
        expect(page.locator("#link")).to_have_attribute("data-state", "lost", timeout=3500 + SPARE_MS)
        expect(page.locator("#lost")).to_contain_text("Link lost")
        expect(page.locator("#state")).to_have_text("NO LINK")
        first = page.locator("#age").inner_text()
        expect(page.locator("#age")).not_to_have_text(first)  # ages go on by the browser's own clock
    finally:
        web.resume()
    expect(page.locator("#link")).to_have_attribute("data-state", "live", timeout=60_000)
    expect(page.locator("#state")).to_have_text("LIVE")
    expect(page.locator("#lost")).to_be_hidden()


def test_a_hidden_tab_gets_no_books(open_page, system):
    page = open_page("/login/")
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(str(data))))
    page.add_init_script("Object.defineProperty(Document.prototype, 'hidden', { get: () => window.away === true })")
    page.goto(BOOK)
    expect(page.locator("#state")).to_have_text("LIVE")
    page.evaluate("window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
    for _ in range(60):
        frames.clear()
        page.wait_for_timeout(2500)
        if frames and not [frame for frame in frames if '"b":' in frame]:
            break  # what was on its way has come, and no more does
    else:
        pytest.fail("books go on")
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")


def test_keys_lead_from_page_to_page(open_page):
    page = open_page("/fleet/")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/pairs/")
    page.goto("/fleet/")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    page.locator("#goto-words").fill("eth okx f")
    expect(page.locator("#goto-found li").first).to_contain_text("OKX futures")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/okx/futures/**")


def test_vendored_files_are_what_their_sums_say():
    vendor = Path(__file__).parents[2] / "ctweb/static/vendor"
    listed = dict(reversed(line.split("  ")) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    there = {str(file.relative_to(vendor)) for file in vendor.rglob("*") if file.is_file()} - {"SHA256SUMS"}
    assert there == listed.keys()
    for name, digest in listed.items():
        assert _sha256(vendor / name) == digest


def _sha256(file: Path) -> str:
    from hashlib import sha256

    return sha256(file.read_bytes()).hexdigest()
