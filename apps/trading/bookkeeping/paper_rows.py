"""Paper accounts and their rows: what a matcher tells is written here, and what rows tell makes it anew."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db.models import QuerySet
from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import models as tables
from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Balances,
    Fees,
    Fill,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Positions,
    PositionSide,
    TimeInForce,
    in_base,
)
from apps.trading import records
from apps.trading.bookkeeping import comparing, recording
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import (
    Account,
    AccountMode,
    FillSource,
    Order,
    OrderFill,
    PaperEntry,
    Position,
    Wallet,
)
from apps.trading.paper.account import PaperEvent
from apps.trading.paper.ledger import Entry, EntryKind, Standing
from apps.trading.paper.order import Resting

FEES = Fees(maker=Decimal("0.001"), taker=Decimal("0.001"))  # of an account whose own are not known
STANDING = (OrderStatus.OPEN, OrderStatus.PARTIAL)


class Former(Struct, frozen=True, kw_only=True):
    """An account as its rows know it. `fallen` are orders that no book could hold on to: they ended with the process
    that matched them."""

    account_id: int
    market_type: MarketType
    exchange: str
    fees: Fees
    balances: dict[str, Decimal]
    positions: list[Standing]
    resting: list[Resting]
    fallen: list[tuple[Instrument, OrderUpdate]]


class Lease(Struct, frozen=True, kw_only=True):
    """What makes an account ours to match."""

    resource: str
    holder: str
    fence: int


class NotHeld(Exception):
    """Somebody else matches the account, or may: what was told since then did not happen."""


class NotOnPaper(Exception):
    """The account is closed, or its orders go to an exchange."""


def former(account_id: int) -> Former:
    """Raise NotOnPaper."""
    row = Account.objects.select_related("exchange").filter(pk=account_id, mode=AccountMode.PAPER, active=True).first()
    if row is None:
        raise NotOnPaper(f"account {account_id} is not on paper")
    standing = [(_instrument(order), order) for order in _standing(account_id)]
    return Former(
        account_id=account_id,
        market_type=MarketType(row.market_type),
        exchange=row.exchange.code,
        fees=fees_of(row),
        balances=_balances(account_id),
        positions=_positions(account_id),
        resting=[_resting(instrument, order) for instrument, order in standing if _rests(order)],
        fallen=[(instrument, _fallen(order)) for instrument, order in standing if not _rests(order)],
    )


def is_paper(account_id: int) -> bool:
    return Account.objects.filter(pk=account_id, mode=AccountMode.PAPER).exists()


@in_transaction
def write(lease: Lease, account_id: int, events: Sequence[PaperEvent], instruments: Mapping[str, Instrument]) -> None:
    """What the matcher tells, in its order: all of it or nothing, and once however often it is told.

    A fill is followed by the changes of wallets that are due to it. Raises NotHeld.
    """
    _check_held(lease)
    for event in events:
        match event:
            case Fill():
                instrument = instruments[event.symbol]
                recording.record_fill(account_id, instrument, in_base(event, instrument), FillSource.PAPER)
            case OrderUpdate():
                instrument = instruments[event.symbol]
                recording.record_update(account_id, instrument, in_base(event, instrument), FillSource.PAPER)
            case Balances():
                comparing.take_balances(account_id, event)
            case Positions():
                _write_positions(account_id, event, instruments)
            case Entry():
                _enter(account_id, event)


def _check_held(lease: Lease) -> None:
    """Lock it until the transaction ends: who takes it waits for that."""
    rows = tables.Lease.objects.select_for_update().filter(resource=lease.resource, expires_at__gt=Now())
    if rows.filter(holder=lease.holder, fence=lease.fence).first() is None:
        raise NotHeld(f"{lease.resource} is not ours any more")


def _enter(account_id: int, entry: Entry) -> None:
    values = {"amount": entry.amount, "exchange_ms": entry.at_ms}
    named = {"account_id": account_id, "trade_id": entry.trade_id, "kind": entry.kind, "asset": entry.asset}
    PaperEntry.objects.get_or_create(**named, defaults=values)


def _write_positions(account_id: int, told: Positions, instruments: Mapping[str, Instrument]) -> None:
    rows = [in_base(each, instruments[each.symbol]) for each in told.rows]
    pairs = feeds.listed(keys=[instruments[each.symbol].key for each in rows])
    of = {pair.symbol: pair for pair in pairs.values()}
    comparing.take_positions(account_id, of, Positions(rows=rows, whole=told.whole, exchange_ms=told.exchange_ms))


def fills(account_id: int, instrument: Instrument, *, since_ms: int = 0, ref: OrderRef | None = None) -> list[Fill]:
    """Those that are written, in base currency: of an instrument since a time, or of one order."""
    rows = OrderFill.objects.filter(account_id=account_id, source=FillSource.PAPER, exchange_ms__gte=since_ms)
    rows = rows.select_related("order__pair").filter(
        order__pair__symbol=instrument.symbol,
        order__pair__market_type=instrument.market_type,
        order__pair__exchange__code=instrument.exchange,
    )
    if ref is not None and ref.client_order_id is not None:
        rows = rows.filter(order__client_order_id=ref.client_order_id)
    elif ref is not None:
        rows = rows.filter(order__exchange_order_id=ref.exchange_order_id)
    return [records.fill_of(row, row.order) for row in rows.order_by("id")]


def _standing(account_id: int) -> QuerySet[Order]:
    rows = Order.objects.filter(account_id=account_id, status__in=STANDING, intent__isnull=False, is_external=False)
    return rows.select_related("pair__exchange").order_by("id")


def _instrument(order: Order) -> Instrument:
    return feeds.instrument(order.pair)


def _rests(order: Order) -> bool:
    return order.type == OrderType.LIMIT and order.tif != TimeInForce.IOC and order.price is not None


def _resting(instrument: Instrument, order: Order) -> Resting:
    new = NewOrder(
        instrument=instrument,
        client_order_id=order.client_order_id or "",
        side=Side(order.side),
        type=OrderType.LIMIT,
        expires_ms=0 if order.request_expires_at is None else records.milliseconds(order.request_expires_at),
        amount=order.amount,
        price=order.price,
        tif=TimeInForce(order.tif),
        reduce_only=order.reduce_only,
        position_side=PositionSide(order.position_side),
    )
    value = sum((fill.price * fill.amount for fill in order.fills.all()), Decimal(0))
    return Resting(
        new=new, exchange_order_id=order.exchange_order_id or f"row {order.pk}", filled=order.filled, value=value
    )


def _fallen(order: Order) -> OrderUpdate:
    """As the exchange would have counted it."""
    size = order.pair.contract_size
    return OrderUpdate(
        symbol=order.pair.symbol,
        exchange_order_id=order.exchange_order_id or "",
        client_order_id=order.client_order_id,
        status=OrderStatus.CANCELLED,
        side=Side(order.side),
        filled=order.filled / size,
        text="PAPER its matcher ended before it did",
    )


def fees_of(row: Account) -> Fees:
    """What a paper account pays."""
    if row.maker_fee is None or row.taker_fee is None:
        return FEES
    return Fees(maker=row.maker_fee, taker=row.taker_fee)


@in_transaction
def _balances(account_id: int) -> dict[str, Decimal]:
    """What the ledger adds up to. It begins with what the wallets hold when the account is matched for the first
    time."""
    Account.objects.select_for_update().get(pk=account_id)
    entries = PaperEntry.objects.filter(account_id=account_id).order_by()
    if not entries.exists():
        PaperEntry.objects.bulk_create(
            PaperEntry(account_id=account_id, kind=EntryKind.DEPOSIT, asset=row.asset, amount=row.total, exchange_ms=0)
            for row in Wallet.objects.filter(account_id=account_id)
        )
    totals: dict[str, Decimal] = {}
    for asset, amount in entries.values_list("asset", "amount").iterator(chunk_size=2000):
        totals[asset] = totals.get(asset, Decimal(0)) + amount
    return totals


def _positions(account_id: int) -> list[Standing]:
    rows = Position.objects.filter(account_id=account_id, pair__market_type=MarketType.FUTURES)
    return [
        Standing(
            instrument=feeds.instrument(row.pair),
            side=PositionSide(row.side),
            amount=row.amount,
            cost=row.cost,
        )
        for row in rows.select_related("pair__exchange")
        if row.amount
    ]


def instruments_of(former: Former) -> Mapping[str, Instrument]:
    """All that its rows name, by symbol."""
    found = [each.instrument for each in former.positions]
    found += [each.new.instrument for each in former.resting]
    found += [instrument for instrument, _ in former.fallen]
    return {each.symbol: each for each in found}
