"""Positions and wallets: by our fills, exactly as `portfolio` reckons, beside what the exchange last told.

Called inside the transaction that writes the fill or the payment. Fills that come late are counted where they belong:
the position is then reckoned anew from all its fills. What others execute on the account counts as well, since it is
held there.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext

from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill
from apps.feeds.orders import FundingPayment as Payment
from apps.trading import portfolio, records
from apps.trading.models import FundingPayment, Order, OrderFill, Position, Wallet
from apps.trading.portfolio import Holding
from apps.trading.rounding import EXACT, SMALLEST

ZERO = Decimal(0)


def take_fill(order: Order, fill: OrderFill) -> None:
    """Count a fill that was just written; the caller sees to it that this is once."""
    instrument = feeds.instrument(order.pair)
    row = _lock(order.account_id or 0, order.pair_id, order.position_side)
    value = _value(fill, instrument)
    at = (value.exchange_ms, value.trade_id)
    latest = (row.last_ms or 0, row.last_trade_id)
    late = at < latest
    holding = _reckoned(row, instrument) if late else portfolio.take_fill(holding_of(row, instrument), value)
    at = max(at, latest)
    _write(row, holding, last_ms=at[0], last_trade_id=at[1], fees=row.fees + _fee(value, instrument))
    if instrument.market_type is MarketType.SPOT:
        _expect(row.account_id, _moved(value, instrument))


def take_funding(account_id: int, pair: TradePair, payment: Payment) -> bool:
    """Keep a payment for holding a position; False: it was known."""
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
        row = _lock(account_id, pair.pk, "net")
        _write(row, portfolio.take_funding(holding_of(row, feeds.instrument(pair)), payment))
    return created


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
    rows = Position.objects.select_for_update()
    named = {"account_id": account_id, "pair_id": pair_id, "side": str(side).lower()}
    row = rows.filter(**named).first()
    if row is None:
        Position.objects.bulk_create([Position(**named)], ignore_conflicts=True)
        row = rows.get(**named)
    return row


def _write(row: Position, holding: Holding, **columns: object) -> None:
    instrument = holding.instrument
    Position.objects.filter(pk=row.pk).update(
        amount=holding.amount,
        cost=holding.cost,
        entry_price=holding.entry_price,
        realised=holding.realised,
        fee_sums=_texts(holding.fees),
        funding_sums=_texts(holding.funding),
        funding=holding.funding.get(instrument.settle, ZERO),
        updated_at=Now(),
        **columns,
    )


def _reckoned(row: Position, instrument: Instrument) -> Holding:
    """From the position's first fill on; payments are not touched by that."""
    holding = Holding(instrument=instrument, funding=_sums(row.funding_sums))
    for value in _fills(row, instrument):
        holding = portfolio.take_fill(holding, value)
    return holding


def _fills(row: Position, instrument: Instrument) -> Iterator[Fill]:
    """In the order in which they happened."""
    side = Q(order__position_side=row.side)
    rows = OrderFill.objects.filter(side, account_id=row.account_id, pair_id=row.pair_id)
    values = [_value(fill, instrument) for fill in rows.order_by()]
    yield from sorted(values, key=lambda each: (each.exchange_ms, each.trade_id))


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


def _moved(fill: Fill, instrument: Instrument) -> dict[str, Decimal]:
    """What a fill on a spot market does to the wallets."""
    with localcontext(EXACT):
        amount = fill.amount if fill.side is Side.BUY else -fill.amount
        moved = {instrument.base: amount, instrument.quote: -amount * fill.price}
        if fill.fee:
            moved[fill.fee_asset] = moved.get(fill.fee_asset, ZERO) - fill.fee
        return moved


def _expect(account_id: int, moved: Mapping[str, Decimal]) -> None:
    """Nothing is expected of an account whose balances were never told."""
    rows = {row.asset: row for row in Wallet.objects.select_for_update().filter(account_id=account_id)}
    if all(row.expected is None for row in rows.values()):
        return
    for asset in sorted(moved):
        row, delta = rows.get(asset), moved[asset]
        if row is None:
            Wallet.objects.bulk_create([Wallet(account_id=account_id, asset=asset, total=ZERO, expected=delta)])
        elif row.expected is not None:
            Wallet.objects.filter(pk=row.pk).update(expected=row.expected + delta, updated_at=Now())


def _sums(texts: Mapping[str, str] | None) -> dict[str, Decimal]:
    return {asset: Decimal(text) for asset, text in (texts or {}).items()}


def _texts(sums: Mapping[str, Decimal]) -> dict[str, str]:
    return {asset: f"{amount.normalize(EXACT):f}" for asset, amount in sums.items()}
