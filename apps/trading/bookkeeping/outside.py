"""Whose an order is that an exchange tells of: one of ours, somebody else's, or one that pretends to be ours."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Subquery
from django.db.models.functions import Now

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill, OrderStatus, OrderType, OrderUpdate, PositionSide
from apps.trading import order_state
from apps.trading.bookkeeping import attempts
from apps.trading.bookkeeping.attempts import Attempt
from apps.trading.execution.pretrade import guards
from apps.trading.execution.runtime import statements
from apps.trading.halts import stopping
from apps.trading.models import Account, Order, OrderEvent, OrderFill, Trade
from apps.trading.records import ZERO

STRATEGY = "external"  # of the TRADE row, switched off, that orders of others hang on
NAMELESS = (OrderStatus.PENDING, OrderStatus.UNKNOWN)  # an order of ours in one of these may have no id of theirs yet


def find(
    account_id: int, instrument: Instrument, client_order_id: str | None, exchange_order_id: str
) -> Attempt | None:
    """The order that an event names, locked: by our id, else by theirs."""
    if client_order_id is not None:
        attempt = attempts.lock(instrument=instrument, client_order_id=client_order_id, account_id=account_id)
        if attempt is not None:
            return attempt
    if not exchange_order_id:
        return None
    return attempts.lock(
        instrument=instrument, pair=instrument, account_id=account_id, exchange_order_id=exchange_order_id
    )


def claim(account_id: int, instrument: Instrument, update: OrderUpdate) -> Attempt | None:
    """A row for an order that is not ours, halting the account where it carries an id like ours.

    None where it cannot be told apart from one of ours that has no answer yet, or where it names no order.
    """
    if not update.exchange_order_id:
        return None
    if update.client_order_id is None and _may_be_ours(account_id, instrument):
        return None
    _check_id(account_id, instrument, update)
    amount = update.amount if update.amount is not None else update.filled
    return _keep(account_id, instrument, update, amount)


def claim_fill(account_id: int, instrument: Instrument, fill: Fill) -> Attempt | None:
    """As `claim`; a fill waits until its order is told where it does not name an id of ours or others, or on futures
    the position that it changes.
    """
    if fill.client_order_id is None or not fill.exchange_order_id:
        return None
    if fill.position_side is None and instrument.market_type is MarketType.FUTURES:
        return None
    update = OrderUpdate(
        symbol=fill.symbol,
        exchange_order_id=fill.exchange_order_id,
        client_order_id=fill.client_order_id,
        status=OrderStatus.OPEN,
        side=fill.side,
        filled=ZERO,
        position_side=fill.position_side,
    )
    _check_id(account_id, instrument, update)
    return _keep(account_id, instrument, update, fill.amount)


def adopt(attempt: Attempt, exchange_order_id: str) -> None:
    """Take over what was recorded under this id of theirs as somebody else's: it turned out to be ours. Nothing is open
    there any more."""
    row = attempt.row
    named: dict[str, Any] = {
        "account_id": row.account_id,
        "pair_id": row.pair_id,
        "exchange_order_id": exchange_order_id,
    }
    other = attempts.lock(**named, is_external=True) if exchange_order_id else None
    if other is None or other.row.pk == row.pk:
        return
    Order.objects.filter(pk=other.row.pk).update(
        exchange_order_id=None,
        status=OrderStatus.CANCELLED,
        filled=0,
        told=0,
        events_told=other.row.events_told + 1,
        ended_at=other.now,
        updated_at=Now(),
    )
    evidence = {"by": row.pk, "exchange_order_id": exchange_order_id}
    other.row.events_told += 1
    ended = attempts.step(other.row, "adopted", other.row.status, OrderStatus.CANCELLED, evidence, other.now)
    statements.insert(OrderEvent, ended)
    OrderFill.objects.filter(order_id=other.row.pk).update(order_id=row.pk)
    fills = {fill.trade_id: fill for fill in other.state.fills.values()}
    state = attempt.state
    for fill in fills.values():
        state = order_state.apply_fill(state, fill)
    attempts.write(attempt, state, kind="adopted", evidence={"order": other.row.pk})


def _keep(account_id: int, instrument: Instrument, update: OrderUpdate, amount: Decimal) -> Attempt:
    account = Account.objects.select_for_update().get(pk=account_id)  # two who find it at once make one TRADE row
    pair = _pairs(instrument).get()
    trade = Trade.objects.filter(account=account, strategy=STRATEGY, pair=pair.pair).order_by("pk").first()
    if trade is None:
        trade = Trade.objects.create(
            exchange=instrument.exchange,
            market_type=instrument.market_type,
            trade_pair_id=pair.pk,
            pair=pair.pair,
            strategy=STRATEGY,
            account=account,
            mode=account.mode,
            enabled=False,
        )
    row = Order.objects.create(
        trade=trade,
        exchange_id=pair.exchange_id,
        pair=pair,
        type=OrderType.LIMIT if update.price else OrderType.MARKET,
        side=update.side,
        position_side=update.position_side or PositionSide.NET,
        amount=amount,
        price=update.price or None,
        status=OrderStatus.OPEN,
        exchange_order_id=update.exchange_order_id,
        account=account,
        is_external=True,
        events_told=1,
    )
    row.refresh_from_db()
    now = guards.clock()
    evidence = {"client_order_id": update.client_order_id, "exchange_order_id": update.exchange_order_id}
    statements.insert(OrderEvent, attempts.step(row, "found", "", OrderStatus.OPEN, evidence, now))
    state = attempts.state_of(row, pair.symbol)
    return Attempt(row=row, state=state, saved=state, now=now)


def _check_id(account_id: int, instrument: Instrument, update: OrderUpdate) -> None:
    """Halt the account when an id that names no row of ours is made like ours: it is forged, or rows were lost."""
    if update.client_order_id is None or settings.CT_ID_KEY is None:
        return
    ids = ClientIds(settings.CT_ID_NAMESPACE, settings.CT_ID_KEY.encode())
    form = registry.trader(instrument.exchange).id_form(instrument.market_type)
    named = ids.read(form, update.client_order_id, account_id=account_id)
    if named is None:
        return
    what = "is not in our books" if named.genuine else "carries our tag, and was not made with our key"
    reason = f"order {update.exchange_order_id} ({update.client_order_id}) of {instrument.symbol} {what}"
    stopping.halt_account(account_id=account_id, by="recording", reason=reason)


def _may_be_ours(account_id: int, instrument: Instrument) -> bool:
    nameless = Order.objects.filter(account_id=account_id, status__in=NAMELESS, exchange_order_id=None)
    return nameless.filter(pair_id=Subquery(_pairs(instrument).values("pk"))).exists()


def _pairs(instrument: Instrument) -> QuerySet[TradePair]:
    return TradePair.objects.filter(
        exchange__code=instrument.exchange, market_type=instrument.market_type, pair=instrument.pair
    )
