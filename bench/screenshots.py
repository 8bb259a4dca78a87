"""`python -m bench.screenshots`: photographs the pages of a running system into docs/img, as a reader sees them."""

import tempfile
from pathlib import Path
from time import sleep

from playwright.sync_api import Page, sync_playwright

from bench.system import ROOT, STARTER_SET, System
from workers.supervisor.folder import free_ports

CHROMIUM = "/usr/bin/chromium"
TARGET = ROOT / "docs" / "img"
FILL_S = 20  # until tapes and rates have something to show
PAGES = {
    "fleet": "/fleet/",
    "pairs": "/pairs/",
    "book": "/book/binance/spot/BTC-USDT/",
    "admin": "/admin/monitoring/monitoring/",
}


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    port = free_ports([None])[0]
    with tempfile.TemporaryDirectory(prefix="ct-shots-") as folder, System(Path(folder), port) as system:
        system.wait("the starter set", lambda: system.books().get("live") == STARTER_SET)
        sleep(FILL_S)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(base_url=system.url, viewport={"width": 1280, "height": 800})
            sign_in(page, system.login)
            for name, address in PAGES.items():
                page.goto(address)
                page.wait_for_timeout(2500)  # the socket has said everything once
                page.screenshot(path=TARGET / f"{name}.png")
                print(f"{TARGET / name}.png")
            browser.close()


def sign_in(page: Page, login: tuple[str, str]) -> None:
    page.goto("/login/")
    page.fill("[name=username]", login[0])
    page.fill("[name=password]", login[1])
    page.click("button")
    page.wait_for_url("**/fleet/")


if __name__ == "__main__":
    main()
