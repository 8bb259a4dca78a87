"""Accounts from their making to their end: on paper unless said otherwise, live money with a second person only.

What cannot be done is refused with Django's ValidationError, which names the fields; each change is one row of the
audit trail. Who may act for an account is asked before, see `selectors.may_trade`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.feeds.market import MarketType
from apps.feeds.models import Exchange
from apps.trading import in_use
from apps.trading.credentials import keys
from apps.trading.execution.gateway.opened import begin_anew
from apps.trading.models import (
    Account,
    AccountKey,
    AccountMode,
    Order,
    OrderIntent,
    RiskLimit,
    RiskState,
    RiskUsage,
    Wallet,
)
from apps.trading.risk.view import Scope, ScopeState
from apps.users.alerts import ack_scope
from apps.users.services import Actor, record

LONGEST_NAME = 100
PAPER_BALANCES = {"USDT": Decimal(10_000), "USDC": Decimal(10_000)}
LIVE_LIMITS = ("max_order_usdt", "max_account_usdt", "max_day_loss_usdt")  # set by a person before money is at stake


@transaction.atomic
def add(
    *,
    name: str,
    exchange: str,
    market_type: str,
    actor: Actor,
    mode: str = AccountMode.PAPER,
    owner_id: int | None = None,
    balances: Mapping[str, Decimal] | None = None,
    reason: str = "",
) -> Account:
    """One more account on a market; without an owner it is the desk's.

    `balances` are what a paper account begins with. One that shall be live waits for a second person: until then it is
    on paper, without money, and halted.
    """
    row = Account(
        name=_new_name(name, exchange, market_type),
        owner_id=owner_id,
        exchange=Exchange.objects.get(code=exchange),
        market_type=market_type,
        mode=AccountMode.PAPER if mode == AccountMode.LIVE else AccountMode(mode),
    )
    if mode == AccountMode.LIVE:
        row.requested_mode, row.requested_by = AccountMode.LIVE, actor.user
    row.save()
    row.refresh_from_db()
    RiskUsage.objects.create(account=row)
    _switch(row, actor).save()
    if mode == AccountMode.PAPER:
        _give(row, PAPER_BALANCES if balances is None else balances)
    _trace("account.add", row, actor, reason, after=_state(row))
    return row


@transaction.atomic
def rename(*, account_id: int, name: str, actor: Actor, reason: str = "") -> Account:
    row = _locked(account_id)
    if row.name == name:
        return row
    before = _state(row)
    row.name = _new_name(name, row.exchange.code, row.market_type, own=row.pk)
    _save(row, "name")
    _trace("account.edit", row, actor, reason, before=before, after=_state(row))
    return row


@transaction.atomic
def approve(*, account_id: int, actor: Actor, reason: str) -> Account:
    """Let the account trade with live money. It stays halted until a person resumes it, and whoever has matched it on
    paper lets it go: nothing leaves before it is held against its exchange for the first time."""
    row = _locked(account_id)
    _check_approval(row, actor)
    before = _state(row)
    row.mode, row.requested_mode = AccountMode.LIVE, None
    row.approved_by, row.approved_at = actor.user, datetime.now(UTC)
    row.reconciled_at = row.swept_ms = None
    _save(row, "mode", "requested_mode", "approved_by", "approved_at", "reconciled_at", "swept_ms")
    begin_anew(row.pk)
    after = _state(row) | {"asked_by": row.requested_by, "second_person": settings.CT_SECOND_PERSON}
    _trace("mode.approve", row, actor, reason, before=before, after=after)
    return row


@transaction.atomic
def withdraw(*, account_id: int, actor: Actor, reason: str = "") -> Account:
    """Take back, or refuse, the wish for live money: the account is closed, since it was made for nothing else."""
    row = _locked(account_id)
    if row.requested_mode is None:
        raise ValidationError({"mode": "Nothing waits for an approval."})
    row.requested_mode = None
    _save(row, "requested_mode")
    return close(account_id=account_id, actor=actor, reason=reason)


@transaction.atomic
def close(*, account_id: int, actor: Actor, reason: str = "") -> Account:
    """Nothing is traded on it any more, its key is forgotten here, and its alerts wait no longer; its orders stay to be
    read."""
    row = _locked(account_id)
    if not row.active:
        return row
    if row.is_default:
        raise ValidationError("It takes the TRADE rows that name no account: it cannot be closed.")
    _refuse_while_working(row)
    keys.remove(account=row, actor=actor, reason=reason)
    before = _state(row)
    row.active = False
    _save(row, "active")
    if actor.user_id is not None:
        ack_scope(scope=Scope.ACCOUNT, scope_id=str(row.pk), actor=actor)
    _trace("account.close", row, actor, reason, before=before, after=_state(row))
    return row


@transaction.atomic
def remove_key(*, account_id: int, actor: Actor, reason: str = "") -> bool:
    """Forget the account's key; False when there is none. What works at the exchange could not be cancelled then."""
    row = _locked(account_id)
    _refuse_while_working(row)
    return keys.remove(account=row, actor=actor, reason=reason)


