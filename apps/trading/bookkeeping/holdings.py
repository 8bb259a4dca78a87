"""Positions and wallets: by our fills, exactly as `portfolio` reckons, beside what the exchange last told.

Written in the transaction that writes the fill or the payment. Fills that come late are counted where they belong:
the position is then reckoned anew from all its fills. What others execute on the account counts as well, since it is
held there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db import connection
from django.db.models import Q
from msgspec.structs import replace

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill
from apps.feeds.orders import FundingPayment as Payment
from apps.trading import portfolio, records
from apps.trading.bookkeeping import days
from apps.trading.execution.pretrade import guards
from apps.trading.execution.runtime import statements
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import FundingPayment, Order, OrderFill, Position, Wallet
from apps.trading.portfolio import Holding
from apps.trading.risk.rounding import EXACT, SMALLEST

ZERO = Decimal(0)
PAID = "net"  # the side that payments are counted on


def take_fills(order: Order, fills: Sequence[OrderFill], instrument: Instrument, now: datetime) -> None:
    """Count fills of an order that were just written; the caller sees to it that this is once.

    `now`: by the database's clock, within this transaction.
    """
    row = _lock(order.account_id or 0, order.pair_id, order.position_side)
    values = sorted((_value(fill, instrument) for fill in fills), key=_moment)
    latest = (row.last_ms or 0, row.last_trade_id)
    holding, fees = holding_of(row, instrument), row.fees
    for value in values:
        holding, fees = portfolio.take_fill(holding, value), fees + _fee(value, instrument)
    if _moment(values[0]) < latest:  # it came late
        holding = _reckoned(row, instrument)
    if values[0].exchange_ms < days.began_ms(now):
        days.recount(row.account_id)
    at = max(_moment(values[-1]), latest)
    _write(row, holding, now, last_ms=at[0], last_trade_id=at[1], fees=fees)
    if instrument.market_type is MarketType.SPOT:
        _expect(row.account_id, _moved(values, instrument), now)


def take_fees(order: Order, fills: Sequence[OrderFill], instrument: Instrument, now: datetime) -> None:
    """Count what fills have cost that were counted before without it; the caller sees to it that this is once."""
    row = _lock(order.account_id or 0, order.pair_id, order.position_side)
    values = [_value(fill, instrument) for fill in fills]
    holding, fees = holding_of(row, instrument), row.fees
    sums, moved = dict(holding.fees), dict[str, Decimal]()
    with localcontext(EXACT):
        for value in values:
            sums[value.fee_asset] = sums.get(value.fee_asset, ZERO) + value.fee
            moved[value.fee_asset] = moved.get(value.fee_asset, ZERO) - value.fee
            fees += _fee(value, instrument)
    if any(value.exchange_ms < days.began_ms(now) for value in values):
        days.recount(row.account_id)
    _write(row, replace(holding, fees=sums), now, fees=fees)
    if instrument.market_type is MarketType.SPOT:
        _expect(row.account_id, moved, now)


def carry_over(order: Order, side: str, instrument: Instrument, now: datetime) -> None:
    """The exchange tells by now that an order is of another position than its fills were counted on: they go there."""
    rows = [_lock(order.account_id or 0, order.pair_id, each) for each in sorted((str(order.position_side), str(side)))]
    Order.objects.filter(pk=order.pk).update(position_side=side)
    for row in rows:
        fills = list(_fills(row, instrument))
        last_ms, last_trade_id = max(map(_moment, fills), default=(None, ""))
        fees = sum((_fee(fill, instrument) for fill in fills), ZERO)
        holding = _reckoned(row, instrument)
        _write(row, holding, now, last_ms=last_ms, last_trade_id=last_trade_id, fees=fees)
    days.recount(order.account_id or 0)


@in_transaction
def take_funding(account_id: int, pair: TradePair, payment: Payment) -> bool:
    """Keep a payment for holding a position, and count it; False: it was known."""
    values = {
        "asset": payment.asset,
        "amount": payment.amount,
        "rate": payment.rate,
        "exchange_ms": payment.exchange_ms,
    }
    _, created = FundingPayment.objects.get_or_create(
        account_id=account_id, pair=pair, payment_id=payment.payment_id, defaults=values
    )
    if created:
        row, now = _lock(account_id, pair.pk, PAID), guards.clock()
        _write(row, portfolio.take_funding(holding_of(row, feeds.instrument(pair)), payment), now)
        if payment.exchange_ms < days.began_ms(now):
            days.recount(account_id)
    return created


def before(row: Position, instrument: Instrument, at_ms: int) -> Holding:
    """As it was at a moment: without the fills and payments of that time and later."""
    late = FundingPayment.objects.filter(account_id=row.account_id, pair_id=row.pair_id, exchange_ms__gte=at_ms)
    payments = late.values_list("asset", "amount") if row.side == PAID else ()
    holding = holding_of(row, instrument)
    if (row.last_ms or 0) >= at_ms:
        holding = _reckoned(row, instrument, until_ms=at_ms)
    with localcontext(EXACT):
        funding = dict(holding.funding)
        for asset, amount in payments:
            funding[asset] = funding.get(asset, ZERO) - amount
        return replace(holding, funding=funding)


def holding_of(row: Position, instrument: Instrument) -> Holding:
    """The row as the value that `portfolio` reckons with; which fills are part of it is not told."""
    return Holding(
        instrument=instrument,
        amount=row.amount,
        cost=row.cost,
        realised=row.realised,
        fees=_sums(row.fee_sums),
        funding=_sums(row.funding_sums),
    )


def _lock(account_id: int, pair_id: int, side: str) -> Position:
    named = {"account_id": account_id, "pair_id": pair_id, "side": str(side).lower()}
    row = _locked(named)
    if row is None:
        Position.objects.bulk_create([Position(**named)], ignore_conflicts=True)
        row = _locked(named)
    if row is None:
        raise Position.DoesNotExist(f"no position of {named}")
    return row


def _locked(named: Mapping[str, Any]) -> Position | None:
    condition, params = statements.still(Position, named)
    return statements.first(Position, f"WHERE {condition}{guards.FOR_UPDATE[connection.vendor]}", params)


def _write(row: Position, holding: Holding, now: datetime, **columns: object) -> None:
    values = {
        "amount": holding.amount,
        "cost": holding.cost,
        "entry_price": holding.entry_price,
        "realised": holding.realised,
        "fee_sums": _texts(holding.fees),
        "funding_sums": _texts(holding.funding),
        "funding": holding.funding.get(holding.instrument.settle, ZERO),
        "updated_at": now,
    }
    statements.update(Position, row.pk, {**values, **columns})


def _reckoned(row: Position, instrument: Instrument, *, until_ms: int | None = None) -> Holding:
    """From the position's first fill on, up to a moment if there is one; payments are not touched by that. Rows are
    fills once each: none is remembered, which would cost the square of their number."""
    holding = Holding(instrument=instrument, funding=_sums(row.funding_sums))
    for value in _fills(row, instrument):
        if until_ms is not None and value.exchange_ms >= until_ms:
            break
        holding = replace(portfolio.take_fill(holding, value), seen=frozenset())
    return holding


def _fills(row: Position, instrument: Instrument) -> Iterator[Fill]:
    """In the order in which they happened."""
    side = Q(order__position_side=row.side)
    rows = OrderFill.objects.filter(side, account_id=row.account_id, pair_id=row.pair_id)
    values = [_value(fill, instrument) for fill in rows.order_by()]
    yield from sorted(values, key=_moment)


def _moment(fill: Fill) -> tuple[int, str]:
    """Fills are counted in this order."""
    return fill.exchange_ms, fill.trade_id


def _value(fill: OrderFill, instrument: Instrument) -> Fill:
    """Who trades with himself has one trade id on both sides: here the side is part of it."""
    side = Side(fill.side or fill.order.side)
    return Fill(
        symbol=instrument.symbol,
        exchange_order_id="",
        client_order_id=None,
        trade_id=f"{fill.trade_id or fill.pk} {side}"[:100],
        side=side,
        price=fill.price,
        amount=fill.amount,
        fee=fill.fee or ZERO,
        fee_asset=fill.fee_asset,
        is_maker=fill.is_maker,
        exchange_ms=records.milliseconds(fill.executed_at) if fill.exchange_ms is None else fill.exchange_ms,
    )


def _fee(fill: Fill, instrument: Instrument) -> Decimal:
    """In settle currency; zero where it was taken in a third one, which only the sums by asset tell."""
    if fill.fee_asset == instrument.settle:
        return fill.fee
    value = EXACT.multiply(fill.fee, fill.price) if fill.fee_asset == instrument.base else ZERO
    return EXACT.quantize(value, SMALLEST)


def _moved(fills: Iterable[Fill], instrument: Instrument) -> dict[str, Decimal]:
    """What fills on a spot market do to the wallets."""
    moved: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for fill in fills:
            amount = fill.amount if fill.side is Side.BUY else -fill.amount
            each = ((instrument.base, amount), (instrument.quote, -amount * fill.price), (fill.fee_asset, -fill.fee))
            for asset, delta in each:
                moved[asset] = moved.get(asset, ZERO) + delta
    return {asset: delta for asset, delta in moved.items() if delta}


def _expect(account_id: int, moved: Mapping[str, Decimal], now: datetime) -> None:
    """Nothing is expected of an account whose balances were never told."""
    rest = f"WHERE account_id = %s{guards.FOR_UPDATE[connection.vendor]}"
    rows = {row.asset: row for row in statements.rows(Wallet, rest, [account_id])}
    if all(row.expected is None for row in rows.values()):
        return
    known = {asset: row for asset, row in rows.items() if row.expected is not None and asset in moved}
    changed = {row.pk: EXACT.add(row.expected or ZERO, moved[asset]) for asset, row in known.items()}
    statements.update_each(Wallet, "expected", changed, now)
    for asset in sorted(moved.keys() - rows.keys()):
        Wallet.objects.bulk_create([Wallet(account_id=account_id, asset=asset, total=ZERO, expected=moved[asset])])


def _sums(texts: Mapping[str, str] | None) -> dict[str, Decimal]:
    return {asset: Decimal(text) for asset, text in (texts or {}).items()}


def _texts(sums: Mapping[str, Decimal]) -> dict[str, str]:
    return {asset: f"{amount.normalize(EXACT):f}" for asset, amount in sums.items()}
