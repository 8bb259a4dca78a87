"""What of an account a sweep has to ask for, read before the first question leaves."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderStatus
from apps.trading import records
from apps.trading.execution.gateway.ports import Port
from apps.trading.models import Account, Order, OrderFill, Position, StrayFill, Trade
from apps.trading.order_state import NOT_OVER

OVERLAP_MS = 300_000  # asked for again: lists of trades lag behind
FIRST_MS = 86_400_000  # of an account that was never swept
STOPPED_MS = 3_600_000  # before the last clean stop
WORKING = (OrderStatus.OPEN, OrderStatus.PARTIAL)


class Known(Struct, frozen=True):
    """What a row says of an order already."""

    order_id: int
    status: str
    exchange_order_id: str | None
    client_order_id: str | None
    told: object
    amount: object
    price: object
    symbol: str
    is_external: bool
    position_side: str


class Interest(Struct, frozen=True, kw_only=True):
    """`pairs` by the exchange's symbol, those that trades are asked of; `since_ms` by the exchange's clock.

    `working` are the rows of orders that were open when it was read, `fills` what is known of the time since then:
    (symbol, trade id, side) -> (price, amount), of those whose fee is known.
    """

    account_id: int
    market_type: str
    pairs: dict[str, TradePair]
    since_ms: int
    working: dict[tuple[str, str], Known]
    fills: dict[tuple[str, str, str], tuple[object, object]]

    def instrument(self, symbol: str) -> Instrument:
        return feeds.instrument(self.pairs[symbol])


def read(account_id: int, now_ms: int, *, all_since_ms: int | None = None) -> Interest:
    """`all_since_ms`: look back so far, at every pair that was traded since; else since the last sweep."""
    account = Account.objects.get(pk=account_id)
    since_ms = _since(account, now_ms) if all_since_ms is None else all_since_ms
    pairs = {pair.symbol: pair for pair in _pairs(account, records.time_of(since_ms))}
    working = Order.objects.filter(account=account, status__in=WORKING).exclude(exchange_order_id=None)
    known = [_known(row) for row in working.select_related("pair")]
    return Interest(
        account_id=account_id,
        market_type=account.market_type,
        pairs=pairs,
        since_ms=since_ms,
        working={(each.symbol, each.exchange_order_id or ""): each for each in known},
        fills=_fills(account, since_ms),
    )


def traded(account_id: int) -> dict[str, TradePair]:
    """Pairs that the account is about to trade, whether anything is open there or not, by symbol."""
    account = Account.objects.get(pk=account_id)
    named = Trade.objects.filter(account=account, enabled=True).values_list("pair", flat=True)
    rows = TradePair.objects.select_related("exchange").filter(
        exchange_id=account.exchange_id, market_type=account.market_type, pair__in=set(named)
    )
    return {row.symbol: row for row in rows}


def listed(port: Port, symbols: Collection[str]) -> dict[str, TradePair]:
    """Of these symbols those that its market lists."""
    if not symbols:
        return {}
    rows = TradePair.objects.select_related("exchange").filter(
        exchange__code=port.exchange, market_type=port.market_type, symbol__in=symbols
    )
    return {row.symbol: row for row in rows}


def _since(account: Account, now_ms: int) -> int:
    """Trades before it are known in full. Never ahead of now: the clock that it was measured by may have been wrong."""
    if account.swept_ms is not None:
        return min(now_ms, account.swept_ms) - OVERLAP_MS
    if account.stopped_at is not None:
        return min(now_ms - OVERLAP_MS, records.milliseconds(account.stopped_at) - STOPPED_MS)
    return now_ms - FIRST_MS


def _pairs(account: Account, since: datetime) -> Iterable[TradePair]:
    """Where something of the account is open, was going on since, or waits for its order; an index leads to each."""
    rows = Order.objects.filter(account=account).order_by().values_list("pair_id", flat=True).distinct()
    open_or_young = (
        {"status__in": NOT_OVER},
        {"ended_at__gte": since},
        {"created_at__gte": since},
    )
    orders = {pair_id for condition in open_or_young for pair_id in rows.filter(**condition)}
    held = Position.objects.filter(account=account).exclude(amount=0, told_amount=None).exclude(amount=0, told_amount=0)
    waiting = StrayFill.objects.filter(account=account, order=None).values_list("symbol", flat=True)
    here = Q(exchange_id=account.exchange_id, market_type=account.market_type)
    named = Q(pk__in=orders) | here & Q(symbol__in=set(waiting))
    if account.market_type == "futures":
        named |= Q(pk__in=set(held.values_list("pair_id", flat=True)))
    return TradePair.objects.select_related("exchange").filter(named).order_by("id")


def _known(row: Order) -> Known:
    return Known(
        row.pk,
        row.status,
        row.exchange_order_id,
        row.client_order_id,
        row.told,
        row.amount,
        row.price,
        row.pair.symbol,
        row.is_external,
        row.position_side,
    )


def _fills(account: Account, since_ms: int) -> dict[tuple[str, str, str], tuple[object, object]]:
    rows = OrderFill.objects.filter(account=account, exchange_ms__gte=since_ms).exclude(fee_asset="").order_by()
    names = ("pair__symbol", "trade_id", "side", "price", "amount")
    return {
        (symbol, trade_id, str(side)): (price, amount)
        for symbol, trade_id, side, price, amount in rows.values_list(*names)
        if trade_id is not None
    }
