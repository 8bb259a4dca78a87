"""The pages of trading in a real browser: an order by hand from review to cancel, and the button that stops all."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.halts import resume

PAGES = [
    *("/trading/orders/", "/trading/orders/new/", "/trading/accounts/", "/trading/accounts/new/"),
    *("/trading/positions/", "/trading/risk/", "/trading/executors/"),
]
PATIENCE_MS = 60_000
TRIES = 20
TOO_SLOW = ("RISK_DENIED", "EXPIRED", "REJECTED", "NOT_PLACED")
NEAR = 0.985  # within the collar, and nowhere near a fill
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_the_pages_of_trading_break_no_content_policy_and_complain_of_nothing(open_page):
    page = open_page("/trading/orders/")
    for path in PAGES:
        page.goto(path)
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        expect(page.locator("#halt")).to_contain_text("HALT")


def test_an_order_by_hand_is_reviewed_placed_watched_and_cancelled(open_page, system):
    """Where a slow machine lets it grow too old on its way, the page says that, and there is nothing to cancel."""
    page = open_page("/trading/orders/new/")
    review(page)
    came_to = placed(page)
    newest = system.get("/api/v1/intents?limit=1")["results"][0]
    assert came_to in (newest["result"] or newest["state"])
    assert (newest["pair"], newest["amount"], newest["mode"], newest["strategy"]) == (
        *("BTC/USDT", "0.001", "paper"),
        "manual",
    )
    if came_to != "WORKING":
        assert came_to in TOO_SLOW
        return
    page.locator("#orders tr[data-status=OPEN] [data-post]").first.click()
    expect(page.locator("#orders tr[data-status=OPEN]")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator("#last .os").first).to_have_text("CANCELLED", timeout=PATIENCE_MS)
    page.goto("/trading/orders/?show=all")
    page.locator("#orders tr[data-status=CANCELLED] a.id").first.click()
    expect(page.locator("h1")).to_contain_text("ct0")


def review(page: Page) -> None:
    """Until risk would let the order through: a busy machine's books are at times too old for it."""
    for _ in range(TRIES):
        expect(page.locator("#state")).to_have_text("LIVE", timeout=PATIENCE_MS)
        page.locator("#levels .bids tr").first.click()
        best = float(page.locator("[name=price]").input_value())
        page.locator("[name=price]").fill(str(int(best * NEAR)))
        page.locator("[name=amount]").fill("0.001")
        page.locator("#look").click()
        expect(page.locator("#review")).to_be_visible(timeout=PATIENCE_MS)
        if page.locator("#place").is_enabled():
            return
    pytest.fail(page.locator("#refused").inner_text())


def placed(page: Page) -> str:
    """What the order that is placed now comes to."""
    latest = page.locator("#last li").first
    before = latest.get_attribute("id") or "none yet"
    page.locator("#place").click()
    expect(latest).not_to_have_attribute("id", before, timeout=PATIENCE_MS)
    state = page.locator("#last .os").first
    expect(state).to_have_text(re.compile("^(?!NEW|SENDING)"), timeout=PATIENCE_MS)
    return state.inner_text()


def test_two_keys_halt_everything_from_any_page_and_a_person_with_a_password_goes_on(open_page, system, going_on):
    page = open_page("/fleet/")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    page.keyboard.press("Shift+H")
    expect(page.locator("#halt-now")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/trading/risk/")
    expect(page.locator("#report h2")).to_contain_text("HALTED")
    expect(page.locator("#verdict")).to_contain_text("all confirmed", timeout=PATIENCE_MS)
    page.goto("/pairs/")
    expect(page.locator("#halt")).to_contain_text("HALTED")
    expect(page.locator("#halted")).to_contain_text("by admin")
    expect(page).to_have_title(re.compile("^■ HALTED .*Pairs$"))
    page.goto("/trading/risk/")
    resume(page, system)
    expect(page.locator("#halt")).not_to_contain_text("HALTED")


@pytest.mark.parametrize("width", [320, 390])
def test_a_telephone_without_scripts_halts_everything(open_page, going_on, width):
    page = open_page("/halt/", java_script_enabled=False)
    page.set_viewport_size({"width": width, "height": 700})
    expect(page.locator("h1")).to_contain_text("Trading is on")
    for target in page.locator("a, button, input:not([type=hidden])").all():
        assert target.bounding_box()["height"] >= 44
    page.locator("#halt-now").click()
    expect(page.locator("h1")).to_contain_text("HALTED")


def test_the_page_with_the_button_fits_a_telephone(open_page):
    page = open_page("/halt/")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate(SIDEWAYS) == 0
