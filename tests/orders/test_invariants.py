"""The checkers see what is wrong; on what is right they say nothing."""

from copy import deepcopy
from typing import Any

import pytest

from tests.orders.invariants import in_order, violations

EXPIRES = "2026-01-01T00:00:02+00:00"
EXPIRES_MS = 1_767_225_602_000


def accepted(number: int, **more: Any) -> dict[str, Any]:
    row = {"account": "anna", "symbol": "BTCUSDT", "client_id": f"ct{number}", "order_id": f"x{number}"}
    return {**row, "filled": "0.5", "status": "filled", "ms": number, **more}


def order(number: int, **more: Any) -> dict[str, Any]:
    row = {"id": number, "intent_id": number, "client_order_id": f"ct{number}", "exchange_order_id": f"x{number}"}
    return {**row, "status": "FILLED", "alarms": "", "request_expires_at": EXPIRES, **more}


def event(number: int, seq: int, before: str, after: str, kind: str = "update", **evidence: Any) -> dict[str, Any]:
    return {
        "order_id": number,
        "seq": seq,
        "kind": kind,
        "from_status": before,
        "to_status": after,
        "evidence": evidence,
    }


def right() -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Two orders that were filled, and one that is proven never to have been placed."""
    looks = [event(3, seq, "UNKNOWN", "UNKNOWN", "missed", asked_ms=EXPIRES_MS + seq * 1000) for seq in (2, 3)]
    looks[-1]["to_status"] = "NOT_PLACED"
    known = {
        "intents": [{"id": n, "state": "DONE", "reserved_amount": "0"} for n in (1, 2, 3)],
        "orders": [order(1), order(2), order(3, status="NOT_PLACED", exchange_order_id=None)],
        "fills": [{"order_id": n, "trade_id": f"t{n}", "amount": "0.5"} for n in (1, 2)],
        "events": [
            event(1, 1, "", "PENDING"),
            event(1, 2, "PENDING", "FILLED"),
            event(2, 1, "", "PENDING"),
            event(2, 2, "PENDING", "FILLED"),
            event(3, 1, "", "UNKNOWN"),
            *looks,
        ],
        "strays": [],
    }
    return [accepted(1), accepted(2)], known


WRONG = {
    "I1": lambda log, known: (log.append(accepted(2, order_id="x9")), log),
    "I1 by attempts": lambda log, known: (known["orders"].append(order(4, intent_id=1)), log.append(accepted(4))),
    "I2": lambda log, known: log.append(accepted(9)),
    "I3": lambda log, known: known["fills"].pop(),
    "I3 twice": lambda log, known: known["fills"].append(dict(known["fills"][0])),
    "I3 stray": lambda log, known: known["strays"].append({"id": 1, "trade_id": "t9"}),
    "I4": lambda log, known: known["events"].insert(2, event(1, 3, "FILLED", "OPEN")),
    "I4 gap": lambda log, known: known["events"].pop(0),
    "I4 alarm": lambda log, known: known["orders"][0].update(alarms="PROOF_BROKEN"),
    "I5": lambda log, known: log.append(accepted(3)),
    "I5 too early": lambda log, known: known["events"][-1]["evidence"].update(asked_ms=EXPIRES_MS - 1),
    "I5 cancelled": lambda log, known: (
        known["orders"][2].update(status="CANCELLED"),
        known["events"][-1].update(to_status="CANCELLED"),
        known["events"][-2]["evidence"].update(asked_ms=EXPIRES_MS - 1),
    ),
    "stuck": lambda log, known: known["intents"][0].update(state="SENDING"),
    "stuck order": lambda log, known: log[0].update(status="open"),
    "leaked": lambda log, known: known["intents"][0].update(reserved_amount="1"),
}


def test_what_is_right_breaks_nothing():
    log, known = right()
    assert violations(log, known, fifo=True) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(name: str):
    log, known = deepcopy(right())
    WRONG[name](log, known)
    assert [line for line in violations(log, known) if line.startswith(name.split()[0])]


def test_an_order_that_overtakes_another_is_seen():
    log, known = right()
    assert in_order(log[::-1], known)
