"""The invariants of orders, as functions over the exchange's own accept log and what the database knows.

Each returns a line for every violation. `accepted` and `executions` are the simulator's (GET /_sim/orders and
/_sim/accounts), `known` is what `evidence.told` tells.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Known = Mapping[str, list[Row]]
FINAL = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED", "NOT_PLACED"}
NEVER_THERE = {"REJECTED", "NOT_PLACED"}
AT_EXCHANGE = {"open": {"OPEN"}, "partial": {"PARTIAL"}, "filled": {"FILLED"}, "cancelled": {"CANCELLED", "EXPIRED"}}


def at_most_once(accepted: Iterable[Row], known: Known) -> list[str]:
    """I1: of one intent the exchange accepted one attempt at most, and that once."""
    intents = {order["client_order_id"]: order["intent_id"] for order in known["orders"]}
    times = Counter(intents.get(row["client_id"], row["client_id"]) for row in accepted)
    return [f"I1: intent {intent} was accepted {count} times" for intent, count in times.items() if count > 1]


def all_known(accepted: Iterable[Row], known: Known) -> list[str]:
    """I2: what the exchange accepted stands in ORDERS, under its own id there too."""
    ours = {order["client_order_id"]: order for order in known["orders"]}
    lines = []
    for row in accepted:
        order = ours.get(row["client_id"])
        if order is None:
            lines.append(f"I2: {row['client_id']} of {row['account']} is live there and unknown here")
        elif order["exchange_order_id"] != row["order_id"] and not _is_forgotten(row, order):
            lines.append(f"I2: {row['client_id']} is {row['order_id']} there and {order['exchange_order_id']} here")
    return lines


def _is_forgotten(row: Row, order: Row) -> bool:
    """Cancelled before any of it was filled and before anybody here had learnt its id, where exchanges forget that."""
    ended = (row["status"], Decimal(row["filled"]), order["status"])
    return order["exchange_order_id"] is None and ended == ("cancelled", 0, "CANCELLED")


def fills_exact(accepted: Iterable[Row], known: Known) -> list[str]:
    """I3: per order the fills add up to what the exchange executed, and none is there twice."""
    ours = {order["client_order_id"]: order for order in known["orders"]}
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for fill in known["fills"]:
        sums[fill["order_id"]] += Decimal(fill["amount"])
    seen = Counter((fill["order_id"], fill["trade_id"]) for fill in known["fills"])
    lines = [f"I3: trade {trade} of order {order} is there twice" for (order, trade), n in seen.items() if n > 1]
    for row in accepted:
        order = ours.get(row["client_id"])
        if order is not None and sums[order["id"]] != Decimal(row["filled"]):
            lines.append(f"I3: {row['client_id']} filled {row['filled']} there, {sums[order['id']]} here")
    return lines + [f"I3: trade {stray['trade_id']} has no order" for stray in known["strays"]]


def monotone(known: Known) -> list[str]:
    """I4: an order's steps follow each other, and none leaves what is final."""
    lines, last = [], dict[int, tuple[int, str]]()
    for event in known["events"]:
        seq, status = last.get(event["order_id"], (0, event["from_status"]))
        if event["seq"] != seq + 1:
            lines.append(f"I4: order {event['order_id']} has event {event['seq']} after {seq}")
        if event["from_status"] != status:
            lines.append(f"I4: order {event['order_id']} goes on from {event['from_status']}, it was {status}")
        if event["from_status"] in FINAL and event["to_status"] != event["from_status"]:
            lines.append(f"I4: order {event['order_id']} left {event['from_status']} for {event['to_status']}")
        last[event["order_id"]] = event["seq"], event["to_status"]
    ends = {order_id: status for order_id, (_, status) in last.items()}
    lines += [
        f"I4: order {order['id']} is {order['status']}, its last event says {ends[order['id']]}"
        for order in known["orders"]
        if ends.get(order["id"], order["status"]) != order["status"]
    ]
    return lines + [f"I4: order {o['id']} carries {o['alarms']}" for o in known["orders"] if o["alarms"]]


def proven(accepted: Iterable[Row], known: Known, *, clock_error_ms: int = 0) -> list[str]:
    """I5: what was never there was never accepted, and its proof is younger than its request's expiry."""
    taken = {row["client_id"] for row in accepted}
    events: dict[int, list[Row]] = defaultdict(list)
    for event in known["events"]:
        events[event["order_id"]].append(event)
    lines = []
    for order in known["orders"]:
        if order["status"] in NEVER_THERE and order["client_order_id"] in taken:
            lines.append(f"I5: {order['client_order_id']} is {order['status']} and was accepted")
        if order["status"] == "NOT_PLACED" or _counts_as_cancelled(events[order["id"]]):
            asked = [each["evidence"]["asked_ms"] for each in events[order["id"]] if each["kind"] == "missed"]
            expires_ms = datetime.fromisoformat(order["request_expires_at"]).timestamp() * 1000
            counted = [at for at in asked if at + clock_error_ms > expires_ms]
            if len(counted) < 2:
                lines.append(f"I5: {order['client_order_id']} is {order['status']} after {len(counted)} looks")
        if order["status"] == "REJECTED" and not any(each["to_status"] == "REJECTED" for each in events[order["id"]]):
            lines.append(f"I5: {order['client_order_id']} is REJECTED without an event")
    return lines


def _counts_as_cancelled(events: Iterable[Row]) -> bool:
    """Nobody told of it: it was found nowhere, and its cancel had left."""
    return any(each["kind"] == "missed" and each["to_status"] == "CANCELLED" != each["from_status"] for each in events)


def in_order(accepted: Iterable[Row], known: Known) -> list[str]:
    """I12: the orders of a lane reached the exchange in the order of their intents."""
    intents = {order["client_order_id"]: order["intent_id"] for order in known["orders"]}
    last: dict[tuple[str, str], int] = {}
    lines = []
    for row in accepted:
        lane, intent = (row["account"], row["symbol"]), intents.get(row["client_id"], 0)
        if intent < last.get(lane, 0):
            lines.append(f"I12: intent {intent} of {lane} came after {last[lane]}")
        last[lane] = max(intent, last.get(lane, 0))
    return lines


def settled(accepted: Iterable[Row], known: Known) -> list[str]:
    """Nothing is stuck: every intent is over or rests at the exchange, and rows say what the exchange says."""
    lines = [f"stuck: intent {i['id']} is {i['state']}" for i in known["intents"] if i["state"] in ("NEW", "SENDING")]
    lines += [f"leaked: {i['id']} holds {i['reserved_amount']}" for i in known["intents"] if _leaks(i)]
    ours = {order["client_order_id"]: order for order in known["orders"]}
    for row in accepted:
        order = ours.get(row["client_id"])
        if order is not None and order["status"] not in AT_EXCHANGE[row["status"]]:
            lines.append(f"stuck: {row['client_id']} is {row['status']} there and {order['status']} here")
    return lines


def _leaks(intent: Row) -> bool:
    return intent["state"] == "DONE" and Decimal(intent["reserved_amount"]) != 0


def violations(accepted: list[Row], known: Known, *, fifo: bool = False, ended: bool = True) -> list[str]:
    """All of them; `ended`: the system has come to rest."""
    lines = [*at_most_once(accepted, known), *monotone(known), *proven(accepted, known)]
    if ended:
        lines += [*all_known(accepted, known), *fills_exact(accepted, known), *settled(accepted, known)]
    return lines + (in_order(accepted, known) if fifo else [])
