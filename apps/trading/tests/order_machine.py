"""P2: one lane, two executors and an exchange as a model on one clock, moved on step by step by a script of chance.

What decides is the real thing: risk, order state and the proof that nothing was placed. Around it stand the rules of
the plan: a row before the request, one request, a lease with its fence, expiry, and a resolver that looks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading.intent import OrderIntent, Purpose
from apps.trading.not_placed import Look, Patience, miss, ready_ms
from apps.trading.order_state import CancelState, Order, advance_cancel, apply, apply_fill, lose, refuse
from apps.trading.risk.gate import ApprovedOrder, approve
from apps.trading.risk.limits import Limits
from apps.trading.risk.view import Held, Parent, RiskView, Scope, ScopeState, Working
from apps.trading.tests.order_events import fill, update
from apps.trading.tests.risk import NOW, SPOT, intent, view

EXPIRY_MS, MARGIN_MS, TTL_MS = 2_000, 500, 6_000
TAIL_MS, LAG_MS = 3_000, 1_000
CLOCK_ERROR_MS = 250
PATIENCE = Patience(skew_ms=500, tail_ms=TAIL_MS, read_lag_ms=LAG_MS, apart_ms=1_000)
LIMITS = Limits(max_asset_usdt=Decimal(200), max_open_pair=4, max_executions=600, max_orders_s=50, max_unknown=10)
PRICE = Decimal(100)
RETRIED = (Purpose.HEDGE, Purpose.CLOSE)
YOUNG_MS = 60_000
PICKS = 6
IN_DOUBT = (OrderStatus.PENDING, OrderStatus.UNKNOWN)


@dataclass(eq=False)
class Attempt:
    """What we know of it (`known`), and the truth: `passed_ms` it was let in at the gateway, `accepted_ms` matched."""

    wanted: "Wanted"
    number: int
    approved: ApprovedOrder
    known: Order
    passed_ms: int | None = None
    accepted_ms: int | None = None
    gone: bool = False  # it was refused or lost on the way, and will not come any more
    status: OrderStatus | None = None
    filled: Decimal = Decimal(0)
    reports: list[OrderUpdate | Fill] = field(default_factory=list)
    accepted: int = 0

    @property
    def works(self) -> bool:
        return self.status in (OrderStatus.OPEN, OrderStatus.PARTIAL)

    @property
    def may_come(self) -> bool:
        return not self.gone and self.accepted_ms is None

    @property
    def signed(self) -> int:
        return 1 if self.wanted.intent.side is Side.BUY else -1


@dataclass(eq=False)
class Wanted:
    """An intent's row; `done` with whatever result."""

    intent: OrderIntent
    approved: ApprovedOrder
    new: bool = True
    done: bool = False
    attempts: list[Attempt] = field(default_factory=list)


@dataclass
class Executor:
    """`error_ms`: how wrong its idea of the exchange's time is. It stands still while nobody moves it on."""

    name: str
    fence: int = 0
    until_ms: int = 0
    error_ms: int = 0
    claimed: Attempt | None = None
    sent: Attempt | None = None


