"""Every change of TRADE rows, whoever asks: admin, pages and REST.

One change is one row of the audit trail, and the daemons are told when it is committed. What cannot be done is refused
with Django's ValidationError, which names the fields. Who may act for an account is asked before, see
`selectors.may_trade`.
"""

import json
from collections.abc import Collection, Mapping
from hashlib import sha256
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, MarketType
from apps.feeds.models import TradePair
from apps.feeds.services import nudge_on_commit
from apps.trading import runnable
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import MANUAL, Account, AccountMode, Order, OrderIntent, RiskState, Trade
from apps.trading.risk.view import Scope, ScopeState
from apps.users.services import SYSTEM, Actor, record

PRIORITIES = (-(2**31), 2**31 - 1)  # the column is an INT
EDITABLE = ("enabled", "params", "priority")
LONGEST_PARAMS = 200  # names
DEEPEST_PARAMS = 16  # MariaDB stores no more than 32
WHOLE = (-(2**63), 2**63 - 1)  # MySQL keeps what is longer as another number


@in_transaction
def add(
    *,
    account: Account,
    pair: str,
    strategy: str,
    actor: Actor,
    params: Mapping[str, Any] | None = None,
    priority: int = 0,
    enabled: bool = True,
    reason: str = "",
) -> Trade:
    """Trade one more pair on the account's market. Live money needs a second person and is refused here."""
    if account.mode == AccountMode.LIVE and strategy != MANUAL:
        raise ValidationError({"account": "A strategy goes live with the approval of a second person."})
    values: dict[str, Any] = {"params": dict(params or {}), "priority": priority, "enabled": enabled}
    check_values(**values)
    row = _create(account, _listed(account, pair), strategy, actor, values)
    if enabled:
        check_runnable(row)
    _trace("trade.add", row, actor, reason, after=_state(row))
    return row


def manual(*, account: Account, pair: str, actor: Actor) -> Trade:
    """The TRADE row of orders by hand on this account and pair, made and switched on where it is not."""
    row = _by_hand(account, pair)  # the usual one: for orders at work, whose rows name the account, nobody waits
    return row if row is not None and row.enabled else _enabled_by_hand(account, pair, actor)


@in_transaction
def _enabled_by_hand(account: Account, pair: str, actor: Actor) -> Trade:
    Account.objects.select_for_update().get(pk=account.pk)  # two who ask at once get the same row
    row = _by_hand(account, pair)
    if row is None:
        return add(account=account, pair=pair, strategy=MANUAL, actor=actor, reason="an order by hand")
    if not row.enabled:
        edit(trade_id=row.pk, values={"enabled": True}, actor=actor, reason="an order by hand")
        row.refresh_from_db()
    return row


def _by_hand(account: Account, pair: str) -> Trade | None:
    rows = Trade.objects.filter(account=account, strategy=MANUAL, pair=pair.strip().upper())
    return rows.order_by("pk").first()


@in_transaction
def edit(*, trade_id: int, values: Mapping[str, Any], actor: Actor, reason: str = "", seen: str | None = None) -> Trade:
    """Set `enabled`, `params` or `priority` of a row; it is switched on only if it can run.

    `seen` is the `version` that the person saw: what somebody else has changed since is not overwritten.
    """
    check_values(**values)
    row = _existing(trade_id)
    if seen is not None and seen != version(row):
        raise ValidationError(f"Somebody else has changed {row} since you opened it: look again.")
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return row
    before = _state(row)
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    if changed.get("enabled"):
        check_runnable(row)
    action = "trade.edit" if "enabled" not in changed else "trade.enable" if row.enabled else "trade.disable"
    _trace(action, row, actor, reason, before=before, after=_state(row))
    return row


def version(row: Trade) -> str:
    """Another one as soon as anything that is edited is another."""
    values = json.dumps([getattr(row, name) for name in EDITABLE], sort_keys=True)
    return sha256(values.encode()).hexdigest()[:16]


@in_transaction
def delete(*, trade_id: int, actor: Actor, reason: str = "") -> None:
    """Forget a row that never traded; one that did is switched off instead."""
    row = _existing(trade_id)
    if OrderIntent.objects.filter(trade=row).exists() or Order.objects.filter(trade=row).exists():
        raise ValidationError(f"{row} has orders: switch it off instead.")
    _trace("trade.delete", row, actor, reason, before=_state(row))
    RiskState.objects.filter(scope=Scope.TRADE, scope_id=str(row.pk)).delete()
    row.delete()


