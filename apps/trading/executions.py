"""Executions as rows: each once, with all that follows from it, and those that came before their order was known."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from msgspec.structs import replace

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill
from apps.trading import attempts, holdings, order_state, plain, publishing, records
from apps.trading.attempts import Attempt
from apps.trading.execution import hooks
from apps.trading.models import FillSource, Order, OrderFill, OrderIntent, StrayFill, TradeHistory
from apps.trading.records import ZERO

FILLED = "FILLED"  # STATUS of a row of TRADE_HISTORY


def take(attempt: Attempt, fill: Fill, source: FillSource) -> None:
    """Count it once; one that is known changes nothing."""
    state = attempt.state
    mine = replace(
        fill,
        client_order_id=None if fill.client_order_id != state.client_order_id else fill.client_order_id,
        side=state.side if fill.side is Side.UNKNOWN else fill.side,
    )
    after = order_state.apply_fill(state, mine)
    if after == state:
        return
    if fill.trade_id not in state.fills:
        hooks.at("K12")
        attempt.row.pair = TradePair.objects.select_related("exchange").get(pk=attempt.row.pair_id)
        _insert(attempt.row, mine, source)
    evidence: dict[str, Any] = {"source": source, **plain.evidence(mine)}
    attempts.write(attempt, after, kind="fill", evidence=evidence)


def keep_stray(account_id: int, instrument: Instrument, fill: Fill, source: FillSource) -> None:
    """Until we know whose it is; one that is kept already is the same."""
    StrayFill.objects.get_or_create(
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


def strays_of(attempt: Attempt) -> Iterator[tuple[StrayFill, Fill]]:
    """Those that wait for this order, in base currency."""
    row = attempt.row
    found = StrayFill.objects.filter(
        account_id=row.account_id or 0, exchange_order_id=row.exchange_order_id or "", order=None
    )
    for stray in found.order_by("exchange_ms", "id"):
        instrument = feeds.instrument(row.pair)
        if stray.symbol == instrument.symbol:
            yield stray, _fill_of(stray, instrument)


def attached(stray: StrayFill, attempt: Attempt) -> None:
    StrayFill.objects.filter(pk=stray.pk).update(order_id=attempt.row.pk)


def _insert(row: Order, fill: Fill, source: FillSource) -> None:
    written = OrderFill.objects.create(
        order_id=row.pk,
        arbitrage_id=_arbitrage_of(row),
        amount=fill.amount,
        price=fill.price,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        executed_at=records.time_of(fill.exchange_ms),
        trade_id=fill.trade_id,
        source=source,
        account_id=row.account_id,
        pair_id=row.pair_id,
        side=fill.side,
        is_maker=fill.is_maker,
        exchange_ms=fill.exchange_ms,
    )
    TradeHistory.objects.create(
        daemon=settings.CT_DAEMON_ID,
        exchange=row.pair.exchange.code,
        pair=row.pair.pair,
        order=str(row),
        side=str(fill.side).upper(),
        price=fill.price,
        amount=fill.amount,
        commission=fill.fee,
        status=FILLED,
        executed_at=written.executed_at,
        account_id=row.account_id,
        fill=written,
    )
    holdings.take_fill(row, written)
    publishing.fill_on_commit(written)


def _arbitrage_of(row: Order) -> int | None:
    if row.intent_id is None:
        return None
    return OrderIntent.objects.values_list("arbitrage_id", flat=True).get(pk=row.intent_id)


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
