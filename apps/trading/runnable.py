"""Which TRADE rows can run, and the books that they need; of each that cannot, why."""

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType
from apps.feeds.subscriptions import Task
from apps.trading.models import Account, Trade

SOURCE = "trade"


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
