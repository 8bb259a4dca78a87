"""Executions as rows: each once, with all that follows from it, and those that came before their order was known."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from msgspec.structs import replace

from apps.feeds.market import Instrument, Side
from apps.feeds.orders import Fill
from apps.trading import order_state, plain, publishing, records
from apps.trading.bookkeeping import attempts, holdings
from apps.trading.bookkeeping.attempts import Attempt
from apps.trading.execution.runtime import hooks, statements
from apps.trading.models import FillSource, Order, OrderFill, StrayFill, TradeHistory
from apps.trading.records import ZERO

FILLED = "FILLED"  # STATUS of a row of TRADE_HISTORY
COLUMNS = tuple(field.attname for field in OrderFill._meta.concrete_fields if not field.primary_key)


def take(attempt: Attempt, fill: Fill, source: FillSource) -> None:
    """Count it once; one that is known changes nothing, unless it brings its fee. It is written by `save`."""
    state = attempt.state
    mine = replace(
        fill,
        client_order_id=None if fill.client_order_id != state.client_order_id else fill.client_order_id,
        side=state.side if fill.side is Side.UNKNOWN else fill.side,
    )
    after = order_state.apply_fill(state, mine)
    if after == state:
        return
    kind = "fill"
    if fill.trade_id not in state.fills:
        hooks.at("K12")
        attempt.fills.append((mine, source))
    elif after.alarms == state.alarms:
        kind = "fee"
        attempt.paid.append(mine)
    evidence: dict[str, Any] = {"source": source, **plain.evidence(mine)}
    attempts.write(attempt, after, kind=kind, evidence=evidence)


def save(attempt: Attempt) -> None:
    """Write the fills that were taken, and all that follows from them."""
    if attempt.fills:
        _write(attempt)
    if attempt.paid:
        _pay(attempt)


def _write(attempt: Attempt) -> None:
    instrument, made = attempts.instrument_of(attempt), [_row(attempt, *each) for each in attempt.fills]
    for fill, number in zip(made, statements.insert_all(OrderFill, [_columns(each) for each in made]), strict=True):
        fill.pk = number
    statements.insert_all(TradeHistory, [_history(attempt.row, each, instrument) for each in made])
    holdings.take_fills(attempt.row, made, instrument, attempt.now)
    attempt.fills = []
    for fill in made:
        publishing.fill_on_commit(fill)


def _pay(attempt: Attempt) -> None:
    """Fees that came after their fills. A fill that was taken in the same transaction is a row by now."""
    rows = []
    for fill in attempt.paid:
        row = OrderFill.objects.get(order_id=attempt.row.pk, trade_id=fill.trade_id, side=fill.side)
        row.fee, row.fee_asset = fill.fee, fill.fee_asset
        OrderFill.objects.filter(pk=row.pk).update(fee=fill.fee, fee_asset=fill.fee_asset)
        TradeHistory.objects.filter(fill_id=row.pk).update(commission=fill.fee)
        rows.append(row)
    holdings.take_fees(attempt.row, rows, attempts.instrument_of(attempt), attempt.now)
    attempt.paid = []


def keep_stray(account_id: int, instrument: Instrument, fill: Fill, source: FillSource) -> None:
    """Until we know whose it is; one that is kept already is the same, and may learn its fee."""
    stray, created = StrayFill.objects.get_or_create(
        account_id=account_id,
        symbol=instrument.symbol,
        trade_id=fill.trade_id,
        side=fill.side,
        defaults={
            "exchange_order_id": fill.exchange_order_id,
            "client_order_id": fill.client_order_id or "",
            "price": fill.price,
            "amount": fill.amount / instrument.contract_size,
            "fee": fill.fee,
            "fee_asset": fill.fee_asset,
            "is_maker": fill.is_maker,
            "exchange_ms": fill.exchange_ms,
            "source": source,
        },
    )
    if not created and not fill.is_bare:
        StrayFill.objects.filter(pk=stray.pk, fee_asset="").update(fee=fill.fee, fee_asset=fill.fee_asset)


def strays_of(attempt: Attempt) -> Iterator[tuple[StrayFill, Fill]]:
    """Those that wait for this order, in base currency."""
    row = attempt.row
    found = statements.rows(
        StrayFill,
        "WHERE account_id = %s AND exchange_order_id = %s AND order_id IS NULL ORDER BY exchange_ms, id",
        [row.account_id or 0, row.exchange_order_id or ""],
    )
    for stray in found:
        instrument = attempts.instrument_of(attempt)
        if stray.symbol == instrument.symbol:
            yield stray, _fill_of(stray, instrument)


def attached(stray: StrayFill, attempt: Attempt) -> None:
    StrayFill.objects.filter(pk=stray.pk).update(order_id=attempt.row.pk)


def _row(attempt: Attempt, fill: Fill, source: FillSource) -> OrderFill:
    order = attempt.row
    return OrderFill(
        order_id=order.pk,
        arbitrage_id=attempt.arbitrage_id,
        amount=fill.amount,
        price=fill.price,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        executed_at=records.time_of(fill.exchange_ms),
        trade_id=fill.trade_id,
        source=source,
        account_id=order.account_id,
        pair_id=order.pair_id,
        side=fill.side,
        is_maker=fill.is_maker,
        exchange_ms=fill.exchange_ms,
        created_at=attempt.now,
    )


def _columns(row: OrderFill) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _history(order: Order, fill: OrderFill, instrument: Instrument) -> dict[str, Any]:
    return {
        "daemon": settings.CT_DAEMON_ID,
        "exchange": instrument.exchange,
        "pair": instrument.pair,
        "order": str(order),
        "side": str(fill.side).upper(),
        "price": fill.price,
        "amount": fill.amount,
        "commission": fill.fee,
        "status": FILLED,
        "executed_at": fill.executed_at,
        "account_id": order.account_id,
        "fill_id": fill.pk,
    }


def _fill_of(stray: StrayFill, instrument: Instrument) -> Fill:
    return Fill(
        symbol=stray.symbol,
        exchange_order_id=stray.exchange_order_id,
        client_order_id=stray.client_order_id or None,
        trade_id=stray.trade_id,
        side=Side(stray.side),
        price=stray.price,
        amount=stray.amount * instrument.contract_size,
        fee=stray.fee or ZERO,
        fee_asset=stray.fee_asset,
        is_maker=stray.is_maker,
        exchange_ms=stray.exchange_ms,
    )
