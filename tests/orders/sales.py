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


def across(rig: Rig, symbol: str = "BTCUSDT") -> Decimal:
    """A price at which a sale trades at once, on the grid of whole units."""
    book = rig.exchanges.get("_sim/book", exchange="binance", market_type="spot", symbol=symbol)
    middle = (Decimal(str(book["bids"][0][0])) + Decimal(str(book["asks"][0][0]))) / 2
    return (middle * Decimal("0.99")).to_integral_value()


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


def accepted_by_id(rows: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """How often the exchange took an order of each (account, client id)."""
    return Counter((row["account"], row["client_id"]) for row in rows)
