"""What must fit a screen of 1440 by 900 while all exchanges are there."""

from playwright.sync_api import expect

LEAST = 130  # pixels of a panel that is of use


def test_a_pair_of_all_exchanges_leaves_room_for_every_panel_of_its_book(open_page):
    """Trades, the same pair elsewhere and the edges share a column: what does not fit scrolls in its panel."""
    page = open_page("/book/binance/spot/BTC-USDT/")
    expect(page.locator("#elsewhere tbody tr")).to_have_count(14)
    panels = [page.locator(f".right .{name}").bounding_box() for name in ("tape", "elsewhere", "edge")]
    ladder = page.locator(".book .ladder").bounding_box()
    assert all(panel["height"] >= LEAST for panel in panels)
    ends = [panel["y"] + panel["height"] for panel in panels]
    assert ends[0] <= panels[1]["y"]
    assert ends[1] <= panels[2]["y"]
    assert ends[2] <= ladder["y"] + ladder["height"] + 1
    last = page.locator("#edges tbody tr:last-child td:last-child")
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()


def test_the_longest_name_of_an_exchange_is_whole_in_the_table_of_pairs(open_page):
    page = open_page("/pairs/")
    page.locator("#words").fill("hyperliquid")
    name = page.locator('.row[data-key^="hyperliquid:"] .exchange').first
    expect(name).to_have_text("Hyperliquid")
    assert name.evaluate("node => node.scrollWidth <= node.clientWidth")
