"""KS6: orders rest at every exchange, spot and futures, then everything is halted: how long until all is confirmed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.feeds.tests.waiting import await_that, timed
from tests.orders import evidence, halts
from tests.orders.rig import Rig

EXCHANGES = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc", "hyperliquid")
MARKETS = ("spot", "futures")
PAIRS = {"hyperliquid": "BTC/USDC"}
AMOUNT = "0.01"
SAFE_S = 10.0
PATIENCE_S = 300.0
Cell = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Drilled:
    seconds: float  # from the halt's commit until every order is over, in moments of this process
    orders: int
    verdicts: dict[str, int]  # of the halt's own list
    still_open: list[dict[str, Any]]  # as the exchanges know it

    def __str__(self) -> str:
        markets = f"{len(EXCHANGES) * len(MARKETS)} markets of {len(EXCHANGES)} exchanges"
        return f"{self.orders} orders on {markets}: safe after {self.seconds:.1f} s, {self.verdicts}"

    @property
    def is_good(self) -> bool:
        """Everything is cancelled and confirmed, in time."""
        whole = self.verdicts == {"confirmed": self.orders} and not self.still_open
        return whole and self.seconds <= SAFE_S


def drill(rig: Rig, of_each: int) -> Drilled:
    """`of_each` orders on every market of every exchange. The rig is halted and set going again."""
    cells = [cell for exchange in EXCHANGES for market in MARKETS for cell in resting(rig, exchange, market, of_each)]
    numbers, names = sorted({cell["account"] for cell in cells}), {cell["name"] for cell in cells}
    worker = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
    try:
        rig.forks.call(halts.want, cells=cells, every_s=0.0)
        _wait(lambda: len(open_ones(rig, names)) == len(cells), lambda: missing(rig, cells))
        with timed() as seconds:
            rig.forks.call(halts.halt_all, reason="a drill")
            await_that(lambda: not rig.forks.call(halts.working_still, accounts=numbers), PATIENCE_S)
            took_s = seconds()
        told = rig.forks.call(halts.verdicts, accounts=numbers)
        return Drilled(seconds=took_s, orders=len(cells), verdicts=told, still_open=open_ones(rig, names))
    finally:
        rig.forks.call(halts.resume_all)
        worker.kill()
        worker.wait()


def resting(rig: Rig, exchange: str, market: str, of_each: int, accounts: int = 1) -> list[Cell]:
    """So many of each account, of different amounts of money; one of each account, then the next ones."""
    pair = PAIRS.get(exchange, "BTC/USDT")
    opened = rig.accounts(accounts, exchange, market_type=market, pairs=(pair,))
    price = round(rig.middle(opened[0], pair) * 99 / 100)
    return [
        {
            "account": account["id"],
            "name": account["name"],
            "exchange": exchange,
            "market_type": market,
            "pair": account["pairs"][pair],
            "trade": account["trades"][pair],
            "key": f"drill-{account['name']}-{number}",
            "side": "buy",
            "amount": AMOUNT,
            "price": f"{price - number}",
        }
        for number in range(of_each)
        for account in opened
    ]


def open_ones(rig: Rig, names: set[str]) -> list[dict[str, Any]]:
    return [row for row in rig.exchanges.accepted() if row["account"] in names and row["status"] == "open"]


def missing(rig: Rig, cells: list[Cell]) -> list[str]:
    """What became of intents whose orders are wanted and do not rest."""
    there = {row["account"] for row in open_ones(rig, {cell["name"] for cell in cells})}
    absent = [cell for cell in cells if cell["name"] not in there]
    known = rig.forks.call(evidence.told, accounts=[cell["account"] for cell in absent])
    words = ("intent_key", "state", "result", "deny_reason", "deny_text")
    lines = [" ".join(str(one[word]) for word in words) for one in known["intents"]]
    return [*lines, *(f"{one['symbol']} {one['status']} {one['last_error']}" for one in known["orders"])]


def _wait(condition: Callable[[], bool], what: Callable[[], list[str]]) -> None:
    try:
        await_that(condition, PATIENCE_S / 3)
    except TimeoutError:
        raise AssertionError(f"no orders rest at {what()}") from None
