"""Orders cancelled together, closing on a second confirmation, and lists that get no answer, in a real browser."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

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


def test_an_open_page_follows_what_others_set(open_page, system, desk):
    page = open_page("/trading/risk/")
    limits = page.locator("#set .limits")
    scope_id = str(desk.account)
    expect(limits).not_to_contain_text(f"account {scope_id}")
    reason = page.locator("form[data-form='/api/v1/risk/limits'] input[name=reason]")
    reason.fill("half written")
    body = {"scope": "account", "scope_id": scope_id, "name": "max_open_account", "value": "5"}
    system.post("/api/v1/risk/limits", body)
    expect(limits).to_contain_text(f"account {scope_id}")
    expect(reason).to_have_value("half written")
    page.locator("#live-switch").click()
    expect(page.locator("#live-on")).to_be_visible()


def test_execution_shows_accounts_processes_and_executors_at_work(open_page):
    page = open_page("/trading/executors/")
    expect(page.locator("#processes")).to_contain_text("daemon d1")
    expect(page.locator("#cares tbody tr").first).to_contain_text("daemon d1")
    expect(page.locator("#executors tbody tr[id]").first).to_be_visible()
    expect(page.locator("#work")).not_to_have_attribute("data-stale", "")


COUNT_READ = """
const text = Response.prototype.text;
window.read = 0;
Response.prototype.text = async function () {
  const found = await text.call(this);
  if (this.url.endsWith("/api/v1/intents/preview")) setTimeout(() => { window.read += 1; });
  return found;
};
"""


def test_a_review_that_comes_late_is_not_of_the_order_that_is_asked_for_now(open_page):
    page = open_page("/trading/orders/new/")
    page.add_init_script(COUNT_READ)
    page.reload()
    expect(page.locator("#state")).to_have_text("LIVE")
    page.locator("[name=type]").select_option("market")
    held = []
    page.route("**/api/v1/intents/preview", lambda route: held.append(route))
    page.locator("[name=amount]").fill("0.0001")
    with page.expect_request("**/api/v1/intents/preview"):
        page.locator("#look").click()
    page.locator("[name=amount]").fill("0.0002")
    await_that(lambda: page.evaluate("1") and held)
    held[0].continue_()
    await_that(lambda: page.evaluate("window.read") == 1)
    expect(page.locator("#review")).to_be_hidden()
    expect(page.locator("#place")).to_be_disabled()
    expect(page.locator("#refused")).to_be_hidden()
    page.unroute("**/api/v1/intents/preview")
    page.locator("#look").click()
    expect(page.locator("#review")).to_contain_text("0.0002 BTC")


def test_an_order_that_fails_late_frees_no_button_for_another_one(open_page, complaints):
    complaints.allowed |= {"ERR_FAILED"}
    page = open_page("/trading/orders/new/")
    expect(page.locator("#state")).to_have_text("LIVE")
    page.locator("[name=type]").select_option("market")
    page.locator("[name=amount]").fill("0.0001")
    held = []
    page.route("**/api/v1/intents", lambda route: held.append(route))
    await_that(lambda: reviewed(page), PATIENCE_S)
    with page.expect_request("**/api/v1/intents"):
        page.locator("#place").click()
    page.locator("[name=amount]").fill("0.0002")
    await_that(lambda: page.evaluate("1") and held)
    held[0].abort()
    expect(page.locator("#refused")).to_be_visible()
    expect(page.locator("#place")).to_be_disabled()


def reviewed(page: Page) -> bool:
    """Whether risk lets it through now; it may not, where a busy machine's books are too old."""
    with page.expect_response("**/api/v1/intents/preview"):
        page.locator("#look").click()
    expect(page.locator("#review")).to_be_visible()
    return page.locator("#place").is_enabled()


def test_a_refusal_is_not_shown_again_for_another_scope(open_page, system, complaints, going_on):
    complaints.allowed |= {"400"}
    system.post("/api/v1/risk/halt", {})
    page = open_page("/trading/risk/")
    page.locator("[data-resume='global:']").click()
    page.locator("#resume-form [name=reason]").fill("the drill is over")
    page.locator("#resume-form [name=password]").fill("guessed")
    page.locator("#resume-form .main").click()
    refused = page.locator("#resume-form [data-refused]")
    expect(refused).to_be_visible()
    page.locator("#resume-form [data-close]").click()
    page.locator("[data-resume='global:']").click()
    expect(refused).to_be_hidden()


def test_the_reason_of_a_halt_is_not_that_of_the_next_one(open_page, system, going_on):
    page = open_page("/trading/risk/")
    page.keyboard.press("Shift+H")
    reason = page.locator("#halt-form [name=reason]")
    reason.fill("the drill of today")
    page.locator("#halt-close").click()
    page.keyboard.press("Shift+H")
    expect(reason).to_have_value("")


def test_a_list_leads_to_the_login_page_once_the_session_is_over(open_page):
    page = open_page("/trading/orders/?show=all")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    page.context.clear_cookies()
    page.evaluate("document.body.dispatchEvent(new Event('trading-changed'))")
    expect(page).to_have_url(re.compile(r"/login/\?next=%2Ftrading%2Forders%2F%3Fshow%3Dall$"))