@in_transaction
def adopt(*, trade_ids: Collection[int]) -> None:
    """Give rows written with plain SQL their switch, see R1: on, unless they could reach live money."""
    have = RiskState.objects.filter(scope=Scope.TRADE, scope_id__in=[str(one) for one in trade_ids])
    missing = set(trade_ids) - {int(one) for one in have.values_list("scope_id", flat=True)}
    rows = Trade.objects.filter(pk__in=missing).select_related("account")
    RiskState.objects.bulk_create([_switch(row) for row in rows], ignore_conflicts=True)


def check_values(*, enabled: bool | None = None, params: Any = None, priority: int | None = None) -> None:
    """Raise what these values of a row would raise."""
    errors = {}
    if params is not None and not isinstance(params, dict):
        errors["params"] = "Must be an object: names and their values."
    elif params is not None and len(params) > LONGEST_PARAMS:
        errors["params"] = f"At most {LONGEST_PARAMS} parameters."
    elif params is not None and (why := _senseless(params)):
        errors["params"] = why
    if priority is not None and not PRIORITIES[0] <= priority <= PRIORITIES[1]:
        errors["priority"] = f"Must be a number from {PRIORITIES[0]} to {PRIORITIES[1]}."
    if errors:
        raise ValidationError(errors)


def _senseless(value: Any, depth: int = 1) -> str:
    """Why a JSON value cannot be stored as it is; empty: it can."""
    if depth > DEEPEST_PARAMS:
        return f"Nested deeper than {DEEPEST_PARAMS}."
    if isinstance(value, float) and not isfinite(value):
        return f"{value} is no number."
    if isinstance(value, int) and not WHOLE[0] <= value <= WHOLE[1]:
        return f"Whole numbers are from {WHOLE[0]} to {WHOLE[1]}."
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, (_senseless(one, depth + 1) for one in inner)), "")


def check_runnable(row: Trade) -> None:
    """Raise, for the field `enabled`, why this row cannot run."""
    reason = runnable.why_not(row)
    if reason:
        raise ValidationError({"enabled": reason})


def _listed(account: Account, pair: str) -> TradePair:
    key = BookKey(account.exchange.code, MarketType(account.market_type), pair.strip().upper())
    listed = feeds.listed(keys=[key]).get(key)
    if listed is None:
        raise ValidationError({"pair": f"{key.pair!r} is not in the catalogue of {key.exchange} {key.market_type}."})
    return listed


def _create(account: Account, listed: TradePair, strategy: str, actor: Actor, values: Mapping[str, Any]) -> Trade:
    row = Trade.objects.create(
        exchange=account.exchange.code,
        exchange_name=account.exchange.name,
        market_type=account.market_type,
        trade_pair_id=listed.pk,
        pair=listed.pair,
        strategy=strategy,
        account=account,
        mode=account.mode,
        user_id=account.owner_id or actor.user_id,
        **values,
    )
    _switch(row).save()
    return row


def _switch(row: Trade) -> RiskState:
    """The first state of a row's own switch."""
    live = AccountMode.LIVE in (row.mode, row.account.mode if row.account else AccountMode.PAPER)
    state = ScopeState.HALTED if live else ScopeState.ACTIVE
    reason = "live money: off until a person turns it on" if live else "new"
    return RiskState(scope=Scope.TRADE, scope_id=str(row.pk), state=state, by=SYSTEM.user, reason=reason)


def _existing(trade_id: int) -> Trade:
    row = Trade.objects.select_for_update().filter(pk=trade_id).first()
    if row is None:
        raise ValidationError({"id": f"No such row: {trade_id}."})
    return row


def _state(row: Trade) -> dict[str, Any]:
    """What the audit trail keeps of a row."""
    names = ("exchange", "market_type", "pair", "strategy", "mode", *EDITABLE)
    return {"id": row.pk, "account_id": row.account_id, **{name: getattr(row, name) for name in names}}


def _trace(action: str, row: Trade, actor: Actor, reason: str, **states: Any) -> None:
    nudge_on_commit()
    record(actor=actor, action=action, object=f"trade {row}", reason=reason, **states)
