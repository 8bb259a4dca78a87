"""What an exchange tells of wallets and positions, beside what our fills make of them: differences, and since when.

A question that got no answer is no information: nothing here is called for it. What is told again writes nothing.
On spot the wallets are compared, on futures the positions: there exchanges count open profits into wallets or not.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.market import MarketType
from apps.feeds.models import TradePair
from apps.feeds.orders import Balance, Balances, MarginMode, Positions, PositionSide
from apps.feeds.orders import Position as Told
from apps.trading import publishing
from apps.trading.bookkeeping import one_way
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import Account, Order, OrderFill, Position, Wallet
from apps.trading.risk.rounding import grain

ZERO = Decimal(0)


class Difference(Struct, frozen=True, kw_only=True):
    """`lots`: how much the exchange has more than we reckon, negative less; `what` says it to a person."""

    lots: Decimal
    what: str


@in_transaction
def take_balances(account_id: int, told: Balances) -> int:
    """How many wallets have changed by it. An older word than the last one is not taken."""
    rows = {row.asset: row for row in Wallet.objects.select_for_update().filter(account_id=account_id)}
    named = {row.asset: row for row in told.rows}
    if told.whole:
        gone = {asset: Balance(asset=asset, free=ZERO, total=ZERO) for asset in rows if asset not in named}
        named |= gone
    changed = sum(_take_balance(account_id, rows.get(asset), named[asset], told.exchange_ms) for asset in sorted(named))
    return _published(account_id, changed)


@in_transaction
def take_positions(account_id: int, pairs: Mapping[str, TradePair], told: Positions) -> int:
    """How many positions have changed by it; `pairs` by symbol, amounts in base currency."""
    rows = {(row.pair_id, row.side): row for row in Position.objects.select_for_update().filter(account_id=account_id)}
    named = {}
    for pair_id, of_pair in _by_pair(pairs, told).items():
        as_held = one_way.folded(rows, pair_id, of_pair)
        named.update({(pair_id, str(each.side)): each for each in as_held})
        for row in one_way.take_over(rows, pair_id) if as_held != of_pair else ():
            _update(row, opening=row.opening)
    closed = [key for key, row in rows.items() if told.whole and key not in named and row.told_amount != 0]
    changed = sum(_take_position(account_id, rows.get(key), key, each) for key, each in sorted(named.items()))
    for key in closed:
        _update(
            rows[key],
            told_amount=ZERO,
            told_entry_price=None,
            told_unrealised=None,
            liquidation_price=None,
            exchange_ms=told.exchange_ms,
        )
    return _published(account_id, changed + len(closed))


@in_transaction
def forget_leverage(account_id: int, pair_id: int) -> dict[int, Decimal | None]:
    """Until the exchange tells or confirms one; what each row had, see `recall_leverage`."""
    known = Position.objects.filter(account_id=account_id, pair_id=pair_id).exclude(leverage=None)
    had = dict(known.select_for_update().values_list("pk", "leverage"))
    known.update(leverage=None, updated_at=Now())
    return had


@in_transaction
def doubt_leverage(account_id: int, *, told_of: Collection[str]) -> None:
    """Nobody has watched, and others may have set another: what the exchange did not tell, by symbol, is set anew."""
    known = Position.objects.filter(account_id=account_id).exclude(leverage=None)
    known.exclude(pair__symbol__in=told_of).update(leverage=None, updated_at=Now())


@in_transaction
def recall_leverage(had: Mapping[int, Decimal | None]) -> None:
    """The exchange has changed nothing; what it has told meanwhile stays."""
    for pk, leverage in had.items():
        Position.objects.filter(pk=pk, leverage=None).update(leverage=leverage, updated_at=Now())


@in_transaction
def take_leverage(account_id: int, pair_id: int, leverage: int, mode: MarginMode) -> None:
    """What the exchange has just confirmed, of every side."""
    values: dict[str, Any] = {"leverage": Decimal(leverage), "margin_mode": mode}
    rows = Position.objects.filter(account_id=account_id, pair_id=pair_id)
    if not rows.update(**values, updated_at=Now()):
        first = Position(account_id=account_id, pair_id=pair_id, side=PositionSide.NET, **values)
        Position.objects.bulk_create([first], ignore_conflicts=True)


@in_transaction
def accept(account_id: int) -> None:
    """Take what the exchange tells for what is there: of a new account, or by a person's word."""
    Account.objects.filter(pk=account_id, reconciled_at=None).update(reconciled_at=Now())
    wallets = Wallet.objects.select_for_update().filter(account_id=account_id, account__market_type=MarketType.SPOT)
    for wallet in wallets.exclude(expected=F("total")):
        Wallet.objects.filter(pk=wallet.pk).update(expected=wallet.total, mismatch_since=None, updated_at=Now())
    for position in Position.objects.select_for_update().filter(account_id=account_id).exclude(told_amount=None):
        opening = (position.told_amount or ZERO) - position.amount
        if opening != position.opening:
            _update(position, opening=opening, mismatch_since=None)


