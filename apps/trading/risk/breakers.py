"""What trips by itself: seen while nothing is being ordered as well, so that a scope is stopped within seconds.

Only a person sets a scope going again; the pause of a lane ends on its own.
"""

from decimal import localcontext
from enum import StrEnum

from msgspec import Struct

from apps.trading.risk import flow
from apps.trading.risk.limits import PAUSE_MS
from apps.trading.risk.rounding import EXACT
from apps.trading.risk.view import DenyReason, RiskView, ScopeState


class Action(StrEnum):
    HALT_ACCOUNT = "HALT_ACCOUNT"
    REDUCE_ACCOUNT = "REDUCE_ACCOUNT"
    HALT_TRADE = "HALT_TRADE"
    REDUCE_TRADE = "REDUCE_TRADE"
    PAUSE_LANE = "PAUSE_LANE"


class Trip(Struct, frozen=True):
    """`until_ms` only of a pause."""

    action: Action
    reason: DenyReason
    until_ms: int | None = None


def trips(view: RiskView) -> list[Trip]:
    """All that is due for the view's account, TRADE and lane; carrying one out twice changes nothing."""
    with localcontext(EXACT):
        state = flow.mismatch_state(view)
        due = (
            (flow.lost_too_much(view) is True, Trip(Action.HALT_ACCOUNT, DenyReason.DAY_LOSS)),
            (flow.executed_too_often(view), Trip(Action.HALT_TRADE, DenyReason.REPEATED_EXECUTION)),
            (flow.unknown_too_often(view), Trip(Action.HALT_ACCOUNT, DenyReason.UNKNOWN_BREAKER)),
            (
                flow.rejected_too_often(view) and view.now_ms >= view.paused_until_ms,
                Trip(Action.PAUSE_LANE, DenyReason.LANE_PAUSED, view.now_ms + PAUSE_MS),
            ),
            (flow.paused_too_often(view), Trip(Action.HALT_ACCOUNT, DenyReason.REJECT_BREAKER)),
            (state is ScopeState.REDUCING, Trip(Action.REDUCE_ACCOUNT, DenyReason.MISMATCH)),
            (state is ScopeState.HALTED, Trip(Action.HALT_ACCOUNT, DenyReason.MISMATCH)),
            (flow.unhedged_too_long(view), Trip(Action.REDUCE_TRADE, DenyReason.UNHEDGED)),
            (flow.unacked_too_long(view), Trip(Action.HALT_ACCOUNT, DenyReason.ALERT_UNACKED)),
        )
    return [trip for is_due, trip in due if is_due]
