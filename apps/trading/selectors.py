"""Reads of what shall be traded, and of what a person may see of it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType
from apps.feeds.subscriptions import Task
from apps.trading.models import Account, AccountMode, IntentState, Order, OrderIntent, RiskState, Trade
from apps.trading.order_state import FINAL
from apps.trading.risk.view import Scope, ScopeState
from apps.users.roles import ADMIN, OPERATOR, TRADER, has_role

SOURCE = "trade"
Rows = TypeVar("Rows", bound=Model)


class RunningTrade(Struct, frozen=True, kw_only=True):
    """A TRADE row that can run, with all that it left out filled in."""

    trade_id: int
    instrument: Instrument
    strategy: str
    params: dict[str, Any]
    account_id: int
    mode: str
    priority: int = 0

    @property
    def key(self) -> BookKey:
        return self.instrument.key


class RefusedTrade(Struct, frozen=True, kw_only=True):
    """A TRADE row that cannot run, with the reason for the person who wrote it."""

    trade_id: int
    reason: str


class Trades(Struct, frozen=True, kw_only=True):
    running: list[RunningTrade]
    refused: list[RefusedTrade]


class _Rules(Struct, frozen=True):
    """What a row is held against."""

    catalogue: Mapping[BookKey, Instrument]
    exchanges: Mapping[str, bool]
    defaults: Mapping[tuple[str, str], Account]  # exchange and market type -> the paper account


class _CannotRunError(Exception):
    """Its text is the reason."""


def tasks() -> list[Task]:
    """The books that the enabled TRADE rows need, as written, highest priority first; one query."""
    rows = Trade.objects.filter(enabled=True).order_by("-priority", "id")
    return [
        Task(
            source=SOURCE,
            row_id=row.pk,
            exchange=row.exchange,
            market_type=row.market_type,
            pair=row.pair,
            priority=row.priority or 0,
        )
        for row in rows
    ]


def trades() -> Trades:
    """The enabled TRADE rows against catalogue and accounts, highest priority first; a row that cannot run stops
    nothing else."""
    rows = list(
        Trade.objects.filter(enabled=True).select_related("account__exchange", "trade_type").order_by("-priority", "id")
    )
    rules = _rules(rows)
    running, refused = [], []
    for row in rows:
        try:
            running.append(_resolve(row, rules))
        except _CannotRunError as reason:
            refused.append(RefusedTrade(trade_id=row.pk, reason=str(reason)))
    return Trades(running=running, refused=refused)


def why_not(row: Trade) -> str | None:
    """Why this row could not run if it were enabled; None: it could."""
    try:
        _resolve(row, _rules([row]))
    except _CannotRunError as reason:
        return str(reason)
    return None


def default_accounts() -> dict[tuple[str, str], Account]:
    """Exchange and market type -> the paper account of TRADE rows that name none."""
    rows = Account.objects.filter(is_default=True).select_related("exchange")
    return {(row.exchange.code, row.market_type): row for row in rows}


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
    """Those that `user` may see; whoever may stop other people's scopes sees those of them that are stopped."""
    seen = of_scopes(user=user)
    if has_role(user, OPERATOR):
        seen |= ~Q(state=ScopeState.ACTIVE)
    return RiskState.objects.filter(seen)


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
    return Stopped(state=whole.state, since=whole.at, by=whole.by, reason=whole.reason, scopes=len(rows) - 1)


def live_accounts() -> int:
    """Those that could cost money."""
    return Account.objects.filter(mode=AccountMode.LIVE, active=True).count()


def _rules(rows: Collection[Trade]) -> _Rules:
    return _Rules(
        catalogue=feeds.catalogue(pairs={_pair(row) for row in rows}),
        exchanges=feeds.exchanges(),
        defaults=default_accounts(),
    )


def _resolve(row: Trade, rules: _Rules) -> RunningTrade:
    """Raise _CannotRunError with the reason."""
    instrument = _instrument(row, rules)
    account = _account(row, instrument, rules)
    params = {} if row.params is None else row.params
    if not isinstance(params, dict):
        raise _CannotRunError("STRATEGY_PARAMS is not an object")
    return RunningTrade(
        trade_id=row.pk,
        instrument=instrument,
        strategy=_strategy(row),
        params=params,
        account_id=account.pk,
        mode=account.mode,
        priority=row.priority or 0,
    )


def _instrument(row: Trade, rules: _Rules) -> Instrument:
    market = (row.market_type or MarketType.SPOT).strip().lower()
    exchange = registry.canonical(row.exchange)
    if exchange not in rules.exchanges:
        raise _CannotRunError(f"unknown exchange {row.exchange!r}")
    if not rules.exchanges[exchange]:
        raise _CannotRunError(f"exchange {exchange} is switched off")
    if market not in set(MarketType):
        raise _CannotRunError(f"unknown market type {row.market_type!r}: spot or futures")
    instrument = rules.catalogue.get(BookKey(exchange, MarketType(market), _pair(row)))
    if instrument is None:
        raise _CannotRunError(f"{row.pair!r} is not in the catalogue of {exchange} {market}")
    if instrument.status is not InstrumentStatus.TRADING:
        raise _CannotRunError(f"{instrument.pair} is {instrument.status} at {exchange} {market}")
    if instrument.inverse:
        raise _CannotRunError(f"{instrument.pair}: inverse contracts are not traded")
    return instrument


def _account(row: Trade, instrument: Instrument, rules: _Rules) -> Account:
    market = (instrument.exchange, str(instrument.market_type))
    account = row.account or rules.defaults.get(market)
    if account is None:
        raise _CannotRunError(f"no account is named, and {' '.join(market)} has no default paper account")
    if (account.exchange.code, account.market_type) != market:
        raise _CannotRunError(f"account {account.name} is not of {' '.join(market)}")
    if not account.active:
        raise _CannotRunError(f"account {account.name} is closed")
    if account.mode != row.mode:
        raise _CannotRunError(f"the row is {row.mode}, account {account.name} is {account.mode}")
    if None not in (account.owner_id, row.user_id) and account.owner_id != row.user_id:
        raise _CannotRunError(f"account {account.name} is somebody else's")
    return account


def _strategy(row: Trade) -> str:
    named = (row.strategy or "").strip() or (row.trade_type.name if row.trade_type else "")
    return named or settings.CT_DEFAULT_STRATEGY


def _pair(row: Trade) -> str:
    return row.pair.strip().upper()
