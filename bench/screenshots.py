"""`python -m bench.screenshots`: photographs the pages of a running system into docs/img, as a reader sees them; named,
only some: `python -m bench.screenshots orders risk`.

All eight exchanges of the simulator are in the pictures. The files are made small where pngquant is installed.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench import desk
from bench.system import ROOT, STARTER_SET, System
from workers.supervisor.folder import free_ports

CHROMIUM = "/usr/bin/chromium"
TARGET = ROOT / "docs" / "img"
WIDTH, HEIGHT = 1440, 900
FILL_S = 180  # until the line of a book has something to show: it begins when the page opens
SPOKEN_MS = 3000  # the socket has said everything once, and what was pressed has happened
FLEET = 320  # books: twenty of each market
SILENT = (("okx", "futures", "DOGE-USDT-SWAP"), ("htx", "spot", "xrpusdt"))  # so that something needs attention
SILENT_MS = 14_000  # they are noticed, and the others' rates have settled


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    port = free_ports([None])[0]
    with tempfile.TemporaryDirectory(prefix="ct-shots-") as folder, System(Path(folder), port) as system:
        system.wait("the starter set", lambda: system.books().get("live") == STARTER_SET)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(
                base_url=system.url, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark"
            )
            sign_in(page, system.login)
            for name, show in PAGES.items():
                if name in (sys.argv[1:] or PAGES):
                    show(page, system)
                    photograph(page, TARGET / f"{name}.png")
            browser.close()


def sign_in(page: Page, login: tuple[str, str]) -> None:
    page.goto("/login/")
    page.fill("[name=username]", login[0])
    page.fill("[name=password]", login[1])
    page.click("button")
    page.wait_for_url("**/fleet/")


def book(page: Page, system: System) -> None:
    page.goto("/book/binance/spot/BTC-USDT/")
    page.wait_for_timeout(FILL_S * 1000)


def pairs(page: Page, system: System) -> None:
    """One coin on all exchanges: some were just enabled, some are chosen."""
    page.goto("/pairs/")
    page.fill("#words", "ada")
    page.wait_for_timeout(SPOKEN_MS)
    pick(page, (1, 3, 5))
    page.click("#enable")
    page.wait_for_timeout(SPOKEN_MS)
    pick(page, (1, 3, 5))  # no longer
    pick(page, (6, 8, 9, 10))
    page.wait_for_timeout(SPOKEN_MS)


def pick(page: Page, rows: tuple[int, ...]) -> None:
    for row in rows:
        page.locator(".row[data-key]:not([hidden]) .pick").nth(row).click()


def admin(page: Page, system: System) -> None:
    page.goto("/admin/monitoring/monitoring/")


def fleet(page: Page, system: System) -> None:
    """Twenty books of each market, two of which are silent."""
    system.watch(FLEET)
    system.wait("the fleet", lambda: system.books().get("live") == FLEET)
    for exchange, market_type, symbol in SILENT:
        fault = {"op": "mute", "exchange": exchange, "market_type": market_type, "symbol": symbol}
        system.simulator("fault", fault)
    page.goto("/fleet/")
    page.wait_for_timeout(SILENT_MS)


PAGES: dict[str, Callable[[Page, System], None]] = {
    "book": book,
    "orders": desk.orders,
    "new-order": desk.new_order,
    "positions": desk.positions,
    "execution": desk.execution,
    "second-factor": desk.second_factor,
    "pairs": pairs,
    "admin": admin,
    "fleet": fleet,
    "risk": desk.risk,  # everything is halted then
    "halt": desk.halt,
}


def photograph(page: Page, path: Path) -> None:
    page.screenshot(path=path)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--strip", "--output", str(path), "128", str(path)], check=True)
    print(f"{path}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
