"""The one request of an order, and what its answer makes of the order (T2)."""

from enum import StrEnum

import structlog

from apps.feeds.errors import DuplicateOrder, FeedError, OutcomeUnknown, Refused, Retryable
from apps.trading.bookkeeping import recording
from apps.trading.execution.entry.claiming import Claim, expiry_ms
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import MARGIN_S, HeldLane
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.runtime import hooks

log = structlog.get_logger(__name__)


class Fate(StrEnum):
    PLACED = "placed"
    REFUSED = "refused"  # a definite no, or it did not leave
    LOST = "lost"  # nobody knows: it is looked for
    LEFT = "left"  # too late to send it; whoever holds the lane then proves that it is nowhere


class TooLate(Exception):
    """It was held up so long that it might be taken after somebody else has taken over."""


def send(claim: Claim, held: HeldLane, *, executor: Executor, port: Port) -> Fate:
    """Send what is committed, once, and record what comes of it. Whatever else is raised leaves it for the resolver."""
    hooks.at("K5")
    needed_s = expiry_ms(executor, port) / 1000 + MARGIN_S

    def check() -> None:
        now = executor.monotonic()
        if now > claim.leave_by or held.until - now < needed_s:
            raise TooLate

    try:
        check()
        placed = port.place(claim.order, check=check)
    except TooLate:
        log.warning("not sent: too late", order=claim.order_id)
        return Fate.LEFT
    except FeedError as error:
        hooks.at("K8")
        return _failed(claim, error)
    hooks.at("K8")
    recording.record_placed(claim.order_id, placed, claim.order.instrument)
    return Fate.PLACED


def _failed(claim: Claim, error: FeedError) -> Fate:
    """Of a duplicate something with our id is there, and it may be this very order."""
    if isinstance(error, Refused | Retryable) and not isinstance(error, DuplicateOrder):
        recording.record_refusal(claim.order_id, error)
        return Fate.REFUSED
    unknown = error if isinstance(error, OutcomeUnknown) else OutcomeUnknown(f"{type(error).__name__}: {error}")
    recording.record_loss(claim.order_id, unknown)
    return Fate.LOST