def check_new(*, exchange: str, market_type: str, mode: str) -> None:
    """Raise what an account like this would raise."""
    errors, enabled = {}, dict(Exchange.objects.values_list("code", "enabled"))
    if exchange not in enabled:  # asked of the database MariaDB would take BINANCE for binance
        errors["exchange"] = f"Unknown exchange {exchange!r}."
    elif not enabled[exchange]:
        errors["exchange"] = f"{exchange} is switched off."
    if market_type not in set(MarketType):
        errors["market_type"] = f"Unknown market type {market_type!r}: spot or futures."
    if mode not in AccountMode.values:
        errors["mode"] = f"Unknown mode {mode!r}: {', '.join(AccountMode.values)}."
    if mode == AccountMode.TESTNET and settings.CT_SIMULATOR_URL is None:
        errors["mode"] = "SOURCE=live speaks to the real exchanges: there is nothing to test on."
    if errors:
        raise ValidationError(errors)


def _new_name(name: str, exchange: str, market_type: str, own: int = 0) -> str:
    """`own`: the account that has it already, in other letters perhaps, which MariaDB does not tell apart."""
    if not 0 < len(name) <= LONGEST_NAME or name != name.strip() or not name.isprintable():
        raise ValidationError({"name": f"1 to {LONGEST_NAME} printable characters, without spaces around them."})
    if Account.objects.filter(exchange__code=exchange, market_type=market_type, name=name).exclude(pk=own).exists():
        raise ValidationError({"name": f"There is one of this name on {exchange} {market_type}."})
    return name


def check_approval(*, account_id: int, actor: Actor) -> None:
    """Raise what `approve` would raise as things are now."""
    _check_approval(Account.objects.get(pk=account_id), actor)


def _check_approval(row: Account, actor: Actor) -> None:
    """Raise why the account does not go live."""
    if row.requested_mode != AccountMode.LIVE:
        raise ValidationError({"mode": "Nothing waits for an approval."})
    if settings.CT_SECOND_PERSON and row.requested_by == actor.user:
        raise ValidationError({"mode": "Whoever asked for it cannot approve it: a second person has to."})
    if not AccountKey.objects.filter(pk=row.pk).exists():
        raise ValidationError({"mode": "The account has no key."})
    limits = RiskLimit.objects.filter(scope=Scope.ACCOUNT, scope_id=str(row.pk), name__in=LIVE_LIMITS)
    missing = sorted({*LIVE_LIMITS} - set(limits.values_list("name", flat=True)))
    if missing:
        raise ValidationError({"mode": f"Limits of the account come first: {', '.join(missing)}."})
    if OrderIntent.objects.filter(account=row).exists() or Order.objects.filter(account=row).exists():
        raise ValidationError({"mode": "It has traded on paper: live money begins on an account of its own."})


def _refuse_while_working(row: Account) -> None:
    """Raise while something of the account may still trade."""
    if why := in_use.of_account(row.pk):
        raise ValidationError(why)


def _switch(row: Account, actor: Actor) -> RiskState:
    """The first state of an account's own switch: what could ever reach live money is off."""
    live = row.requested_mode == AccountMode.LIVE
    state = ScopeState.HALTED if live else ScopeState.ACTIVE
    reason = "live money: off until a person turns it on" if live else "new"
    return RiskState(scope=Scope.ACCOUNT, scope_id=str(row.pk), state=state, by=actor.user, reason=reason)


def _give(row: Account, balances: Mapping[str, Decimal]) -> None:
    spot = row.market_type == MarketType.SPOT  # on futures our fills move no wallet: nothing is expected of one
    Wallet.objects.bulk_create(
        Wallet(account=row, asset=asset, free=total, total=total, expected=total if spot else None)
        for asset, total in balances.items()
    )


def _locked(account_id: int) -> Account:
    return Account.objects.select_for_update().get(pk=account_id)


def _save(row: Account, *names: str) -> None:
    row.updated_at = datetime.now(UTC)
    row.save(update_fields=[*names, "updated_at"])


def _state(row: Account) -> dict[str, Any]:
    """What the audit trail keeps of a row."""
    names = ("name", "market_type", "mode", "requested_mode", "active", "owner_id")
    return {"id": row.pk, "exchange": row.exchange.code, **{name: getattr(row, name) for name in names}}


def _trace(action: str, row: Account, actor: Actor, reason: str, **states: Any) -> None:
    record(actor=actor, action=action, object=f"account {row.pk} {row.name}", reason=reason, **states)
