"""Orders cancelled together, closing on a second confirmation, and lists that get no answer, in a real browser."""

import uuid

import pytest
from playwright.sync_api import expect

from apps.feeds.tests.waiting import await_that
from bench.system import System

NEAR = 0.985  # within the collar, and nowhere near a fill
PATIENCE_S = 120
PAIR = "BTC/USDT"


class Desk:
    """Trades by REST on the default paper account of Binance spot."""

    def __init__(self, system: System) -> None:
        self._system = system
        accounts = system.get("/api/v1/accounts?limit=100")["results"]
        home = ("binance", "spot", "paper")
        named = [each for each in accounts if (each["exchange"], each["market_type"], each["mode"]) == home]
        self.account = next(each["id"] for each in named if each["is_default"])

    def rest(self, amount: str) -> None:
        """Have an order that rests; risk may refuse some before, where a busy machine's books are too old."""
        await_that(lambda: self._rests(amount), PATIENCE_S)

    def _rests(self, amount: str) -> bool:
        body = {"key": uuid.uuid4().hex, "account": self.account, "pair": PAIR, "side": "buy", "amount": amount}
        intent = self._system.post("/api/v1/intents", {**body, "price": self.price()})["id"]
        await_that(lambda: self._came_to(intent) not in ("NEW", "SENDING"))
        return self._came_to(intent) == "WORKING"

    def price(self) -> str:
        await_that(lambda: self._system.books().get("live", 0) > 0)
        book = self._system.get("/orderbook/binance/BTC-USDT?depth=1")
        return str(int(book["bids"][0][0] * NEAR))

    def _came_to(self, intent: int) -> str:
        found = self._system.get(f"/api/v1/intents/{intent}")
        return str(found["result"] or found["state"])


@pytest.fixture
def desk(system: System) -> Desk:
    return Desk(system)


def test_all_orders_that_are_shown_are_cancelled_after_their_number_was_told(open_page, desk):
    for amount in ("0.0006", "0.0007"):
        desk.rest(amount)
    page = open_page(f"/trading/orders/?account={desk.account}")
    rows = page.locator("#orders tr[data-cancel]")
    expect(rows).to_have_count(2)
    page.locator("#cancel-shown").press("Enter")
    expect(page.locator("#cancel-count")).to_have_text("2 orders")
    expect(page.locator("#cancel-list")).to_contain_text("2 × BTC/USDT")
    expect(page.locator("#cancel-now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#orders tr[data-status]")).to_have_count(0)
    expect(page.locator("#cancel-shown")).to_be_disabled()


def test_closing_what_is_held_needs_a_reason_a_password_and_a_word(open_page, system, going_on):
    page = open_page("/trading/positions/")
    page.keyboard.press("Shift+H")
    page.locator("#halt-form [name=mode]").select_option("flatten")
    expect(page.locator("#halt-left li").first).to_be_visible()
    button = page.locator("#halt-now")
    for name, text in (("reason", "the drill of today"), ("password", system.login[1]), ("word", "FLATTEN")):
        expect(button).to_be_disabled()
        page.locator(f"#halt-form [name={name}]").fill(text)
    button.click()
    page.wait_for_url("**/trading/risk/")
    expect(page.locator("#report")).to_contain_text("no further than 1 % from the best price")
    (row,) = system.get("/api/v1/risk/states?scope=global")["results"]
    assert (row["state"], row["mode"], row["reason"]) == ("HALTED", "flatten", "the drill of today")


def test_a_list_that_gets_no_answer_says_so_and_recovers(open_page, complaints):
    complaints.allowed |= {"ERR_FAILED", "htmx:error"}
    page = open_page("/trading/risk/")
    now = page.locator("#now")
    expect(now).not_to_have_attribute("data-stale", "")
    page.route("**/trading/risk/now/", lambda route: route.abort())
    expect(now).to_have_attribute("data-stale", "")
    assert "STALE" in (now.get_attribute("data-age") or "")
    page.unroute("**/trading/risk/now/")
    expect(now).not_to_have_attribute("data-stale", "")


def test_execution_shows_accounts_processes_and_executors_at_work(open_page):
    page = open_page("/trading/executors/")
    expect(page.locator("#processes")).to_contain_text("daemon d1")
    expect(page.locator("#cares tbody tr").first).to_contain_text("daemon d1")
    expect(page.locator("#executors tbody tr[id]").first).to_be_visible()
    expect(page.locator("#work")).not_to_have_attribute("data-stale", "")
