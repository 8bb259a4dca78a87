"""What each account has used of its day: what became of its money since midnight UTC, in USDT, each part apart.

`RiskUsage.began` keeps what had added up when the day began, by asset; what came since is valued at the rates of now.
Nothing is guessed: while a price is missing the last figures stay. What nobody prices at all must not switch off the
control of the day's loss with that: fees in such a coin are left out, and positions that had no price since the day
began, until somebody tells one.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.models import TradePair
from apps.trading.bookkeeping import days, holdings
from apps.trading.execution.pretrade import guards, rates
from apps.trading.execution.pretrade.market import Market
from apps.trading.execution.runtime.failing import Apart
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import Account, Position, RiskUsage, Wallet
from apps.trading.portfolio import Holding
from apps.trading.risk.rounding import EXACT, SMALLEST

ZERO = Decimal(0)
FEES = "fees"
PARTS = ("realised", FEES, "funding", "unrealised")
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
    now, held = guards.clock(), _holdings(account_id)
    worth = _rates(held, market)
    try:
        if not _is_reckoned(row, now, _marks(held, worth)):
            row = _begin(account_id, now, worth)
        values = _since(_now(account_id, row, worth), row, worth)
    except NoRate:
        return False
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        RiskUsage.objects.filter(pk=row.pk, day=row.day).update(**changed, updated_at=Now())
    return True


def _is_reckoned(row: RiskUsage, now: datetime, marks: Sums) -> bool:
    """Not where a position that had no price has one now."""
    began = row.began or {}
    return row.day == now.astimezone(UTC).date() and days.SUMS in began and marks.keys().isdisjoint(_unpriced(row))


def _unpriced(row: RiskUsage) -> set[str]:
    return set((row.began or {}).get(days.UNPRICED, ()))


@in_transaction
def _begin(account_id: int, now: datetime, worth: Sums) -> RiskUsage:
    """What had added up by midnight; all that came since is of this day, however late we look at it for the first time.

    Positions that were open then count at the price of that moment where we have it, else at that of now. Raise NoRate.
    """
    row = RiskUsage.objects.select_for_update().get(account_id=account_id)
    today = now.astimezone(UTC).date()
    is_new = row.day != today
    known = {} if is_new else (row.began or {}).get(days.MARKS, {})
    held = _holdings(account_id, days.began_ms(now))
    marks = _marks(held, worth) | {pair: Decimal(text) for pair, text in known.items()}
    unpriced = {each.instrument.pair for each in held if each.amount} - marks.keys()
    row.day, row.began = (
        today,
        {
            days.SUMS: _sheet(held, marks, unpriced).texts(),
            days.MARKS: {pair: f"{mark:f}" for pair, mark in marks.items()},
            days.UNPRICED: sorted(unpriced),
        },
    )
    values: dict[str, Any] = {"day": today, "began": row.began}
    if is_new:
        values |= dict.fromkeys(PARTS, ZERO) | {"equity": _equity(account_id, row, worth)}
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


def _marks(held: Iterable[Holding], worth: Sums) -> Sums:
    """What positions that are open are worth by pair, in their quote currency, where somebody tells."""
    traded = [each.instrument for each in held if each.amount]
    priced = [each for each in traded if each.base in worth and each.quote in worth]
    return {each.pair: EXACT.divide(worth[each.base], worth[each.quote]) for each in priced}


def _now(account_id: int, row: RiskUsage, worth: Sums) -> Sheet:
    held = _holdings(account_id)
    return _sheet(held, _marks(held, worth), _unpriced(row))


def _sheet(held: Iterable[Holding], marks: Sums, unpriced: Container[str]) -> Sheet:
    """`unpriced` positions are left out. Raise NoRate for others without a mark."""
    sheet = Sheet(realised={}, fees={}, funding={}, unrealised={})
    with localcontext(EXACT):
        for each in held:
            settle, pair = each.instrument.settle, each.instrument.pair
            _add(sheet.realised, settle, each.realised)
            for asset, amount in each.fees.items():
                _add(sheet.fees, asset, amount)
            for asset, amount in each.funding.items():
                _add(sheet.funding, asset, amount)
            if each.amount and pair not in unpriced:
                _add(sheet.unrealised, settle, each.unrealised(_worth(marks, pair)))
    return sheet


def _since(sheet: Sheet, row: RiskUsage, worth: Sums) -> dict[str, Any]:
    """Of each part what came since the day began, at the rates of now."""
    began: dict[str, dict[str, str]] = (row.began or {})[days.SUMS]
    values: dict[str, Any] = {}
    with localcontext(EXACT):
        for part in PARTS:
            now: Sums = getattr(sheet, part)
            before = {asset: Decimal(text) for asset, text in began.get(part, {}).items()}
            total = ZERO
            for asset in sorted(now.keys() | before.keys()):
                delta = now.get(asset, ZERO) - before.get(asset, ZERO)
                if delta and (asset in worth or part != FEES):
                    total += delta * _worth(worth, asset)
            values[part] = total.quantize(SMALLEST)
    return values


def _equity(account_id: int, row: RiskUsage, worth: Sums) -> Decimal:
    """When the day began: what the wallets hold of what can be valued, and on futures what the open positions would
    bring, without what came since."""
    account, now = Account.objects.get(pk=account_id), _now(account_id, row, worth)
    totals = Wallet.objects.filter(account_id=account_id).values_list("asset", "total")
    since = _since(now, row, worth)
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