class Machine:
    def __init__(self, chance: Iterator[int]) -> None:
        self.chance = chance
        self.now_ms = NOW
        self.wanted: list[Wanted] = []
        self.attempts: list[Attempt] = []
        self.executors = [Executor("one"), Executor("two")]
        self.fence, self.holder, self.until_ms = 0, "", 0
        self.halted_ms: int | None = None
        self.halts: list[tuple[int, int]] = []  # when, and how many attempts had been committed
        self.committed_under_halt = 0
        self.sent_first: list[int] = []  # intents in the order in which their first requests left
        self.counts: dict[str, int] = {}
        self.steps: list[Callable[[Executor], bool | None]] = [
            *[self.want] * 4,
            self.acquire,
            *[self.claim] * 5,
            *[self.send] * 5,
            *[self.answer] * 4,
            *[self.match] * 3,
            *[self.trade] * 3,
            *[self.hear] * 4,
            *[self.look] * 8,
            *[self.wait] * 3,
            *[self.wait_long] * 2,
            self.lose_request,
            self.die,
            self.end,
            self.cancel,
            self.halt,
            self.resume,
            self.set_clock,
        ]

    def step(self) -> None:
        """One that does something, if any of a few picks can."""
        executor = self.executors[next(self.chance) % len(self.executors)]
        for _ in range(PICKS):
            if self.steps[next(self.chance) % len(self.steps)](executor) is not False:
                return

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    # what we do

    def want(self, _: Executor) -> None:
        """T0"""
        number = next(self.chance)
        wanted = intent(
            (Side.BUY, Side.SELL)[number % 2],
            amount="0.5",
            price=str(PRICE),
            purpose=(Purpose.ENTRY, Purpose.CLOSE, Purpose.HEDGE)[number // 2 % 3],
            created_ms=self.now_ms,
            intent_id=len(self.wanted) + 1,
            repeats=True,
        )
        approved = approve(wanted, self.view(wanted))
        if isinstance(approved, ApprovedOrder):
            self.wanted.append(Wanted(wanted, approved))

    def acquire(self, executor: Executor) -> bool | None:
        mine = executor.fence == self.fence and self.holder == executor.name
        if self.until_ms > self.now_ms and not mine:
            return False
        self.fence, self.holder, self.until_ms = self.fence + (not mine), executor.name, self.now_ms + TTL_MS
        executor.fence, executor.until_ms = self.fence, self.until_ms
        return None

    def claim(self, executor: Executor) -> bool | None:
        """T1: the lease's row, the switch and the head of the lane, all under locks."""
        if executor.until_ms <= self.now_ms + EXPIRY_MS + MARGIN_MS:
            self.acquire(executor)
        held = self.holder == executor.name and self.fence == executor.fence
        if executor.claimed or executor.sent or not held or self.until_ms <= self.now_ms + EXPIRY_MS + MARGIN_MS:
            return False
        head = next((each for each in self.wanted if each.new), None)
        if head is None:
            return False
        approved = approve(head.intent, self.view(head.intent))
        head.new = False
        if not isinstance(approved, ApprovedOrder):
            head.done = True
            self.count("denied")
            return None
        number, believed_ms = len(head.attempts), self.now_ms + executor.error_ms
        row = Order(
            client_order_id=f"ct{head.intent.intent_id}.{number}",
            side=head.intent.side,
            amount=approved.amount,
            expires_ms=believed_ms + EXPIRY_MS,
        )
        attempt = Attempt(head, number, approved, row)
        self.committed_under_halt += self.halted_ms is not None
        head.attempts.append(attempt)
        self.attempts.append(attempt)
        executor.claimed = attempt
        return None

    def send(self, executor: Executor) -> bool | None:
        """The one request, unless it has become too late for it by the clocks that only go forward."""
        attempt, executor.claimed = executor.claimed, None
        if attempt is None:
            return False
        believed_ms = self.now_ms + executor.error_ms
        in_time = believed_ms < attempt.known.expires_ms - 200
        if executor.until_ms - self.now_ms < EXPIRY_MS + MARGIN_MS or not in_time:
            attempt.gone = True
            self.count("left")
            return None
        executor.sent = attempt
        if not attempt.number:
            self.sent_first.append(attempt.wanted.intent.intent_id or 0)
        if self.now_ms > attempt.known.expires_ms:
            attempt.gone = True
        else:
            attempt.passed_ms = self.now_ms
        return None

    def answer(self, executor: Executor) -> bool | None:
        """T2: whoever writes it, on the row as it is now."""
        attempt, executor.sent = executor.sent, None
        if attempt is None:
            return False
        if attempt.gone and attempt.passed_ms is None:
            attempt.known = refuse(attempt.known)
            self.follow(attempt)
        elif attempt.accepted_ms is not None and next(self.chance) % 3:
            attempt.known = apply(attempt.known, attempt.reports[0])  # type: ignore[arg-type]
        else:
            attempt.known = lose(attempt.known)
            self.count("lost")
        return None

    def hear(self, _: Executor) -> bool | None:
        """A report of the exchange, however old, and perhaps again."""
        told = [each for each in self.attempts if each.reports]
        if not told:
            return False
        attempt = told[next(self.chance) % len(told)]
        self.take(attempt, attempt.reports[next(self.chance) % len(attempt.reports)])
        return None

    def take(self, attempt: Attempt, report: OrderUpdate | Fill) -> None:
        before = attempt.known
        attempt.known = apply_fill(before, report) if isinstance(report, Fill) else apply(before, report)
        self.follow(attempt)

    def look(self, executor: Executor) -> bool | None:
        """The resolver, whoever holds the lane: one whole look at an order in doubt."""
        if self.until_ms <= self.now_ms:
            self.acquire(executor)
        doubtful = [each for each in self.attempts if each.known.status in IN_DOUBT]
        if not doubtful or self.holder != executor.name or self.fence != executor.fence:
            return False
        attempt = doubtful[next(self.chance) % len(doubtful)]
        believed_ms = self.now_ms + executor.error_ms
        if believed_ms < ready_ms(attempt.known, PATIENCE):
            return False
        seen = attempt.accepted_ms is not None and attempt.accepted_ms <= self.now_ms - next(self.chance) % 4 * 250
        if seen:
            self.take(attempt, attempt.reports[-1])
            return None
        here = Look(asked_ms=believed_ms, order_found=False, among_open=False, among_trades=False)
        attempt.known = miss(lose(attempt.known), here, PATIENCE)
        self.follow(attempt)
        return None

    def follow(self, attempt: Attempt) -> None:
        """What became of the attempt decides over its intent; hedges and closes that never were are tried again."""
        wanted = attempt.wanted
        if not attempt.known.is_final or attempt is not wanted.attempts[-1]:
            return
        young = self.now_ms - wanted.intent.created_ms < YOUNG_MS
        again = attempt.known.status is OrderStatus.NOT_PLACED and wanted.intent.purpose in RETRIED and young
        if again and not wanted.new and not wanted.done:
            wanted.new = True
            self.count("again")
        elif not again:
            wanted.done = True

    def cancel(self, _: Executor) -> bool | None:
        open_ones = [each for each in self.attempts if each.known.cancel is CancelState.NONE]
        if not open_ones:
            return False
        attempt = open_ones[next(self.chance) % len(open_ones)]
        attempt.known = advance_cancel(advance_cancel(attempt.known, CancelState.REQUESTED), CancelState.SENT)
        if attempt.works and attempt.known.cancel is CancelState.SENT:
            self._end(attempt, OrderStatus.CANCELLED)
        return None

    def halt(self, _: Executor) -> None:
        if self.halted_ms is None and next(self.chance) % 4 == 0:
            self.halted_ms = self.now_ms
            self.halts.append((self.now_ms, len(self.attempts)))
            self.count("halted")

    def resume(self, _: Executor) -> None:
        self.halted_ms = None

    # what befalls us

    def die(self, executor: Executor) -> bool | None:
        """It starts again under another name, and knows nothing."""
        if next(self.chance) % 3:
            return False
        at = self.executors.index(executor)
        self.count("died")
        if executor.claimed is not None:
            executor.claimed.gone = True
        self.executors[at] = Executor(f"{executor.name}'", error_ms=executor.error_ms)
        return None

    def wait(self, _: Executor) -> None:
        self.now_ms += next(self.chance)

    def wait_long(self, _: Executor) -> None:
        self.now_ms += next(self.chance) * 24

    def set_clock(self, executor: Executor) -> None:
        executor.error_ms = next(self.chance) % (2 * CLOCK_ERROR_MS + 1) - CLOCK_ERROR_MS

    # the exchange

    def match(self, _: Executor) -> bool | None:
        on_way = [each for each in self.attempts if each.passed_ms is not None and each.may_come]
        if not on_way:
            return False
        attempt = on_way[next(self.chance) % len(on_way)]
        if self.now_ms > attempt.known.expires_ms + TAIL_MS:
            attempt.gone = True
            return None
        attempt.accepted_ms, attempt.status = self.now_ms, OrderStatus.OPEN
        attempt.accepted += 1
        self._tell(attempt)
        return None

    def lose_request(self, _: Executor) -> bool | None:
        on_way = [each for each in self.attempts if each.passed_ms is not None and each.may_come]
        if not on_way:
            return False
        on_way[next(self.chance) % len(on_way)].gone = True
        return None

    def trade(self, _: Executor) -> bool | None:
        working = [each for each in self.attempts if each.works]
        if not working:
            return False
        attempt = working[next(self.chance) % len(working)]
        part = min(Decimal("0.2"), attempt.approved.amount - attempt.filled)
        attempt.filled += part
        whole = attempt.filled == attempt.approved.amount
        attempt.status = OrderStatus.FILLED if whole else OrderStatus.PARTIAL
        attempt.reports.append(fill(f"t{len(attempt.reports)}", part, PRICE, **self._ids(attempt)))
        self._tell(attempt)
        return None

    def end(self, _: Executor) -> bool | None:
        working = [each for each in self.attempts if each.works]
        if not working:
            return False
        self._end(working[next(self.chance) % len(working)], OrderStatus.CANCELLED)
        return None

    def _end(self, attempt: Attempt, status: OrderStatus) -> None:
        attempt.status = status
        self._tell(attempt)

    def _tell(self, attempt: Attempt) -> None:
        assert attempt.status is not None
        attempt.reports.append(update(attempt.status, attempt.filled, **self._ids(attempt)))

    def _ids(self, attempt: Attempt) -> dict[str, object]:
        ours = attempt.known.client_order_id
        return {"client_order_id": ours, "exchange_order_id": f"x{ours}", "side": attempt.wanted.intent.side}

    # what risk sees

    def view(self, of: OrderIntent) -> RiskView:
        state = ScopeState.ACTIVE if self.halted_ms is None else ScopeState.HALTED
        held = sum((each.known.filled * each.signed for each in self.attempts), Decimal(10))
        return view(
            now_ms=self.now_ms,
            limits=LIMITS,
            states={**dict.fromkeys(Scope, ScopeState.ACTIVE), Scope.GLOBAL: state},
            holdings=(Held(instrument=SPOT, amount=held - 10),),
            free={"USDT": Decimal(10_000), "A": Decimal(1_000)},
            working=tuple(self.working()),
            parent=Parent(amount=Decimal(100), committed=Decimal(0)),
        )

    def working(self) -> Iterator[Working]:
        for wanted in self.wanted:
            last = wanted.attempts[-1].known if wanted.attempts else None
            if wanted.done or (last is not None and last.is_final and not wanted.new):
                continue
            status = None if wanted.new else OrderStatus.UNKNOWN if last.status in IN_DOUBT else last.status  # type: ignore[union-attr]
            rest = wanted.approved.amount
            if last is not None and not wanted.new:
                rest = max(wanted.attempts[-1].approved.amount - last.filled, Decimal(0))
            yield Working(
                intent_id=wanted.intent.intent_id or 0,
                account_id=wanted.intent.account_id,
                instrument=SPOT,
                side=wanted.intent.side,
                rest=rest,
                status=status,
                created_ms=wanted.intent.created_ms,
                price=None,
            )


def worst(machine: Machine) -> Decimal:
    """What is really held, and what may really still come, all of it on the worse side."""
    held = sum((each.filled * each.signed for each in machine.attempts), Decimal(0))
    sides = {1: Decimal(0), -1: Decimal(0)}
    for attempt in machine.attempts:
        if attempt.works or (attempt.passed_ms is not None and attempt.may_come):
            sides[attempt.signed] += attempt.approved.amount - attempt.filled
    return max(abs(held + sides[1]), abs(held - sides[-1])) * PRICE
