"""Jobs of the kill switch: accounts are halted at random instants under load, and set going again by a person."""

import time
from collections import Counter
from datetime import datetime
from random import Random
from typing import Any

from django.db import connections

from apps.feeds.bus.meter import Meter
from apps.feeds.tests.trading_stand import WideGates
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import working
from apps.trading.execution.runtime import transactions
from apps.trading.halts import halting
from apps.trading.models import Account, HaltMode, Order, OrderIntent
from apps.trading.order_state import FINAL
from apps.trading.risk.view import Scope
from apps.trading.tests.looks import resolve_due
from apps.users.models import User
from apps.users.services import Actor
from tests.orders import endings, executors, lives, patience, steps

LONG_IDLE_S = 600
PRESSED = Actor(user="the rig")


def want(cells: list[dict[str, Any]], every_s: float) -> int:
    """Intents one after the other, as strategies write them; how many risk let through."""
    mine, taken = executors.executor(), 0
    for cell in cells:
        taken += steps.intend(cell, mine).result != "RISK_DENIED"
        time.sleep(every_s)
    return taken


def work(accounts: list[int], seconds: float, notes: str | None = None, redis_url: str | None = None) -> dict[str, int]:
    """An executor with its threads: cancels wait for nobody. To be killed, or until the time is over.

    `notes`: the file in which it is written when each order left; `redis_url`: where its requests are counted.
    """
    gates = None if redis_url is None else WideGates(Meter(redis_url))
    ports = executors.ports(notes=notes, gates=gates)
    cells = [{"account": number, "exchange": exchange} for number, exchange in _one_each(accounts)]
    tally: dict[str, int] = {}

    def loop(turn: Any) -> None:
        mine = executors.executor(ports)
        steps.measured(mine, cells)
        executors.until(lambda: patience.patiently(lambda: turn(mine)) and False, seconds, every_s=0.05)
        for name, number in mine.tally.counts().items():
            tally[name] = tally.get(name, 0) + number

    turns = [
        lambda mine: working.sweep(executor=mine),
        lambda mine: ports.remote.clocks.measure_due(),
        resolve_due,
        lambda mine: cancelling.cancel_due(mine),
    ]
    patience.in_threads([lambda turn=turn: loop(turn) for turn in turns])
    return tally


def work_far_away(line: str, accounts: list[int], seconds: float) -> dict[str, int]:
    """As `work`, by a way to the database that may be cut."""
    _go_far_away(line)
    return work(accounts, seconds)


def live_far_away(line: str, cell: dict[str, Any]) -> dict[str, int]:
    """As `lives.live`, by such a way; who stands still in the middle of a transaction keeps it."""
    _go_far_away(line)
    transactions.IDLE_S = LONG_IDLE_S
    return lives.live(cell)


def _go_far_away(line: str) -> None:
    connections.close_all()
    connections.settings["default"]["OPTIONS"]["unix_socket"] = line


def _one_each(accounts: list[int]) -> list[tuple[int, str]]:
    rows = Account.objects.filter(pk__in=accounts).values_list("pk", "exchange__code")
    return list({exchange: (pk, exchange) for pk, exchange in rows}.values())


def press(accounts: list[int], seed: int, every_s: float) -> dict[str, dict[str, Any]]:
    """Halt each account, in a random order at random instants: what is true of each once its halt is committed."""
    chance, told = Random(seed), {}
    order = list(accounts)
    chance.shuffle(order)
    for number in order:
        time.sleep(chance.uniform(0, 2 * every_s))
        row = halting.halt(
            scope=Scope.ACCOUNT, scope_id=str(number), reason="a trial", actor=PRESSED, mode=HaltMode.CANCEL
        )
        told[str(number)] = {"committed_ms": time.time_ns() // 1_000_000, "at": row.at.isoformat()}
    return told


def committed(accounts: list[int]) -> int:
    """How many orders of theirs others can see."""
    return Order.objects.filter(account__in=accounts).count()


def written_later(halts: dict[str, dict[str, Any]]) -> list[str]:
    """Orders that were committed after the halt of their account was."""
    lines = []
    for number, halt in halts.items():
        late = Order.objects.filter(account_id=int(number), created_at__gt=datetime.fromisoformat(halt["at"]))
        lines += [f"{order} was written {order.created_at}, halted {halt['at']}" for order in late]
    return lines


def working_still(accounts: list[int]) -> list[str]:
    """Orders that are not over, and intents that are waited for."""
    orders = Order.objects.filter(account__in=accounts, intent__isnull=False).exclude(status__in=list(FINAL))
    waiting = OrderIntent.objects.filter(account__in=accounts, state__in=("NEW", "SENDING"))
    return [f"{each} {each.status}" for each in orders] + [f"{each} {each.state}" for each in waiting]


def undecided(accounts: list[int]) -> int:
    """How many orders wait for a proof, or intents for their turn."""
    return sum(endings.in_doubt({"account": number}) for number in accounts)


def halt_all(reason: str) -> int:
    """The one big button; milliseconds of when it was committed."""
    halting.halt(scope=Scope.GLOBAL, reason=reason, actor=PRESSED)
    return time.time_ns() // 1_000_000


def resume_all() -> None:
    person = User.objects.get(username="rig")
    halting.resume(scope=Scope.GLOBAL, reason="over", actor=Actor(user=person.username, user_id=person.pk))


def verdicts(accounts: list[int]) -> dict[str, int]:
    """What the list of the global halt says of these accounts' orders, by verdict."""
    told: Counter[str] = Counter()
    listed = halting.report(scope=Scope.GLOBAL)
    for line in listed.lines if listed is not None else ():
        if line.account_id in accounts:
            told[line.verdict] += 1
    return dict(told)
