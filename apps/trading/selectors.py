"""Reads of what a person may see of trading, and of what stands still."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from msgspec import Struct

from apps.trading.models import Account, AccountMode, IntentState, Order, OrderIntent, RiskState, Trade
from apps.trading.order_state import FINAL
from apps.trading.risk.view import Scope, ScopeState
from apps.users.roles import ADMIN, OPERATOR, TRADER, has_role

Rows = TypeVar("Rows", bound=Model)


def accounts(*, user: Any) -> QuerySet[Account]:
    """Those that `user` may see."""
    return visible(Account.objects.select_related("exchange", "owner"), user=user, account="")


def account_ids(*, user: Any) -> frozenset[int]:
    """Of the accounts that `user` may see."""
    return frozenset(accounts(user=user).values_list("pk", flat=True))


def visible(rows: QuerySet[Rows], *, user: Any, account: str = "account") -> QuerySet[Rows]:
    """Those of `rows` that `user` may see: of own accounts and the desk's, an administrator all.

    `account` is the way from a row to its account; rows without one are the desk's.
    """
    if has_role(user, ADMIN):
        return rows
    owner = f"{account}__owner" if account else "owner"
    return rows.filter(Q(**{f"{owner}__isnull": True}) | Q(**{owner: user.pk}))


def of_scopes(*, user: Any) -> Q:
    """Of rows with `scope` and `scope_id`: all but those of accounts and TRADE rows that are not there for `user`."""
    if has_role(user, ADMIN):
        return Q(pk__isnull=False)
    own: dict[str, Collection[int]] = {
        Scope.ACCOUNT: account_ids(user=user),
        Scope.TRADE: list(visible(Trade.objects.all(), user=user).values_list("pk", flat=True)),
    }
    seen = ~Q(scope__in=list(own))
    for scope, numbers in own.items():
        seen |= Q(scope=scope, scope_id__in=[str(number) for number in numbers])
    return seen


def switches(*, user: Any) -> QuerySet[RiskState]:
    """Those that `user` may see, of accounts in use; whoever may stop other people's scopes sees those of them that are
    stopped."""
    seen = of_scopes(user=user)
    if has_role(user, OPERATOR):
        seen |= ~Q(state=ScopeState.ACTIVE)
    closed = [str(pk) for pk in Account.objects.filter(active=False).values_list("pk", flat=True)]
    return RiskState.objects.filter(seen).exclude(scope=Scope.ACCOUNT, scope_id__in=closed)


def may_trade(*, user: Any, account: Account) -> bool:
    """Whether `user` may act for the account: a trader for own ones and the desk's, an administrator for all."""
    if has_role(user, ADMIN):
        return True
    return has_role(user, TRADER) and account.owner_id in (None, user.pk)


def reserved(*, account_ids: Collection[int]) -> dict[tuple[int, str], Decimal]:
    """Account and asset -> what intents that are not over hold back of it; one query."""
    rows = OrderIntent.objects.filter(account__in=account_ids).exclude(state=IntentState.DONE)
    held: dict[tuple[int, str], Decimal] = {}
    for account_id, asset, amount in rows.values_list("account_id", "reserved_asset", "reserved_amount"):
        held[account_id, asset] = held.get((account_id, asset), Decimal(0)) + amount
    return held


def working_orders(*, user: Any) -> QuerySet[Order]:
    """Those that are not over, latest first, of the accounts that `user` may see."""
    rows = Order.objects.exclude(status__in=list(FINAL)).select_related("account", "pair__exchange", "trade")
    return visible(rows, user=user)


class Stopped(Struct, frozen=True, kw_only=True):
    """What is not ACTIVE: everything (`since` when, by whom, why), or some scopes only."""

    state: str = ScopeState.ACTIVE  # of everything
    mode: str = ""  # of its halt
    since: datetime | None = None
    by: str = ""
    reason: str = ""
    scopes: int = 0  # narrower ones that are halted or reducing, of those that one may see


def stopped(*, user: Any) -> Stopped:
    """What stands still, as far as `user` may see; of everything all may."""
    rows = list(switches(user=user).exclude(state=ScopeState.ACTIVE))
    whole = next((row for row in rows if row.scope == Scope.GLOBAL), None)
    if whole is None:
        return Stopped(scopes=len(rows))
    return Stopped(
        state=whole.state,
        mode=whole.mode or "",
        since=whole.at,
        by=whole.by,
        reason=whole.reason,
        scopes=len(rows) - 1,
    )


def live_accounts() -> int:
    """Those that could cost money."""
    return Account.objects.filter(mode=AccountMode.LIVE, active=True).count()
