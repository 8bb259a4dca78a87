"""A desk at work, for its pictures: paper accounts that have traded, one at the simulator, and then a halt."""

import uuid
from collections.abc import Iterable
from functools import partial

from playwright.sync_api import Page

from bench.system import System

SPOKEN_MS = 3000  # the socket has said everything once, and what was pressed has happened
LISTED = "/api/v1/accounts?limit=100"
BUYS = (("binance", "BTC/USDT", "0.0009"), ("okx", "ETH/USDT", "0.012"), ("kucoin", "SOL/USDT", "0.3"))
RESTING = (("binance", "BTC/USDT", "0.0006"), ("bybit", "ETH/USDT", "0.02"), ("mexc", "SOL/USDT", "0.2"))
NEAR = 0.985  # within the collar, and nowhere near a fill
TRIES = 20  # risk refuses what comes while a busy machine's books are too old


def orders(page: Page, system: System) -> None:
    """Some orders filled and some at work."""
    begin(system)
    alive(system)
    page.goto("/trading/orders/?show=all")
    page.wait_for_timeout(SPOKEN_MS)


def new_order(page: Page, system: System) -> None:
    """One that was reviewed and not placed yet."""
    begin(system)
    alive(system)
    page.goto("/trading/orders/new/")
    page.wait_for_timeout(SPOKEN_MS)
    page.locator("#levels .bids tr").first.click()
    page.fill("[name=amount]", "0.0007")
    page.click("#look")
    page.wait_for_selector("#review:not([hidden])")


def positions(page: Page, system: System) -> None:
    begin(system)
    alive(system)
    page.goto("/trading/positions/")
    page.wait_for_timeout(SPOKEN_MS)


def execution(page: Page, system: System) -> None:
    begin(system)
    alive(system)
    page.goto("/trading/executors/")
    page.wait_for_timeout(SPOKEN_MS)


def risk(page: Page, system: System) -> None:
    """Everything was just halted, and what rested is cancelled."""
    begin(system)
    alive(system)
    page.goto("/trading/risk/")
    page.keyboard.press("Shift+H")
    page.fill("#halt-form [name=reason]", "a drill")
    page.keyboard.press("Enter")
    page.wait_for_selector("#report")
    page.wait_for_timeout(SPOKEN_MS)


def second_factor(page: Page, system: System) -> None:
    """Begun, with the picture to scan: its secret ends with the folder."""
    page.goto("/me/")
    page.fill("[name=password]", system.login[1])
    page.keyboard.press("Enter")
    page.wait_for_selector("#secret")
    page.wait_for_timeout(SPOKEN_MS)


def halt(page: Page, system: System) -> None:
    """The page for a telephone, while everything is halted."""
    page.set_viewport_size({"width": 390, "height": 420})
    page.goto("/halt/")


def begin(system: System) -> None:
    """Once: an account at the simulator with its key, orders that fill, orders that rest."""
    if system.get("/api/v1/orders?limit=1")["results"]:
        return
    home = {"exchange": "binance", "market_type": "spot", "mode": "testnet", "desk": True}
    made = system.post("/api/v1/accounts", {"name": "simulator", **home})
    system.post(f"/api/v1/accounts/{made['id']}/simulated-key", {})
    on_paper = {
        each["exchange"]: each["id"]
        for each in system.get(LISTED)["results"]
        if each["is_default"] and each["market_type"] == "spot"
    }
    for exchange, pair, amount in BUYS:
        place(system, on_paper[exchange], pair, amount, {"type": "market"})
    for exchange, pair, amount in RESTING:
        place(system, on_paper[exchange], pair, amount, {"price": price(system, exchange, pair)})


def place(system: System, account: int, pair: str, amount: str, how: dict[str, str]) -> None:
    """Until one is filled or rests."""
    for _ in range(TRIES):
        alive(system)
        body = {"key": uuid.uuid4().hex, "account": account, "pair": pair, "side": "buy", "amount": amount, **how}
        intent = system.post("/api/v1/intents", body)["id"]
        system.wait("the order", partial(is_settled, system, intent))
        if came_to(system, intent) in ("WORKING", "FILLED"):
            return


def came_to(system: System, intent: int) -> str:
    found = system.get(f"/api/v1/intents/{intent}")
    return str(found["result"] or found["state"])


def is_settled(system: System, intent: int) -> bool:
    return came_to(system, intent) not in ("NEW", "SENDING")


def alive(system: System) -> None:
    """All books are LIVE: a picture of a machine that is busy with other things says nothing."""
    system.wait("live books", lambda: set(system.books().items()) >= {("stale", 0), ("down", 0), ("syncing", 0)})


def price(system: System, exchange: str, pair: str) -> str:
    """A little below the market, on the grid of every exchange."""
    alive(system)
    book = system.get(f"/orderbook/{exchange}/{pair.replace('/', '-')}?depth=1")
    best: Iterable[float] = book["bids"][0]
    return str(int(next(iter(best)) * NEAR))
