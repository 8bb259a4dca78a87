"""What each account has used of its day: what became of its money since midnight UTC, in USDT, each part apart.

`RiskUsage.began` keeps what had added up when the day began, by asset; what came since is valued at the rates of now.
Nothing is guessed: while a price is missing the last figures stay.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC
from decimal import Decimal, localcontext
from typing import Any

from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.trading.bookkeeping import holdings
from apps.trading.execution import guards, rates
from apps.trading.execution.market import Market
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


def refresh_all(market: Market) -> None:
    """Every account that holds or has traded something. To be called every second."""
    named = Position.objects.filter(account__active=True).order_by().values_list("account_id", flat=True)
    for account_id in sorted(set(named)):
        refresh(account_id, market)


def refresh(account_id: int, market: Market) -> bool:
    """Write the figures of now if they have changed; False: a price is missing, and they stay."""
    row = RiskUsage.objects.filter(account_id=account_id).first()
    if row is None:
        return False
    held = _holdings(account_id)
    today = guards.clock().astimezone(UTC).date()
    try:
        worth = _rates(held, market)
        sheet = _sheet(held, worth)
        if row.day == today and row.began is not None:
            values = _since(sheet, row.began, worth)
        else:
            values = {**dict.fromkeys(PARTS, ZERO), "day": today, "began": sheet.texts()}
            values["equity"] = _equity(account_id, held, sheet, worth)
    except NoRate:
        return False
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        RiskUsage.objects.filter(pk=row.pk).update(**changed, updated_at=Now())
    return True


def _holdings(account_id: int) -> list[Holding]:
    rows = list(Position.objects.filter(account_id=account_id).order_by("id"))
    pairs = TradePair.objects.select_related("exchange").in_bulk({row.pair_id for row in rows})
    return [holdings.holding_of(row, feeds.instrument(pairs[row.pair_id])) for row in rows]


def _rates(held: Iterable[Holding], market: Market) -> Sums:
    """In USDT: of currencies by their spot books, of what is held by its own."""
    traded = [each.instrument for each in held]
    homes = {each.exchange for each in traded}
    names = [*sorted(homes), *(name for name in registry.exchange_ids() if name not in homes)]
    quotes = {asset for each in traded for asset in (each.quote, each.settle)}
    others = {asset for each in held for asset in (*each.fees, *each.funding)}
    known = rates.quotes(quotes, names, market)
    return rates.quotes(others, names, market) | rates.bases(traded, known, market, {}) | known


def _sheet(held: Iterable[Holding], worth: Mapping[str, Decimal]) -> Sheet:
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
                _add(sheet.unrealised, settle, each.unrealised(_mark(each.instrument, worth)))
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


def _equity(account_id: int, held: Iterable[Holding], sheet: Sheet, worth: Mapping[str, Decimal]) -> Decimal:
    """What the wallets hold of what can be valued, and on futures what the open positions would bring."""
    account = Account.objects.get(pk=account_id)
    totals = Wallet.objects.filter(account_id=account_id).values_list("asset", "total")
    with localcontext(EXACT):
        value = sum((total * worth[asset] for asset, total in totals if asset in worth), ZERO)
        if account.market_type == MarketType.FUTURES:
            value += sum((each * _worth(worth, asset) for asset, each in sheet.unrealised.items()), ZERO)
        return value.quantize(SMALLEST)


def _worth(worth: Mapping[str, Decimal], asset: str) -> Decimal:
    if asset not in worth:
        raise NoRate(asset)
    return worth[asset]


def _add(sums: Sums, asset: str, amount: Decimal) -> None:
    if amount:
        sums[asset] = sums.get(asset, ZERO) + amount
