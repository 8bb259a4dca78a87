"""Carries out what controls trip by themselves (`risk.breakers`), while nothing is being ordered as well."""

from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.models import TradePair
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.execution.pretrade import guards, set_limits
from apps.trading.execution.pretrade.catalogue import instruments
from apps.trading.execution.pretrade.facts import Subject
from apps.trading.execution.pretrade.gathering import Halts, gather
from apps.trading.execution.pretrade.market import Market, Seen
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.halts import halting
from apps.trading.models import Account, LanePause, Order, Position, Trade, Wallet
from apps.trading.records import ZERO
from apps.trading.risk.breakers import Action, Trip, trips
from apps.trading.risk.limits import PAUSE_MS
from apps.trading.risk.view import DenyReason, RiskView, Scope, ScopeState
from apps.users import alerts

log = structlog.get_logger(__name__)

RECENT_S = 600.0  # longer than any window but that of pauses, which is asked for by account
HALTS = (Action.HALT_ACCOUNT, Action.HALT_TRADE)
OF_TRADE = (Action.HALT_TRADE, Action.REDUCE_TRADE)


class Place(Struct, frozen=True):
    """What is looked at together: a lane, and a TRADE that orders in it."""

    account_id: int
    pair_id: int
    trade_id: int


def break_due(executor: Executor) -> int:
    """Look at whatever has traded, holds something or is in trouble; how much was stopped. Every half second."""
    set_limits.tell_senseless()
    return executor.apart.each("breakers", lambda place: check(place, executor.market), places())


def check(place: Place, market: Market) -> int:
    """Stop what is to be stopped now; how much that was. What is stopped already stays as it is."""
    pair = TradePair.objects.select_related("exchange").get(pk=place.pair_id)
    top = market.top(pair.key)
    return _check(place, pair, Seen(top=top), market)


def places() -> list[Place]:
    """Of each account at least one, where there is anything to look at."""
    since = Now() - timedelta(seconds=RECENT_S)
    active = list(Account.objects.filter(active=True).values_list("pk", flat=True))
    recent = Order.objects.filter(account__in=active, created_at__gt=since, intent__isnull=False).order_by()
    found = {Place(*row) for row in recent.values_list("account_id", "pair_id", "trade_id").distinct()}
    seen = {place.account_id for place in found}
    for position in Position.objects.exclude(account__in=seen).exclude(amount=0):
        found.add(Place(position.account_id, position.pair_id, 0))
    seen = {place.account_id for place in found}
    return sorted(
        found | set(_quiet(seen)) | set(_quiet_trades()),
        key=lambda place: (place.account_id, place.pair_id, place.trade_id),
    )


def _quiet(seen: Iterable[int]) -> Iterable[Place]:
    """Accounts that do nothing and are in trouble: a balance that differs, an alert that waits."""
    differing = Wallet.objects.filter(mismatch_since__isnull=False).values_list("account_id", flat=True)
    waiting = alerts.waiting().filter(scope=Scope.ACCOUNT).values_list("scope_id", flat=True)
    troubled = {*differing, *(int(text) for text in waiting if text.isdigit())}.difference(seen)
    for account in Account.objects.filter(pk__in=troubled, active=True):
        if (pair_id := _some_pair(account)) is not None:
            yield Place(account.pk, pair_id, 0)


def _quiet_trades() -> Iterable[Place]:
    """TRADE rows whose alerts wait, whether they order something or not."""
    waiting = alerts.waiting().filter(scope=Scope.TRADE).values_list("scope_id", flat=True)
    named = Trade.objects.filter(pk__in=[int(text) for text in waiting if text.isdigit()], account__active=True)
    for trade in named.select_related("account"):
        if trade.account is not None and (pair_id := _some_pair(trade.account)) is not None:
            yield Place(trade.account.pk, pair_id, trade.pk)


def _some_pair(account: Account) -> int | None:
    pairs = TradePair.objects.filter(exchange_id=account.exchange_id, market_type=account.market_type)
    return pairs.order_by("id").values_list("pk", flat=True).first()


@in_transaction
def _check(place: Place, pair: TradePair, seen: Seen, market: Market) -> int:
    """With the account's use locked: of several who look, one stops."""
    usage = guards.lock_usage(place.account_id)
    if usage is None:
        return 0
    lane = lane_of(place.account_id, place.pair_id)
    subject = Subject(
        account_id=place.account_id,
        pair_id=place.pair_id,
        trade_id=place.trade_id,
        exchange=pair.exchange.code,
        lane=lane,
    )
    view = gather(
        subject,
        feeds.instrument(pair),
        amount=ZERO,
        seen=seen,
        usage=usage,
        shared=False,
        sender=None,
        market=market,
        instruments=instruments,
        halts=Halts.STOPS,
    )
    return sum(_carry_out(trip, place, lane, view) for trip in trips(view))


def _carry_out(trip: Trip, place: Place, lane: str, view: RiskView) -> int:
    if trip.action is Action.PAUSE_LANE:
        until = Now() + timedelta(milliseconds=PAUSE_MS)
        LanePause.objects.create(lane=lane, account_id=place.account_id, until=until, reason=trip.reason)
        log.warning("lane paused", lane=lane, reason=trip.reason)
        return 1
    scope = Scope.TRADE if trip.action in OF_TRADE else Scope.ACCOUNT
    scope_id = str(place.trade_id if scope is Scope.TRADE else place.account_id)
    have = view.states.get(scope)
    wanted = ScopeState.HALTED if trip.action in HALTS else ScopeState.REDUCING
    if have is None or halting.SEVERITY[have] >= halting.SEVERITY[wanted]:
        return 0  # a switch that is missing denies everything
    if trip.reason is DenyReason.ALERT_UNACKED:
        alerts.escalate(scope=scope, scope_id=scope_id)
        alerts.escalate(scope=Scope.TRADE, scope_id=str(place.trade_id))
    stop = halting.halt if wanted is ScopeState.HALTED else halting.reduce
    stop(scope=scope, scope_id=scope_id, reason=trip.reason.value, actor=halting.control("risk"))
    return 1
