"""Closes what is held under a halt that says so: at the market with the collar of such orders, and only ever reducing.

Once all else of its pair is over a position is closed in pieces that the limits let through, a few at a time; what is
left of it then gets more. Their keys name the halt, so that executors that see it at once write each piece once.
"""

from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from apps.feeds import selectors as feeds
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderType, PositionSide
from apps.trading import records
from apps.trading.execution.entry.intake import record_intent
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.execution.pretrade import rates, set_limits
from apps.trading.execution.pretrade.market import Market, mid_of
from apps.trading.halts import closing
from apps.trading.intent import Purpose
from apps.trading.models import (
    HaltMode,
    IntentResult,
    IntentState,
    Order,
    OrderIntent,
    Position,
    RiskState,
    Trade,
)
from apps.trading.order_state import FINAL
from apps.trading.risk import limits
from apps.trading.risk.rounding import grain
from apps.trading.risk.view import Scope, ScopeState
from apps.users.alerts import raise_alert
from apps.users.models import User

AGAIN_S = 2.0  # after a piece that came to nothing
MOST_TRIES = 10  # that came to nothing, then a person is called
TOGETHER = 4  # pieces that wait at a time: fewer than R6 lets be open
SPARE = Decimal("0.95")  # of a limit: the market moves
MAX_AGE_MS = 60_000


def flatten_due(executor: Executor) -> int:
    """Write the closing intents that are due; how many. To be called every second."""
    halts = RiskState.objects.filter(state=ScopeState.HALTED, mode=HaltMode.FLATTEN)
    return executor.apart.each("flattening", lambda state: _close_all(state, executor), halts)


def pieces(amount: Decimal, most: Decimal, step: Decimal) -> list[Decimal]:
    """The first few of as many nearly equal parts as are needed, none over `most`; the last takes what is over."""
    number = int((amount / most).to_integral_value(ROUND_CEILING))
    part = max(step, amount / number // step * step)
    parts = [part] * (number - 1)
    rest = amount - part * (number - 1)
    return [*parts, rest][:TOGETHER] if rest > 0 else [part] * min(TOGETHER, int(amount // part))


def _close_all(state: RiskState, executor: Executor) -> int:
    held = closing.positions(state.scope, state.scope_id)
    return executor.apart.each("flattening", lambda each: _close(state, each, executor), held)


def _close(state: RiskState, position: Position, executor: Executor) -> int:
    if not _is_quiet(position):
        return 0
    tries = _tries(state, position)
    in_vain = tries.exclude(result__in=[IntentResult.FILLED, IntentResult.PARTIAL_CANCELLED])
    if in_vain.filter(done_at__gt=Now() - timedelta(seconds=AGAIN_S)).exists():
        return 0
    most = _most(state, position, executor.market)
    if most is None or in_vain.count() >= MOST_TRIES:
        _give_up(position, "no live book tells its price" if most is None else f"{MOST_TRIES} orders came to nothing")
        return 0
    parts = pieces(abs(closing.amount_of(position)), most, grain(feeds.instrument(position.pair)))
    first = tries.count()
    keys = [f"{_key(state, position)} {first + number}" for number in range(len(parts))]
    return sum(_write(state, position, *part, executor.market) for part in zip(keys, parts, strict=True))


def _key(state: RiskState, position: Position) -> str:
    at_ms = records.milliseconds(state.at)
    return f"flatten {state.pk} {at_ms} {position.account_id} {position.pair_id} {position.side}"


def _tries(state: RiskState, position: Position) -> QuerySet[OrderIntent]:
    """As a range: a comparison of beginnings would read all keys there are."""
    key = _key(state, position)
    return OrderIntent.objects.filter(intent_key__range=(f"{key} ", f"{key}!"))  # `!` is what comes after a space


def _write(state: RiskState, position: Position, key: str, amount: Decimal, market: Market) -> int:
    written = record_intent(
        key=key,
        account=position.account,
        pair=position.pair,
        side=Side.SELL if position.amount > 0 else Side.BUY,
        type=OrderType.MARKET,
        amount=amount,
        purpose=Purpose.FLATTEN,
        reduce_only=position.pair.market_type == MarketType.FUTURES,
        position_side=PositionSide(position.side),
        repeats=True,
        max_age_ms=MAX_AGE_MS,
        trade=Trade.objects.get(pk=state.scope_id) if state.scope == Scope.TRADE else None,
        user=User.objects.filter(username=state.by).first(),
        market=market,
    )
    return int(written.created)


def _most(state: RiskState, position: Position, market: Market) -> Decimal | None:
    """The largest piece that R2 and R3 let through now; None: nobody knows."""
    instrument, exchange = feeds.instrument(position.pair), position.pair.exchange.code
    top = market.top(instrument.key)
    mid = mid_of(top)
    rate = rates.quotes({instrument.quote}, [exchange], market).get(instrument.quote)
    if top is None or mid is None or rate is None:
        return None
    named = Q(scope=Scope.GLOBAL) | Q(scope=Scope.EXCHANGE, scope_id=exchange)
    named |= Q(scope=Scope.ACCOUNT, scope_id=str(position.account_id)) | Q(scope="pair", scope_id=str(position.pair_id))
    found = limits.of_halts(set_limits.read(named), closing=True)
    depth = top.bid_depth if position.amount > 0 else top.ask_depth
    return min(found.max_order_usdt / (mid * rate), depth * found.max_depth_share) * SPARE or None


def _is_quiet(position: Position) -> bool:
    """Nothing of the pair may still fill, and no closing order is on its way."""
    named = Q(account_id=position.account_id, pair_id=position.pair_id)
    if Order.objects.filter(named, intent__isnull=False).exclude(status__in=list(FINAL)).exists():
        return False
    lane = lane_of(position.account_id, position.pair_id)
    under_way = Q(lane=lane) & (~Q(state__in=[IntentState.DONE, IntentState.NEW]) | Q(purpose=Purpose.FLATTEN))
    return not OrderIntent.objects.filter(under_way).exclude(state=IntentState.DONE).exists()


def _give_up(position: Position, why: str) -> None:
    raise_alert(
        kind="FLATTEN",
        text=f"{position.pair} is still held: {why}. Close it by hand.",
        scope=Scope.ACCOUNT,
        scope_id=str(position.account_id),
        subject=f"position {position.pk}",
        once=True,
    )
