"""T0: what a strategy or a person wants is written down once, with what it reserves, or with why risk refuses it."""

import time
from dataclasses import dataclass
from decimal import Decimal

from django.db import DatabaseError, IntegrityError
from django.db.models.functions import Now

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import MarginMode, OrderType, PositionSide, TimeInForce
from apps.trading import trades
from apps.trading.execution.entry import wishes
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.execution.pretrade import guards
from apps.trading.execution.pretrade.catalogue import instruments
from apps.trading.execution.pretrade.judging import Surroundings, judge, now_of
from apps.trading.execution.pretrade.market import Market, look
from apps.trading.execution.runtime import hooks, statements
from apps.trading.execution.runtime.transactions import in_transaction, is_lost
from apps.trading.execution.runtime.waking import wake_on_commit
from apps.trading.intent import Purpose
from apps.trading.models import Account, Arbitrage, IntentResult, IntentState, OrderIntent, Trade
from apps.trading.risk.gate import Denied
from apps.users.models import User
from apps.users.services import SYSTEM, Actor

MAX_AGE_MS = 5_000
COLUMNS = tuple(field.attname for field in OrderIntent._meta.concrete_fields if not field.primary_key)
ZERO = Decimal(0)


class KeyConflict(ValueError):
    """The key was used before, for something else."""


@dataclass(frozen=True)
class Recorded:
    """`created` False: the key was known, and this is its row. A row that risk refused is DONE, with the reason."""

    intent: OrderIntent
    created: bool


def record_intent(
    *,
    key: str,
    account: Account,
    pair: TradePair,
    side: Side,
    type: OrderType,
    amount: Decimal,
    price: Decimal | None = None,
    tif: TimeInForce = TimeInForce.GTC,
    purpose: Purpose = Purpose.ENTRY,
    reduce_only: bool = False,
    position_side: PositionSide = PositionSide.NET,
    margin_mode: MarginMode = MarginMode.ISOLATED,
    leverage: int | None = None,
    repeats: bool = False,
    parent: OrderIntent | None = None,
    arbitrage: Arbitrage | None = None,
    leg: int | None = None,
    max_age_ms: int = MAX_AGE_MS,
    user: User | None,
    trade: Trade | None = None,
    market: Market,
) -> Recorded:
    """Write the intent, once for its key, and wake its lane when that is committed.

    Without a `trade` it is of the TRADE row of orders by hand. Who may act for the account is asked before.
    Raises KeyConflict, and Django's ValidationError, which names the fields, for what can be no order at all.
    """
    actor = SYSTEM if user is None else Actor(user=user.get_username(), user_id=user.pk)
    row = OrderIntent(
        intent_key=key,
        account=account,
        trade=trade,
        pair=pair,
        lane=lane_of(account.pk, pair.pk),
        purpose=purpose,
        side=side,
        type=type,
        amount=amount,
        price=price,
        tif=tif,
        reduce_only=reduce_only,
        position_side=position_side,
        margin_mode=margin_mode,
        leverage=leverage,
        repeats=repeats,
        parent=parent,
        arbitrage=arbitrage,
        leg=leg,
        max_age_ms=max_age_ms,
        user=user,
    )
    wishes.check(row)
    if trade is None:
        row.trade = trades.manual(account=account, pair=pair.pair, actor=actor)
    row.fingerprint = wishes.fingerprint(row)
    return _once(row, feeds.instrument(pair), market)


def cancel_intent(intent_id: int) -> bool:
    """End an intent that nobody has begun to send; False: it is too late for that, cancel its order."""
    waiting = OrderIntent.objects.filter(pk=intent_id, state=IntentState.NEW)
    return bool(waiting.update(result=IntentResult.CANCELLED, done_at=Now(), **_OVER))


def _once(row: OrderIntent, instrument: Instrument, market: Market) -> Recorded:
    """Write it, or find what was written under its key; also where nobody told whether the commit came through."""
    seen = look(market, instrument.key, time.monotonic)
    try:
        _write(row, Surroundings(instrument=instrument, seen=seen, market=market, instruments=instruments))
    except IntegrityError:
        return Recorded(_known(row), created=False)
    except DatabaseError as error:
        if not is_lost(error):
            raise
        return Recorded(_known(row), created=True)
    return Recorded(row, created=True)


def _known(row: OrderIntent) -> OrderIntent:
    """Raise KeyConflict, and DoesNotExist where there is none: then nothing was written."""
    known = OrderIntent.objects.get(intent_key=row.intent_key)
    if known.fingerprint != row.fingerprint:
        raise KeyConflict(f"the key {row.intent_key!r} was used for another intent")
    return known


@in_transaction
def _write(row: OrderIntent, around: Surroundings) -> None:
    usage = guards.lock_usage(row.account_id)
    row.pk, row.created_at = None, now_of(usage)  # also of an earlier try that was given up
    row.state, row.attempt = IntentState.NEW, 0
    row.result, row.done_at, row.deny_reason, row.deny_text = None, None, "", ""
    row.reserved_asset, row.reserved_amount, row.reserved_notional = "", ZERO, ZERO
    verdict = judge(row, usage, around)
    if isinstance(verdict, Denied):
        row.state, row.result, row.done_at = IntentState.DONE, IntentResult.RISK_DENIED, row.created_at
        row.deny_reason, row.deny_text = verdict.reason, verdict.text[:300]
    else:
        wake_on_commit(row.lane)
    row.pk = statements.insert(OrderIntent, {name: getattr(row, name) for name in COLUMNS})
    hooks.at("K1")


_OVER = {"state": IntentState.DONE, "reserved_amount": ZERO, "reserved_notional": ZERO}
