"""Which orders a storm is made of, and what befalls them at the exchange."""

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

from tests.orders.rig import Rig

AMOUNT = Decimal("0.001")
# of a hundred orders; the rest goes well
TROUBLES = {"accept_hang": 10, "accept_reset": 8, "late_accept": 8, "error_not_placed": 8, "reject": 4}
LATE_S, HANG_S = 1.0, 30.0


def across(rig: Rig, account: dict[str, Any]) -> Decimal:
    """A price at which a sale trades at once, on the grid of whole units."""
    return (rig.middle(account) * Decimal("0.99")).to_integral_value()


def trouble(rig: Rig, accounts: list[dict[str, Any]], orders: int, seed: int) -> Counter[str]:
    """Script what befalls the first orders of each account; no fault twice on one account."""
    chance, told = Random(seed), Counter[str]()
    wanted = [op for op, share in TROUBLES.items() for _ in range(max(1, orders * share // 100))]
    places = [(account["name"], op) for op in TROUBLES for account in accounts]
    chance.shuffle(places)
    for op in wanted:
        place = next((each for each in places if each[1] == op), None)
        if place is None:
            continue
        places.remove(place)
        seconds = {"late_accept": LATE_S, "accept_hang": HANG_S}.get(op, 0.0)
        rig.exchanges.fault("binance", place[0], op, seconds=seconds)
        told[op] += 1
    return told


def cells(rig: Rig, accounts: list[dict[str, Any]], orders: int, run: str) -> list[dict[str, Any]]:
    """Sales that trade at once, one account after the other; all only make smaller what is held."""
    price = across(rig, accounts[0])
    return [
        {
            "account": account["id"],
            "name": account["name"],
            "exchange": account["exchange"],
            "market_type": account["market_type"],
            "pair": account["pairs"]["BTC/USDT"],
            "trade": account["trades"]["BTC/USDT"],
            "key": f"{run}-{number}",
            "amount": f"{AMOUNT}",
            "price": f"{price}",
            "tif": "ioc",
            "purpose": "close",
        }
        for number in range(orders)
        for account in [accounts[number % len(accounts)]]
    ]


def accepted_by_id(rows: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """How often the exchange took an order of each (account, client id)."""
    return Counter((row["account"], row["client_id"]) for row in rows)
