"""A paper account on small books, for its tests. Prices and amounts are plain numbers, turned where they enter."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from apps.feeds.market import Instrument, MarketType, PublicTrade, Side
from apps.feeds.orders import Fees, Fill, NewOrder, OrderRef, OrderStatus, OrderType, OrderUpdate, TimeInForce
from apps.trading.paper.account import PaperAccount, PaperEvent

SPOT = Instrument(
    exchange="toy",
    market_type=MarketType.SPOT,
    pair="A/USDT",
    symbol="AUSDT",
    base="A",
    quote="USDT",
    settle="USDT",
    tick=Decimal(1),
    lot=Decimal(1),
)
FUTURES = replace(SPOT, market_type=MarketType.FUTURES, symbol="A-PERP", contract_size=Decimal(10))
FEES = Fees(maker=Decimal("0.001"), taker=Decimal("0.002"))
LATE = 10**12  # expires never


def account(instrument: Instrument = SPOT, **options: Any) -> PaperAccount:
    options = {"balances": {"USDT": Decimal(100_000), "A": Decimal(1_000)}, "fees": FEES, "latency_ms": 0} | options
    return PaperAccount(account="7", market_type=instrument.market_type, **options)


def order(side: Side, amount: int | None, price: int | None = None, **options: Any) -> NewOrder:
    """A limit order where a price is given, else a market order."""
    options = {"instrument": SPOT, "client_order_id": "c1", "expires_ms": LATE, "tif": TimeInForce.GTC} | options
    return NewOrder(
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        amount=None if amount is None else Decimal(amount),
        price=None if price is None else Decimal(price),
        **options,
    )


def trade(side: Side, price: int, amount: float, at_ms: int) -> PublicTrade:
    return PublicTrade(
        symbol="AUSDT", trade_id="t", side=side, price=float(price), amount=amount, exchange_ms=at_ms, received_ns=0
    )


def show(
    paper: PaperAccount,
    bids: Sequence[tuple[int, int]],
    asks: Sequence[tuple[int, int]],
    at_ms: int = 0,
    *,
    instrument: Instrument = SPOT,
    whole: bool = True,
    exchange_ms: int | None = -1,
) -> list[PaperEvent]:
    """The exchange's clock is ours unless told otherwise."""
    return paper.show_book(
        instrument,
        [(float(price), float(amount)) for price, amount in bids],
        [(float(price), float(amount)) for price, amount in asks],
        whole=whole,
        exchange_ms=at_ms if exchange_ms == -1 else exchange_ms,
        now_ms=at_ms,
    )


def ref(client_order_id: str = "c1", instrument: Instrument = SPOT) -> OrderRef:
    return OrderRef(instrument=instrument, client_order_id=client_order_id)


def fills(events: Sequence[PaperEvent]) -> list[tuple[int, int, bool | None]]:
    """Price, amount and whether it was the maker's."""
    return [(int(each.price), int(each.amount), each.is_maker) for each in events if isinstance(each, Fill)]


def statuses(events: Sequence[PaperEvent]) -> list[OrderStatus]:
    return [each.status for each in events if isinstance(each, OrderUpdate)]
