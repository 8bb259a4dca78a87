"""O1: the kill points of the plan against the ways of an exchange, as cells of one order each."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.orders.rig import Rig

POINTS = tuple(f"K{number}" for number in range(1, 17))
HANG_S, LATE_S, AWAY_S, HIDDEN_S = 30.0, 1.0, 2.0, 2.0
AMOUNT, PART = Decimal("0.001"), Decimal("0.0004")

Script = Callable[[Rig, dict[str, Any]], None]


def _fault(op: str, **more: Any) -> Script:
    return lambda rig, cell: rig.exchanges.fault(cell["exchange"], cell["name"], op, **more)


def _all(*scripts: Script) -> Script:
    def run(rig: Rig, cell: dict[str, Any]) -> None:
        for script in scripts:
            script(rig, cell)

    return run


def _nothing(rig: Rig, cell: dict[str, Any]) -> None: ...


# what the exchange does, and what is special about the order
WAYS: dict[str, tuple[Script, dict[str, Any]]] = {
    "V1": (_nothing, {}),
    "V2": (_fault("accept_hang", seconds=HANG_S), {}),
    "V3": (_fault("accept_reset"), {}),
    "V4": (_fault("late_accept", seconds=LATE_S), {}),
    "V5": (_fault("error_not_placed"), {}),
    "V6": (_fault("error_placed"), {}),
    "V7": (_fault("reject"), {}),
    "V8": (_fault("rate_limit", seconds=AWAY_S), {}),
    "V9": (_all(_fault("accept_reset"), _fault("not_found", seconds=HIDDEN_S)), {}),
    "V10": (_nothing, {"takes": True}),
    "V11": (_nothing, {"fill": f"{PART}", "cancel": True}),
    "V12": (_all(_fault("duplicate_push", count=5), _fault("reorder_push", count=3)), {"fill": f"{PART}"}),
}


def cells(rig: Rig, exchange: str, run: int) -> list[dict[str, Any]]:
    """All 192, each on an account of its own, its trouble scripted."""
    accounts = rig.accounts(len(POINTS) * len(WAYS), exchange, held="1")
    middle = rig.middle(accounts[0])
    prices = {True: round(middle * Decimal("0.99")), False: round(middle * Decimal("1.01"))}  # takes, rests
    made = []
    for number, account in enumerate(accounts):
        point, way = POINTS[number // len(WAYS)], tuple(WAYS)[number % len(WAYS)]
        script, special = WAYS[way]
        takes = special.get("takes", run % 2 == 1 and way in ("V2", "V3", "V4", "V6", "V9"))
        cell = {
            "account": account["id"],
            "name": account["name"],
            "exchange": exchange,
            "market_type": "spot",
            "pair": account["pairs"]["BTC/USDT"],
            "trade": account["trades"]["BTC/USDT"],
            "key": f"{exchange}-{run}-{point}-{way}",
            "amount": f"{AMOUNT}",
            "price": f"{prices[takes]}",
            "tif": "ioc" if takes else "gtc",
            "purpose": "close" if number % 2 else "entry",
            "cancel": True,
            **special,
        }
        script(rig, cell)
        made.append(cell)
    return made