@in_transaction
def compare(account_id: int) -> list[Difference]:
    """Differences of more than a lot; each row remembers since when it differs. None of an account that is new."""
    account = Account.objects.get(pk=account_id)
    if account.reconciled_at is None:
        return []
    if account.market_type == MarketType.SPOT:
        return _note(_wallets(account))
    return _note(_positions(account))


def _by_pair(pairs: Mapping[str, TradePair], told: Positions) -> dict[int, list[Told]]:
    found: dict[int, list[Told]] = {}
    for each in told.rows:
        if each.symbol in pairs:
            found.setdefault(pairs[each.symbol].pk, []).append(each)
    return found


def _published(account_id: int, changed: int) -> int:
    if changed:
        publishing.holdings_on_commit(account_id)
    return changed


def _take_balance(account_id: int, row: Wallet | None, told: Balance, exchange_ms: int | None) -> bool:
    if row is None:
        if told.total == 0:
            return False
        known = Wallet.objects.filter(account_id=account_id).exclude(expected=None).exists()
        Wallet.objects.create(
            account_id=account_id,
            asset=told.asset,
            free=told.free,
            total=told.total,
            expected=ZERO if known else None,
            exchange_ms=exchange_ms,
        )
        return True
    old = exchange_ms is not None and row.exchange_ms is not None and exchange_ms < row.exchange_ms
    free = row.free if told.free is None else told.free
    if old or (free, told.total) == (row.free, row.total):
        return False
    Wallet.objects.filter(pk=row.pk).update(
        free=free, total=told.total, exchange_ms=exchange_ms or row.exchange_ms, updated_at=Now()
    )
    return True


def _take_position(account_id: int, row: Position | None, key: tuple[int, str], told: Told) -> bool:
    values = {
        "told_amount": told.amount,
        "told_entry_price": told.entry_price,
        "told_unrealised": told.unrealised,
        "liquidation_price": told.liquidation_price,
        "leverage": told.leverage,
        "margin_mode": told.margin_mode,
    }
    if row is None:
        Position.objects.create(account_id=account_id, pair_id=key[0], side=key[1], **values)
        return True
    told_again = {name for name, value in values.items() if value is None or getattr(row, name) == value}
    changed = {name: value for name, value in values.items() if name not in told_again}
    if changed:
        _update(row, **changed)
    return bool(changed)


def _update(row: Position, **values: Any) -> None:
    Position.objects.filter(pk=row.pk).update(**values, updated_at=Now())


def _wallets(account: Account) -> Iterable[tuple[Wallet, Difference | None]]:
    rows = list(Wallet.objects.select_for_update().filter(account=account).exclude(expected=None))
    differing = {row.asset: row.total - (row.expected or ZERO) for row in rows if row.total != row.expected}
    lots = _lots(account, differing) if differing else {}
    for row in rows:
        by = differing.get(row.asset, ZERO) / lots.get(row.asset, Decimal(1))
        what = f"{row.asset}: the exchange has {row.total:f}, our fills make {row.expected or ZERO:f}"
        yield row, Difference(lots=by, what=what) if abs(by) > 1 else None


def _positions(account: Account) -> Iterable[tuple[Position, Difference | None]]:
    rows = Position.objects.select_for_update().filter(account=account).exclude(told_amount=None)
    pairs = TradePair.objects.select_related("exchange").in_bulk({row.pair_id for row in rows})
    for row in rows:
        ours, told = row.opening + row.amount, row.told_amount or ZERO
        by = (told - ours) / grain(feeds.instrument(pairs[row.pair_id])) if told != ours else ZERO
        what = f"{pairs[row.pair_id].pair} {row.side}: the exchange has {told:f}, our fills make {ours:f}"
        yield row, Difference(lots=by, what=what) if abs(by) > 1 else None


def _note(found: Iterable[tuple[Wallet, Difference | None] | tuple[Position, Difference | None]]) -> list[Difference]:
    """Only rows that begin or cease to differ are written."""
    differences = []
    for row, difference in found:
        rows: Any = type(row).objects.filter(pk=row.pk)
        if difference is None and row.mismatch_since is not None:
            rows.update(mismatch_since=None, updated_at=Now())
        elif difference is not None:
            differences.append(difference)
            if row.mismatch_since is None:
                rows.update(mismatch_since=Now(), updated_at=Now())
    return differences


def _lots(account: Account, assets: Iterable[str]) -> dict[str, Decimal]:
    """What one lot comes to in each asset, by the coarsest pair that the account has traded it in; 1 where in none."""
    traded = Order.objects.filter(account=account).order_by().values("pair").distinct()
    named = Q(base__in=assets) | Q(quote__in=assets)
    lots: dict[str, Decimal] = {}
    for pair in TradePair.objects.select_related("exchange").filter(named, pk__in=traded):
        lot = grain(feeds.instrument(pair))
        last = OrderFill.objects.filter(account=account, pair=pair).order_by("-exchange_ms", "-id").first()
        lots[pair.base] = max(lots.get(pair.base, ZERO), lot)
        if last is not None:
            lots[pair.quote] = max(lots.get(pair.quote, ZERO), lot * last.price)
    return {asset: lot for asset, lot in lots.items() if lot > 0}
