"""Controls of who may trade at all and how fast: R1, R9 to R12 and R15 to R21."""

from collections.abc import Iterable

from apps.feeds.orders import OrderStatus, OrderType, TimeInForce
from apps.trading.intent import Purpose
from apps.trading.risk import limits
from apps.trading.risk.view import DenyReason, Proposal, RiskView, Scope, ScopeState

SECOND_MS = 1_000


def recent(times_ms: Iterable[int], now_ms: int, window_ms: int) -> int:
    """How many are younger than the window; what claims to come from the future is recent as well."""
    return sum(now_ms - at_ms < window_ms for at_ms in times_ms)


def switch(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R1: the most restrictive of the four scopes holds."""
    if view.is_live and not view.live_allowed:
        return DenyReason.LIVE_OFF
    states = [view.states.get(scope) for scope in Scope]
    if None in states:
        return DenyReason.MISSING
    if ScopeState.HALTED in states:
        return None if proposal.flattens(view) else DenyReason.HALTED
    if proposal.intent.purpose is Purpose.FLATTEN and not view.flatten_confirmed:
        return DenyReason.NOT_CONFIRMED
    return DenyReason.ONLY_REDUCING if ScopeState.REDUCING in states and not proposal.reduces else None


def day_loss(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R9"""
    if proposal.reduces:
        return None
    lost = lost_too_much(view)
    if lost is None:
        return DenyReason.MISSING
    return DenyReason.DAY_LOSS if lost else None


def lost_too_much(view: RiskView) -> bool | None:
    """None: nobody knows."""
    if view.equity_usdt is None or view.day_result_usdt is None:
        return None
    share = view.equity_usdt * view.limits.max_day_loss_share
    return -view.day_result_usdt >= min(share, view.limits.max_day_loss_usdt)


def order_rate(_: Proposal, view: RiskView) -> DenyReason | None:
    """R10"""
    if recent((each.at_ms for each in view.sent), view.now_ms, SECOND_MS) >= view.limits.max_orders_s:
        return DenyReason.ORDER_RATE
    if view.exchange_load is None:
        return DenyReason.MISSING
    return DenyReason.EXCHANGE_RATE if view.exchange_load >= view.limits.max_exchange_share else None


def executions(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R11"""
    over = executed_too_often(view) and not proposal.flattens(view)
    return DenyReason.REPEATED_EXECUTION if over else None


def executed_too_often(view: RiskView) -> bool:
    """What was sent before a person resumed the TRADE is forgiven."""
    since = [at_ms for at_ms in view.trade_sent_ms if at_ms > view.trade_resumed_ms]
    return recent(since, view.now_ms, limits.EXECUTION_WINDOW_MS) >= view.limits.max_executions


def duplicate(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R12: neither sent nor ahead of it in the queue."""
    intent, window_ms = proposal.intent, view.limits.duplicate_window_ms
    if intent.repeats:
        return None
    this = (proposal.instrument.key, intent.side, proposal.amount, proposal.price)
    sent = [each.at_ms for each in view.sent if (each.key, each.side, each.amount, each.price) == this]
    wanted = (*this[:3], None if intent.type is OrderType.MARKET else proposal.price)
    queued = [
        each.created_ms
        for each in view.others(intent)
        if each.status is None
        and (intent.intent_id is None or each.intent_id < intent.intent_id)
        and (each.instrument.key, each.side, each.rest, each.price) == wanted
    ]
    again = recent(sent, view.now_ms, window_ms) or recent(queued, intent.created_ms, window_ms)
    return DenyReason.DUPLICATE if again else None


def unknowns(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R15"""
    if unknown_too_often(view) and not proposal.flattens(view):
        return DenyReason.UNKNOWN_BREAKER
    key = proposal.instrument.key
    lane = [each for each in view.others(proposal.intent) if each.instrument.key == key]
    in_doubt = any(each.status is OrderStatus.UNKNOWN for each in lane)
    return DenyReason.LANE_UNKNOWN if in_doubt and not proposal.reduces else None


def unknown_too_often(view: RiskView) -> bool:
    return recent(view.unknown_ms, view.now_ms, limits.UNKNOWN_WINDOW_MS) >= view.limits.max_unknown


def rejects(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R16"""
    if proposal.flattens(view):
        return None
    if paused_too_often(view):
        return DenyReason.REJECT_BREAKER
    paused = view.now_ms < view.paused_until_ms or rejected_too_often(view)
    return DenyReason.LANE_PAUSED if paused else None


def rejected_too_often(view: RiskView) -> bool:
    """What happened before the lane's last pause was over has had its effect."""
    last = view.outcomes[-limits.OUTCOMES_SEEN :]
    bad = [each.at_ms for each in last if each.rejected and each.at_ms >= view.paused_until_ms]
    return recent(bad, view.now_ms, limits.OUTCOMES_WINDOW_MS) > limits.MAX_REJECTS


def paused_too_often(view: RiskView) -> bool:
    return recent(view.pauses_ms, view.now_ms, limits.PAUSES_WINDOW_MS) >= limits.MAX_PAUSES


def mismatch(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R17"""
    state = mismatch_state(view)
    passes = {
        ScopeState.ACTIVE: True,
        ScopeState.REDUCING: proposal.reduces,
        ScopeState.HALTED: proposal.flattens(view),
    }
    return None if passes[state] else DenyReason.MISMATCH


def mismatch_state(view: RiskView) -> ScopeState:
    """What a difference from the exchange's own figures that stays makes of the account."""
    if view.mismatch is None or abs(view.mismatch.lots) <= view.limits.max_mismatch_lots:
        return ScopeState.ACTIVE
    age_ms = view.now_ms - view.mismatch.since_ms
    if age_ms > limits.HALT_AFTER_MS:
        return ScopeState.HALTED
    return ScopeState.REDUCING if age_ms > limits.REDUCE_AFTER_MS else ScopeState.ACTIVE


def unhedged(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R18: while a leg is not covered, what covers or unwinds it comes first."""
    adds = proposal.intent.purpose is Purpose.ENTRY and not proposal.reduces
    return DenyReason.UNHEDGED if view.unhedged_ms and adds else None


def unhedged_too_long(view: RiskView) -> bool:
    return any(view.now_ms - since_ms > view.limits.max_unhedged_ms for since_ms in view.unhedged_ms)


def build(_: Proposal, view: RiskView) -> DenyReason | None:
    """R19"""
    return None if view.build_id and view.build_id == view.allowed_build else DenyReason.BUILD


def alert(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R20"""
    return DenyReason.ALERT_UNACKED if unacked_too_long(view) and not proposal.flattens(view) else None


def unacked_too_long(view: RiskView) -> bool:
    waits_ms = 0 if view.alert_unacked_ms is None else view.now_ms - view.alert_unacked_ms
    return waits_ms > view.limits.max_unacked_ms


def dead_man(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R21: a timer that fired waits for a person, one that has run out unrefreshed is about to cancel what rests."""
    timer = view.dead_man
    if timer is None or proposal.flattens(view):
        return None
    if timer.fired:
        return DenyReason.DEAD_MAN
    rests = proposal.tif is not TimeInForce.IOC and not proposal.reduces
    over = timer.deadline_ms is not None and view.now_ms >= timer.deadline_ms
    return DenyReason.DEAD_MAN if rests and over else None
