"""What each account has used of its day: what became of its money since midnight UTC, in USDT, each part apart.

`RiskUsage.began` keeps what had added up when the day began, by asset; what came since is valued at the rates of now.
Nothing is guessed: while a price is missing the last figures stay.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.trading.bookkeeping import days, holdings
from apps.trading.execution import guards, rates
from apps.trading.execution.failing import Apart
from apps.trading.execution.market import Market
from apps.trading.execution.transactions import in_transaction
from apps.trading.models import Account, Position, RiskUsage, Wallet
from apps.trading.portfolio import Holding
from apps.trading.risk.rounding import EXACT, SMALLEST

ZERO = Decimal(0)
PARTS = ("realised", "fees", "funding", "unrealised")
Sums = dict[str, Decimal]


class NoRate(LookupError):
    """Nobody tells what an asset is worth now."""


class Sheet(Struct, frozen=True, kw_only=True):
    """All that an account's fills ever added up to, by asset, and what its open positions would bring."""

    realised: Sums
    fees: Sums
    funding: Sums
    unrealised: Sums

    def texts(self) -> dict[str, dict[str, str]]:
        return {part: {asset: f"{each:f}" for asset, each in getattr(self, part).items()} for part in PARTS}


def refresh_all(market: Market, apart: Apart | None = None) -> None:
    """Every account that holds or has traded something. To be called every second."""
    named = Position.objects.filter(account__active=True).order_by().values_list("account_id", flat=True)
    (apart or Apart()).each("day's results", lambda account_id: refresh(account_id, market), sorted(set(named)))


def refresh(account_id: int, market: Market) -> bool:
    """Write the figures of now if they have changed; False: a price is missing, and they stay."""
    row = RiskUsage.objects.filter(account_id=account_id).first()
    if row is None:
        return False
    now = guards.clock()
    try:
        worth = _rates(_holdings(account_id), market)
        if not _is_reckoned(row, now):
            row = _begin(account_id, now, worth)
        sums: dict[str, dict[str, str]] = (row.began or {})[days.SUMS]
        values = _since(_sheet(_holdings(account_id), worth), sums, worth)
    except NoRate:
        return False
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        RiskUsage.objects.filter(pk=row.pk, day=row.day).update(**changed, updated_at=Now())
    return True


def _is_reckoned(row: RiskUsage, now: datetime) -> bool:
    return row.day == now.astimezone(UTC).date() and row.began is not None and days.SUMS in row.began


@in_transaction
def _begin(account_id: int, now: datetime, worth: Sums) -> RiskUsage:
    """What had added up by midnight; all that came since is of this day, however late we look at it for the first time.

    Positions that were open then count at the price of that moment where we have it, else at that of now. Raise NoRate.
    """
    row = RiskUsage.objects.select_for_update().get(account_id=account_id)
    today = now.astimezone(UTC).date()
    is_new = row.day != today
    known = {} if is_new or row.began is None else row.began.get(days.MARKS, {})
    held = _holdings(account_id, days.began_ms(now))
    marks = {
        each.instrument.pair: Decimal(known.get(each.instrument.pair) or _mark(each.instrument, worth))
        for each in held
        if each.amount
    }
    row.began = {
        days.SUMS: _sheet(held, worth, marks).texts(),
        days.MARKS: {pair: f"{mark:f}" for pair, mark in marks.items()},
    }
    values: dict[str, Any] = {"day": today, "began": row.began}
    if is_new:
        values |= dict.fromkeys(PARTS, ZERO) | {"equity": _equity(account_id, row.began[days.SUMS], worth)}
    for name, value in values.items():
        setattr(row, name, value)
    RiskUsage.objects.filter(pk=row.pk).update(**values, updated_at=Now())
    return row


def _holdings(account_id: int, at_ms: int | None = None) -> list[Holding]:
    """Now, or as they were at a moment."""
    rows = list(Position.objects.filter(account_id=account_id).order_by("id"))
    pairs = TradePair.objects.select_related("exchange").in_bulk({row.pair_id for row in rows})
    named = [(row, feeds.instrument(pairs[row.pair_id])) for row in rows]
    if at_ms is None:
        return [holdings.holding_of(row, instrument) for row, instrument in named]
    return [holdings.before(row, instrument, at_ms) for row, instrument in named]


def _rates(held: Iterable[Holding], market: Market) -> Sums:
    """In USDT: of currencies by their spot books, of what is held by its own."""
    traded = [each.instrument for each in held]
    homes = {each.exchange for each in traded}
    names = [*sorted(homes), *(name for name in registry.exchange_ids() if name not in homes)]
    quotes = {asset for each in traded for asset in (each.quote, each.settle)}
    others = {asset for each in held for asset in (*each.fees, *each.funding)}
    known = rates.quotes(quotes, names, market)
    return rates.quotes(others, names, market) | rates.bases(traded, known, market, {}) | known


def _sheet(held: Iterable[Holding], worth: Sums, marks: Mapping[str, Decimal] | None = None) -> Sheet:
    """`marks` by pair, where they are not those of now."""
    sheet = Sheet(realised={}, fees={}, funding={}, unrealised={})
    with localcontext(EXACT):
        for each in held:
            settle = each.instrument.settle
            _add(sheet.realised, settle, each.realised)
            for asset, amount in each.fees.items():
                _add(sheet.fees, asset, amount)
            for asset, amount in each.funding.items():
                _add(sheet.funding, asset, amount)
            if each.amount:
                mark = _mark(each.instrument, worth) if marks is None else marks[each.instrument.pair]
                _add(sheet.unrealised, settle, each.unrealised(mark))
    return sheet


def _mark(instrument: Instrument, worth: Mapping[str, Decimal]) -> Decimal:
    return EXACT.divide(_worth(worth, instrument.base), _worth(worth, instrument.quote))


def _since(sheet: Sheet, began: Mapping[str, Mapping[str, str]], worth: Mapping[str, Decimal]) -> dict[str, Any]:
    """Of each part what came since then, at the rates of now."""
    values: dict[str, Any] = {}
    with localcontext(EXACT):
        for part in PARTS:
            now: Sums = getattr(sheet, part)
            before = {asset: Decimal(text) for asset, text in began.get(part, {}).items()}
            total = ZERO
            for asset in sorted(now.keys() | before.keys()):
                delta = now.get(asset, ZERO) - before.get(asset, ZERO)
                total += delta * _worth(worth, asset) if delta else ZERO
            values[part] = total.quantize(SMALLEST)
    return values


def _equity(account_id: int, began: Mapping[str, Mapping[str, str]], worth: Sums) -> Decimal:
    """When the day began: what the wallets hold of what can be valued, and on futures what the open positions would
    bring, without what came since."""
    account, now = Account.objects.get(pk=account_id), _sheet(_holdings(account_id), worth)
    totals = Wallet.objects.filter(account_id=account_id).values_list("asset", "total")
    since = _since(now, began, worth)
    with localcontext(EXACT):
        value = sum((total * worth[asset] for asset, total in totals if asset in worth), ZERO)
        if account.market_type == MarketType.FUTURES:
            value += sum((each * _worth(worth, asset) for asset, each in now.unrealised.items()), ZERO)
        value -= since["realised"] + since["unrealised"] - since["fees"] + since["funding"]
        return value.quantize(SMALLEST)


def _worth(worth: Mapping[str, Decimal], asset: str) -> Decimal:
    if asset not in worth:
        raise NoRate(asset)
    return worth[asset]


def _add(sums: Sums, asset: str, amount: Decimal) -> None:
    if amount:
        sums[asset] = sums.get(asset, ZERO) + amount
