"""A job: accounts are halted over and over side by side, with orders that rest, one under way and one that waits.

Each round is a trial of KS3: what came of it is told as values that JSON can carry, and judged by `trials`.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from apps.feeds import selectors as feeds
from apps.feeds.client_ids import ClientIds
from apps.feeds.market import Side
from apps.feeds.orders import NewOrder, OrderStatus, OrderType
from apps.feeds.tests.waiting import timed
from apps.trading.halts import halting
from apps.trading.models import IntentResult, IntentState, Order, OrderIntent
from apps.trading.order_state import FINAL
from apps.trading.risk.view import DenyReason, Scope
from apps.users.models import User
from apps.users.services import Actor
from tests.orders import executors, halts, steps
from tests.orders.steps import Cell, Rows

RESTING = 2
WAITING = (IntentState.NEW, IntentState.SENDING)
LOOK_S, PATIENCE_S = 0.03, 120.0
AT_ONCE = 6  # halts that are not carried out yet: more of them would wait for each other
MOST_TRIES = 3  # of each round that shall count: one in which nothing rested is none
CALM_S, MOST_PAUSES, AGAIN = 5.0, 60, "."
REFUSALS = 1_000  # as many as anybody tries
LOST = "the answer to the cancel is lost"
SOMEBODY = ClientIds("7", b"somebody else")
FOREIGN_MS, FOREIGN_BELOW = 5_000, 100
Trial = dict[str, Any]
Turn = Generator[None, None, Any]


def press(cells: list[Cell], confirm_s: float) -> list[Trial]:
    """The rounds of each cell's account, of all accounts at once. An account whose halt is not carried out after
    `confirm_s`, in moments of this process, has no more of them.

    A cell says more: how many `rounds` with orders that rest, at least how long each is (`pace_s`), whether somebody
    else's order rests there (`foreign`), and the round in which cancels end in errors (`refused`).
    """
    with timed() as seconds:
        presses = Presses([cell["account"] for cell in cells], seconds, confirm_s)
        turns = [presses.account(cell) for cell in cells]
        while turns:
            presses.look()
            turns = [turn for turn in turns if next(turn, turn) is None]
            time.sleep(LOOK_S)
        return presses.told


@dataclass(frozen=True, kw_only=True)
class Round:
    cell: Cell
    rows: Rows
    number: int

    @property
    def key(self) -> str:
        return f"{self.cell['key']}-{self.number}-"

    def place_of(self, intent: OrderIntent) -> int:
        return int(intent.intent_key[len(self.key) :].rstrip(AGAIN))

    @property
    def account(self) -> int:
        number: int = self.cell["account"]
        return number


@dataclass(frozen=True, kw_only=True)
class Halted:
    at: str  # by the database's clock
    committed_ms: int
    began_s: float
    # as it was known right before: orders by our ids, intents by their places in the round
    resting: list[str]
    over: list[str]
    waiting: list[int]


class Presses:
    """Each account's turn goes on for as long as it need not wait."""

    def __init__(self, accounts: list[int], seconds: Callable[[], float], confirm_s: float) -> None:
        self.told: list[Trial] = []
        self._halting = 0
        self._accounts, self._seconds, self._confirm_s = accounts, seconds, confirm_s
        self._ports = executors.ports()
        self._mine = executors.executor(self._ports)
        person = User.objects.get(username="rig")
        self._person = Actor(user=person.username, user_id=person.pk)

    def look(self) -> None:
        """What is not over, of all accounts."""
        orders = Order.objects.filter(account__in=self._accounts, intent__isnull=False).exclude(status__in=list(FINAL))
        intents = OrderIntent.objects.filter(account__in=self._accounts, state__in=WAITING)
        self._orders = _counted(orders.values_list("account", "status"))
        self._intents = _counted(intents.values_list("account", "state"))

    def account(self, cell: Cell) -> Turn:
        known = steps.rows_of(cell)
        if cell["foreign"]:
            self._place_foreign(cell, known)
            yield from self._until(Order.objects.filter(account=cell["account"], intent=None).exists, cell["name"])
        whole = 0
        for number in range(MOST_TRIES * cell["rounds"]):
            this, began_s = Round(cell=cell, rows=known, number=number), self._seconds()
            for place in range(RESTING):
                yield from self._intend(this, place)
            yield from self._until(lambda: not self._intents[this.account], this.key)  # noqa: B023 (waited for here)
            while self._halting == AT_ONCE:
                yield
            self._halting += 1
            trial = yield from (self._refused if number == cell["refused"] else self._halted)(this)
            self._halting -= 1
            self.told.append({"name": cell["name"], "exchange": cell["exchange"], "round": number, **trial})
            if trial["left"]:
                return
            halting.resume(scope=Scope.ACCOUNT, scope_id=str(this.account), reason="over", actor=self._person)
            whole += bool(trial["resting"])
            if whole == cell["rounds"]:
                return
            found_no_room = _orders(this).filter(status=OrderStatus.REJECTED).exists()
            yield from self._pass(began_s, CALM_S if found_no_room else cell["pace_s"])

    def _halted(self, this: Round) -> Turn:
        """One is under way while the halt is committed, and one waits behind it; on a machine that is too slow for that
        what is under way may have ended before, and the other be next."""
        self._fault(this, "held", 1, "place")
        for place in (RESTING, RESTING + 1):
            yield from self._intend(this, place)
        yield from self._until(lambda: self._intents[this.account][IntentState.NEW] <= 1, this.key)
        halt = self._halt(this)
        self._fault(this, "held", 0, "place")
        took_s = yield from self._over(this, halt)
        return self._found(this, halt, took_s)

    def _refused(self, this: Round) -> Turn:
        """The exchange answers cancels with errors until the halt's list has told so."""
        self._fault(this, "error_not_placed", REFUSALS, "cancel")
        halt = self._halt(this)
        yield from self._until(lambda: all(LOST in line["why"] for line in _lines(this)), this.key)
        remaining = _lines(this)
        self._fault(this, "error_not_placed", 0, "cancel")
        yield from self._until(lambda: self._is_over(this), this.key)
        return {**self._found(this, halt, 0.0), "remaining": remaining}

    # its steps

    def _intend(self, this: Round, place: int) -> Turn:
        """A lane that is paused, since its last orders found no room within the exchange's limits, is waited for."""
        price = Decimal(this.cell["price"]) - place
        for again in range(MOST_PAUSES):
            key = f"{this.key}{place}{AGAIN * again}"
            intent = steps.intend({**this.cell, "key": key, "price": f"{price}"}, self._mine, this.rows)
            if not intent.deny_reason:
                return
            if intent.deny_reason != DenyReason.LANE_PAUSED:
                break
            yield from self._pass(self._seconds(), CALM_S)
        raise RuntimeError(f"{key}: {intent.deny_reason} {intent.deny_text}")

    def _halt(self, this: Round) -> Halted:
        orders = {one.client_order_id: one.status for one in _orders(this)}
        intents = _intents(this).filter(state=IntentState.NEW)
        row = halting.halt(
            scope=Scope.ACCOUNT, scope_id=str(this.account), reason=f"trial {this.key}", actor=halts.PRESSED
        )
        return Halted(
            at=row.at.isoformat(),
            committed_ms=time.time_ns() // 1_000_000,
            began_s=self._seconds(),
            resting=[named for named, status in orders.items() if status == OrderStatus.OPEN],
            over=[named for named, status in orders.items() if status in FINAL],
            waiting=[this.place_of(intent) for intent in intents],
        )

    def _over(self, this: Round, halt: Halted) -> Turn:
        """How long it took, or how long it was waited for."""
        yield  # what was seen is older than the halt
        while not self._is_over(this) and self._seconds() - halt.began_s < self._confirm_s:
            yield
        return self._seconds() - halt.began_s

    def _found(self, this: Round, halt: Halted, took_s: float) -> Trial:
        return {
            "committed_ms": halt.committed_ms,
            "took_s": took_s,
            "resting": halt.resting,
            "over": halt.over,
            "waiting": halt.waiting,
            "left": halts.working_still([this.account]),
            "orders": {one.client_order_id: this.place_of(one.intent) for one in _orders(this)},
            "denied": [this.place_of(one) for one in _intents(this).filter(result=IntentResult.RISK_DENIED)],
            "late": halts.written_later({str(this.account): {"at": halt.at}}),
            "lines": _lines(this),
        }

    def _place_foreign(self, cell: Cell, known: Rows) -> None:
        """As somebody else does with the same account, past this system."""
        port = self._ports.of(cell["account"])
        steps.measured(self._mine, [cell])
        port.place(
            NewOrder(
                instrument=feeds.instrument(known[1]),
                client_order_id=SOMEBODY.make(port.id_form, account_id=1, intent_id=1, attempt=0),
                side=Side.BUY,
                type=OrderType.LIMIT,
                amount=Decimal(cell["amount"]),
                price=Decimal(cell["price"]) - FOREIGN_BELOW,
                expires_ms=port.now_ms() + FOREIGN_MS,
            )
        )

    def _fault(self, this: Round, op: str, count: int, kind: str) -> None:
        steps.fault(this.cell, op, count=count, kind=kind)

    def _pass(self, began_s: float, seconds: float) -> Turn:
        while self._seconds() - began_s < seconds:
            yield

    def _is_over(self, this: Round) -> bool:
        return not self._orders[this.account] and not self._intents[this.account]

    def _until(self, condition: Callable[[], bool], what: str) -> Turn:
        """Raise TimeoutError. What was seen last is older than what was done since, and does not count."""
        began_s = self._seconds()
        yield
        while not condition():
            if self._seconds() - began_s > PATIENCE_S:
                raise TimeoutError(f"{what}: {dict(self._orders)} {dict(self._intents)}")
            yield


def _orders(this: Round) -> QuerySet[Order]:
    return Order.objects.filter(intent__intent_key__startswith=this.key).select_related("intent")


def _intents(this: Round) -> QuerySet[OrderIntent]:
    return OrderIntent.objects.filter(intent_key__startswith=this.key)


def _lines(this: Round) -> list[dict[str, str]]:
    """The halt's own list."""
    report = halting.report(scope=Scope.ACCOUNT, scope_id=str(this.account))
    listed = report.lines if report is not None else ()
    return [{"id": line.client_order_id, "verdict": line.verdict, "why": line.why} for line in listed]


def _counted(rows: Iterable[tuple[int, str]]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for account, word in rows:
        counts[account][word] += 1
    return counts
