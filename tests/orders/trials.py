"""What KS3 says of each halt, held against what its round has told and what the exchange knows."""

from collections.abc import Iterable
from typing import Any

from tests.orders.rounds import Trial

CONFIRMED_S = 10.0
Row = dict[str, Any]


def wrong(trials: list[Trial], rows: list[Row]) -> list[str]:
    """Each thing that must not be, as a line. `rows`: all that the exchanges have ever accepted of these accounts."""
    by_id = {row["client_id"]: row for row in rows}
    lines = [f"{_name(trial)}: {line}" for trial in trials for line in (*_of_list(trial), *_of_orders(trial, by_id))]
    ours = {each for trial in trials for each in trial["orders"]}
    foreign = [row for row in rows if row["client_id"] not in ours and row["status"] != "open"]
    return lines + [f"order {row['client_id']} of somebody else is {row['status']}" for row in foreign]


def _of_list(trial: Trial) -> Iterable[str]:
    """The list names what it is about, no more and no less, and all of it is confirmed in time."""
    listed, resting = {line["id"] for line in trial["lines"]}, set(trial["resting"])
    if trial["left"]:
        yield f"not over after {trial['took_s']:.1f} s: {trial['left']}"
    if trial["took_s"] > CONFIRMED_S:
        yield f"confirmed after {trial['took_s']:.1f} s"
    if not resting <= listed <= set(trial["orders"]) - set(trial["over"]):
        yield f"the list names {listed} of {trial['orders']}, where {resting} rested and {trial['over']} were over"
    if any(line["verdict"] != "confirmed" for line in trial["lines"]):
        yield f"not confirmed: {trial['lines']}"
    remaining = {line["id"] for line in trial.get("remaining", []) if line["verdict"] == "unconfirmed"}
    if "remaining" in trial and remaining != resting:
        yield f"{resting} remain, and {trial['remaining']} are listed"


def _of_orders(trial: Trial, by_id: dict[str, Row]) -> Iterable[str]:
    """What rested was there before the halt and is cancelled by us, what was under way as well if it came to be, and
    what waited never left.
    """
    yield from trial["late"]
    for client_id in trial["resting"]:
        if client_id not in by_id or by_id[client_id]["ms"] > trial["committed_ms"]:
            yield f"order {client_id} was not there before the halt"
    for client_id in by_id.keys() & trial["orders"].keys():
        row = by_id[client_id]
        if (row["status"], row["ended"]) != ("cancelled", "client"):
            yield f"order {client_id} is {row['status']} {row['ended']}"
    for place in set(trial["waiting"]).difference(trial["denied"], trial["orders"].values()):
        yield f"intent {place} waited, and was not turned away"


def came_later(trials: list[Trial], rows: list[Row]) -> int:
    """How many orders came to be after the halt under which they were cancelled."""
    committed = {each: trial["committed_ms"] for trial in trials for each in trial["orders"]}
    return sum(row["ms"] > committed.get(row["client_id"], row["ms"]) for row in rows)


def turned_away(trials: list[Trial], rows: list[Row]) -> int:
    """How many intents a halt has caught before they left."""
    return sum(len(trial["denied"]) for trial in trials)


def remained(trials: list[Trial], rows: list[Row]) -> int:
    """How many orders could not be cancelled for a while, and were listed so."""
    return sum(len(trial.get("remaining", [])) for trial in trials)


def _name(trial: Trial) -> str:
    return f"{trial['name']} at {trial['exchange']}, round {trial['round']}"
