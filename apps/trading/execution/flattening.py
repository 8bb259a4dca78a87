"""Closes what is held under a halt that says so: at the market with the collar of such orders, and only ever reducing.

An intent for each position, once all else of its pair is over; what is left of the position then gets another. Its key
names the halt, so that executors that see it at once write one.
"""

from datetime import timedelta

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderType, PositionSide
from apps.trading import records, scopes
from apps.trading.execution.executor import Executor
from apps.trading.execution.intake import record_intent
from apps.trading.execution.lanes import lane_of
from apps.trading.intent import Purpose
from apps.trading.models import Account, HaltMode, IntentState, Order, OrderIntent, Position, RiskState, Trade
from apps.trading.order_state import FINAL
from apps.trading.risk_view import Scope, ScopeState
from apps.users.alerts import raise_alert
from apps.users.models import User

log = structlog.get_logger(__name__)

AGAIN_S = 2.0  # after the last try
MOST_TRIES = 10
MAX_AGE_MS = 60_000


def flatten_due(executor: Executor) -> int:
    """Write the closing intents that are due; how many. To be called every second."""
    written = 0
    for state in RiskState.objects.filter(state=ScopeState.HALTED, mode=HaltMode.FLATTEN):
        for position in held_under(state):
            written += _close(state, position, executor)
    return written


def held_under(state: RiskState) -> list[Position]:
    """What the halt is to close: of a TRADE the position of its account on its pair."""
    accounts = Account.objects.filter(scopes.accounts_under(state.scope, state.scope_id), active=True)
    rows = Position.objects.filter(account__in=accounts).exclude(amount=0)
    if state.scope == Scope.TRADE:
        trade = Trade.objects.get(pk=state.scope_id)
        rows = rows.filter(pair__pair=trade.pair)
    return list(rows.select_related("account__exchange", "pair__exchange").order_by("account_id", "pair_id"))


def _close(state: RiskState, position: Position, executor: Executor) -> int:
    if not _is_quiet(position):
        return 0
    prefix = f"flatten {state.pk} {records.milliseconds(state.at)} {position.account_id} {position.pair_id} "
    tries = OrderIntent.objects.filter(intent_key__startswith=prefix + position.side)
    if tries.filter(done_at__gt=Now() - timedelta(seconds=AGAIN_S)).exists():
        return 0
    number = tries.count()
    if number >= MOST_TRIES:
        _give_up(position)
        return 0
    futures = position.pair.market_type == MarketType.FUTURES
    written = record_intent(
        key=f"{prefix}{position.side} {number}",
        account=position.account,
        pair=position.pair,
        side=Side.SELL if position.amount > 0 else Side.BUY,
        type=OrderType.MARKET,
        amount=abs(position.amount),
        purpose=Purpose.FLATTEN,
        reduce_only=futures,
        position_side=PositionSide(position.side),
        repeats=True,
        max_age_ms=MAX_AGE_MS,
        trade=Trade.objects.get(pk=state.scope_id) if state.scope == Scope.TRADE else None,
        user=User.objects.filter(username=state.by).first(),
        market=executor.market,
    )
    return int(written.created)


def _is_quiet(position: Position) -> bool:
    """Nothing of the pair may still fill, and no closing order is on its way."""
    named = Q(account_id=position.account_id, pair_id=position.pair_id)
    if Order.objects.filter(named, intent__isnull=False).exclude(status__in=list(FINAL)).exists():
        return False
    lane = lane_of(position.account_id, position.pair_id)
    under_way = Q(lane=lane) & (~Q(state__in=[IntentState.DONE, IntentState.NEW]) | Q(purpose=Purpose.FLATTEN))
    return not OrderIntent.objects.filter(under_way).exclude(state=IntentState.DONE).exists()


def _give_up(position: Position) -> None:
    raise_alert(
        kind="FLATTEN",
        text=f"{position.pair} is still held after {MOST_TRIES} closing orders: close it by hand",
        scope=Scope.ACCOUNT,
        scope_id=str(position.account_id),
        subject=f"position {position.pk}",
        once=True,
    )
