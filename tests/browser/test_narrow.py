"""The pages on a telephone: nothing to push sideways, and what must be on every page is there."""

import pytest
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}
PAGES = ["/fleet/", "/pairs/", "/book/okx/spot/BTC-USDT/"]
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
WHOLE = ".top *, .notice *, .figures *, .books *, .daemon *, .infra *, .book > .head *, .ladder > :not(.side), .lv *"
FORMS = ".panel, .panel > header *, form *, dl *, #header *"
CUT_OFF = """(selector) => [...document.querySelectorAll(selector)]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.className || one.textContent)"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_telephone(open_page, path):
    page = open_page(path)
    page.set_viewport_size(PHONE)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate(CUT_OFF, WHOLE) == []
    expect(page.get_by_text("PAPER")).to_be_visible()
    expect(page.locator("#source")).to_be_visible()


@pytest.mark.parametrize("path", ["/trading/accounts/1/", "/trading/orders/", "/trading/orders/new/", "/admin/"])
def test_nothing_of_a_page_of_forms_is_cut_off_on_a_telephone(open_page, path):
    """Tables may be pushed sideways within their panel; panels, their heads and forms may not."""
    page = open_page(path)
    page.set_viewport_size(PHONE)
    expect(page.get_by_text("PAPER").first).to_be_visible()
    assert page.evaluate(CUT_OFF, FORMS) == []


def test_the_fleet_counts_on_a_telephone_and_shows_no_tiles(open_page):
    page = open_page("/fleet/")
    page.set_viewport_size(PHONE)
    expect(page.locator(".tile:visible")).to_have_count(0)
    expect(page.locator('.market[data-exchange="okx"][data-market="spot"] .pairs')).to_have_text("3")


def test_the_ladder_moves_on_a_telephone(open_page):
    page = open_page("/book/okx/spot/BTC-USDT/")
    page.set_viewport_size(PHONE)
    assert page.locator(".ladder .cols > span:visible").all_inner_texts() == ["Price USDT", "Size BTC", "Total BTC"]
    best = page.locator(".bids .lv").first
    expect(best.locator(".v:visible")).to_have_count(2)
    size, total = best.locator(".v:visible").all_inner_texts()
    assert float(size) == pytest.approx(float(total), rel=1e-3)  # the first level's total is its own size
    expect(best.locator(".p")).to_be_visible()
    before = best.inner_text()
    expect(best).not_to_have_text(before)
