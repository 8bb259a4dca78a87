"""A lane is worked: its intents one after the other, one request in flight, until nothing is left or it is lost."""

from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from apps.trading.execution.entry import leverages
from apps.trading.execution.entry.claiming import Claim, TurnedAway, claim
from apps.trading.execution.entry.sending import Fate, send
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import HeldLane, LaneLost
from apps.trading.execution.gateway.ports import CannotWork, Port
from apps.trading.execution.runtime import hooks
from apps.trading.execution.runtime.transactions import mend

log = structlog.get_logger(__name__)

MOST = 50  # of one lane before others have their turn


class Ended(StrEnum):
    """Why `work_lane` came back."""

    EMPTY = "empty"
    BUSY = "busy"  # somebody else works it
    LOST = "lost"  # its lease ran out under us
    FULL = "full"  # there is more, and others wait
    CANNOT = "cannot"  # this process has no way to its account
    UNSURE = "unsure"  # nor does it know its exchange's time yet
    STOPPED = "stopped"  # this process is told to stop
    MISNAMED = "misnamed"  # it is no lane


@dataclass(frozen=True, kw_only=True)
class Worked:
    ended: Ended
    sent: int = 0  # requests that left, whatever became of them
    turned_away: int = 0  # intents that risk refused, or that were too old


def work_lane(lane: str, *, executor: Executor) -> Worked:
    """Take the lane and work it; what is interrupted at any point is resolved by whoever holds the lane next."""
    mend()
    worked = _work(lane, executor)
    executor.tally.add(f"lanes {worked.ended}")
    return worked


def _work(lane: str, executor: Executor) -> Worked:
    try:
        account_id, _ = lanes.ids_of(lane)
    except ValueError as error:  # raised, it would keep the lanes behind it from their turn
        log.error("lane passed over", error=str(error))
        return Worked(ended=Ended.MISNAMED)
    try:
        port = executor.ports.of(account_id)
    except CannotWork as reason:
        log.info("lane left to others", lane=lane, reason=str(reason))
        return Worked(ended=Ended.CANNOT)
    if port.clock_error_ms() is None:  # risk would refuse what somebody else can send
        return Worked(ended=Ended.UNSURE)
    total = Worked(ended=Ended.BUSY)
    while True:
        held = lanes.find(lane, executor)
        if held is None:
            return total
        worked = _hold(held, executor, port)
        total = Worked(
            ended=worked.ended, sent=total.sent + worked.sent, turned_away=total.turned_away + worked.turned_away
        )
        # one that was written after the last look, while its hint found the lane taken, is ours to see
        if worked.ended is not Ended.EMPTY or not lanes.has_waiting(lane):
            return total


def _hold(held: HeldLane, executor: Executor, port: Port) -> Worked:
    sent = turned_away = 0
    try:
        for _ in range(MOST):
            if executor.is_stopping():
                return Worked(ended=Ended.STOPPED, sent=sent, turned_away=turned_away)
            leverages.settle(held.lane, executor, port)
            held = lanes.keep(held, executor)
            next_one = claim(held, executor=executor, port=port)
            held = replace(held, seen=None)
            match next_one:
                case None:
                    return Worked(ended=Ended.EMPTY, sent=sent, turned_away=turned_away)
                case TurnedAway(result=result):
                    turned_away += 1
                    executor.tally.add(f"intents {result}")
                case Claim():
                    fate = send(next_one, held, executor=executor, port=port)
                    sent += fate is not Fate.LEFT
                    executor.tally.add(f"orders {fate}")
                    hooks.at("K10")
            if not next_one.more:
                return Worked(ended=Ended.EMPTY, sent=sent, turned_away=turned_away)
    except LaneLost:
        if held.seen is not None:  # somebody was faster
            return Worked(ended=Ended.BUSY)
        log.warning("lane lost", lane=held.lane)
        return Worked(ended=Ended.LOST, sent=sent, turned_away=turned_away)
    except CannotWork as reason:  # closed since the port was asked for
        log.info("lane left to others", lane=held.lane, reason=str(reason))
        return Worked(ended=Ended.CANNOT, sent=sent, turned_away=turned_away)
    finally:
        lanes.release(held)
    return Worked(ended=Ended.FULL, sent=sent, turned_away=turned_away)


def sweep(*, executor: Executor, limit: int = 20) -> int:
    """Work lanes whose wake-up was lost; how many requests were sent. To be called every 250 ms."""
    mend()
    due = lanes.due(limit, without=executor.shut.accounts(), resting=executor.apart.resting("lanes"))
    return executor.apart.each("lanes", lambda lane: _sweep(lane, executor), due)


def _sweep(lane: str, executor: Executor) -> int:
    worked = work_lane(lane, executor=executor)
    if worked.ended in (Ended.CANNOT, Ended.UNSURE):
        executor.shut.note(lanes.ids_of(lane)[0])
    return worked.sent
