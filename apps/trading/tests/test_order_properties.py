"""Whatever comes in whatever order, the order says no more than the truth, and all of it in the end.

CT_EXAMPLES multiplies the number of runs; reports are shuffled two and a half times as often.
"""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.orders import Fill, OrderStatus
from apps.trading.not_placed import Patience, miss, ready_ms
from apps.trading.order_state import FINAL, Alarm, CancelState, Order, advance_cancel, apply, apply_fill, lose, refuse
from apps.trading.tests.order_events import EXPIRES_MS, fill, order, update
from apps.trading.tests.true_order import LAG_MS, TAIL_MS, Report, TrueOrder
from tests.sizes import examples

EXAMPLES = examples(2_000)
STEPS = 60
PATIENCE = Patience(skew_ms=0, tail_ms=TAIL_MS, read_lag_ms=LAG_MS, apart_ms=1_000)
RUNS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)
SHUFFLES = settings(RUNS, max_examples=EXAMPLES * 5 // 2)
SCRIPTS = st.binary(min_size=3 * STEPS, max_size=3 * STEPS)


def told(known: Order, report: Report) -> Order:
    return apply_fill(known, report) if isinstance(report, Fill) else apply(known, report)


class Life:
    """One attempt: what is true of it, and what we know."""

    def __init__(self, chance: Iterator[int]) -> None:
        self.chance = chance
        self.now_ms = 0
        self.truth = TrueOrder(chance)
        self.known = order()
        self.heard: set[int] = set()
        self.steps: list[Callable[[], None]] = [
            self.wait,
            self.wait,
            self.arrive,
            self.be_refused,
            self.trade,
            self.trade,
            self.end,
            self.hear,
            self.hear,
            self.hear,
            self.lose_the_answer,
            self.look,
            self.look,
            self.cancel,
        ]

    def step(self) -> None:
        before = self.known
        self.steps[next(self.chance) % len(self.steps)]()
        self.judge(before)

    def wait(self) -> None:
        self.now_ms += next(self.chance) * 20

    def arrive(self) -> None:
        self.truth.arrive(self.now_ms)

    def be_refused(self) -> None:
        self.truth.refuse()
        if self.truth.refused:
            self.known = refuse(self.known)

    def trade(self) -> None:
        self.truth.trade(self.now_ms)

    def end(self) -> None:
        self.truth.end()

    def hear(self) -> None:
        """Any report, however old, and perhaps again."""
        if self.truth.reports:
            number = next(self.chance) % len(self.truth.reports)
            self.heard.add(number)
            self.known = told(self.known, self.truth.reports[number])

    def lose_the_answer(self) -> None:
        self.known = lose(self.known)

    def look(self) -> None:
        before = self.known
        self.known = miss(self.known, self.truth.look(self.now_ms), PATIENCE)
        if self.known.status is OrderStatus.NOT_PLACED is not before.status:
            assert self.now_ms > EXPIRES_MS
            assert self.now_ms >= ready_ms(before, PATIENCE)

    def cancel(self) -> None:
        self.known = advance_cancel(self.known, list(CancelState)[next(self.chance) % len(CancelState)])

    def judge(self, before: Order) -> None:
        known, truth = self.known, self.truth
        heard = [truth.reports[number] for number in self.heard]
        assert known.executed == sum(each.amount for each in heard if isinstance(each, Fill))
        assert before.filled <= known.filled <= truth.filled
        assert before.exchange_order_id in (None, known.exchange_order_id)
        if before.status in FINAL:
            assert known.status is before.status
        if known.status in (OrderStatus.REJECTED, OrderStatus.NOT_PLACED):
            assert truth.accepted_ms is None
        assert not known.alarms


@RUNS
@given(script=SCRIPTS)
def test_an_order_is_never_ahead_of_the_truth_and_takes_nothing_back(script: bytes):
    life = Life(chain(script, repeat(0)))
    for _ in range(STEPS):
        life.step()
    for report in life.truth.reports:
        life.known = told(life.known, report)
    if life.truth.status is not None:
        assert (life.known.status, life.known.filled) == (life.truth.status, life.truth.filled)
        assert not life.known.unexplained
        assert life.known.is_final or life.known.cancel not in (CancelState.CONFIRMED, CancelState.TOO_LATE)


@SHUFFLES
@given(script=SCRIPTS, shuffle=st.integers(0, 2**32))
def test_reports_that_are_shuffled_repeated_and_dropped_come_to_the_same(script: bytes, shuffle: int):
    chance, truth = Random(shuffle), TrueOrder(chain(script, repeat(0)))
    truth.arrive(0)
    for _ in range(next(truth.chance) % 8):
        truth.trade(1)
    if next(truth.chance) % 2:
        truth.end()
    straight = order()
    for report in truth.reports:
        straight = told(straight, report)

    mixed = [each for each in truth.reports * 2 if chance.random() < 0.7]
    chance.shuffle(mixed)
    known = order(status=chance.choice([OrderStatus.PENDING, OrderStatus.UNKNOWN]))
    for report in mixed:
        known = told(known, report)
    sweep = [each for each in truth.reports if isinstance(each, Fill)] + [truth.reports[-1]]
    chance.shuffle(sweep)
    for report in sweep:
        known = told(known, report)
    assert known == straight
    assert known.average_price == straight.average_price
    for report in sweep:
        known = told(known, report)
    assert known == straight, "the second pass must find nothing"


@RUNS
@given(script=SCRIPTS)
def test_evidence_that_comes_after_a_false_proof_wins_and_raises_an_alarm(script: bytes):
    chance = chain(script, repeat(0))
    known = order(status=(OrderStatus.NOT_PLACED, OrderStatus.REJECTED)[next(chance) % 2])
    amount = next(chance) % 10 + 1
    status = (OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.CANCELLED, OrderStatus.EXPIRED)[next(chance) % 4]
    reports: list[Report] = [fill("t1", amount), update(status, amount)]
    for number in (0, 1, 0, 1) if next(chance) % 2 else (1, 0, 1, 0):
        known = told(known, reports[number])
        assert Alarm.PROOF_BROKEN in known.alarms
        assert known.filled == amount
    assert known.status not in (OrderStatus.NOT_PLACED, OrderStatus.REJECTED)
