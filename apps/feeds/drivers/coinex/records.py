"""An order and an execution as CoinEx spells them, on REST and sockets alike, and what they mean."""

from decimal import Decimal

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.coinex import trading_facts as facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate, PositionSide


class Order(money.Exact):
    """An order by REST or by push. What was filled is missing in pushes of the old spelling (`unfill_amount`).

    Amounts of a market buy on spot may be in quote currency, which is not told everywhere; `filled_amount` never is.
    """

    order_id: wire.Id
    market: wire.Name
    side: wire.Word
    type: wire.Word
    amount: Decimal
    price: Decimal | None = None
    client_id: wire.Word = ""
    filled_amount: Decimal | None = None
    filled_value: Decimal | None = None
    unfilled_amount: Decimal | None = None
    unfill_amount: Decimal | None = None
    status: wire.Word | None = None
    fee_ccy: wire.Word | None = None  # of futures only
    created_at: wire.Millis = 0
    updated_at: wire.Millis = 0  # 0 on finished orders

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unfilled_amount is None and self.unfill_amount is None:
            raise ValueError("an order without what is left of it")

    @property
    def left(self) -> Decimal:
        return money.amount(self.unfill_amount if self.unfilled_amount is None else self.unfilled_amount)

    @property
    def filled(self) -> Decimal | None:
        """None: not told, and not to be concluded."""
        if self.filled_amount is None and not self.is_market_buy:
            return self.amount - self.left
        return self.filled_amount

    @property
    def is_market_buy(self) -> bool:
        return (self.type, self.side) == ("market", "buy")


class Deal(money.Exact):
    """An execution; lists of 2024 had neither fee nor role."""

    deal_id: wire.Id
    order_id: wire.Id
    market: wire.Name
    side: wire.Word
    price: Decimal
    amount: Decimal
    created_at: wire.Millis
    client_id: wire.Word = ""
    role: wire.Word = ""
    fee: Decimal | None = None
    fee_ccy: wire.Word = ""


def rest_update(told: Order, *, finished: bool) -> OrderUpdate:
    """`finished`: it stands in a list of finished orders."""
    if told.status is None:
        return update(told, ended(told) if finished else by_amounts(told))
    if told.status not in facts.STATUS:
        raise MalformedFrame(f"unknown status {told.status[:40]!r}", symbol=told.market)
    return update(told, facts.STATUS[told.status])


def update(told: Order, status: OrderStatus) -> OrderUpdate:
    """Raise MalformedFrame where what was filled is not told."""
    side, filled = side_of(told.side, told.market), told.filled
    if told.type not in facts.ORDER_TYPES:
        raise MalformedFrame(f"unknown type {told.type[:40]!r}", symbol=told.market)
    if filled is None:
        raise MalformedFrame("a market buy without what was filled", symbol=told.market)
    average = told.filled_value / filled if told.filled_value and filled and told.filled_amount is not None else None
    return money.sound(
        OrderUpdate(
            symbol=told.market,
            exchange_order_id=str(told.order_id),
            client_order_id=told.client_id or None,
            status=status,
            side=side,
            filled=filled,
            amount=None if told.is_market_buy and told.fee_ccy is None else told.amount,
            price=money.positive(told.price),
            average_price=average,
            exchange_ms=told.updated_at or told.created_at or None,
            position_side=PositionSide.NET,
            text=told.status or "",
        )
    )


def ended(told: Order) -> OrderStatus:
    """Of an order that is over. A market buy may leave a rest too small to buy anything."""
    residue = told.type == "market" and bool(told.filled)
    return OrderStatus.FILLED if not told.left or residue else OrderStatus.CANCELLED


def by_amounts(told: Order) -> OrderStatus:
    if not told.left:
        return OrderStatus.FILLED
    return OrderStatus.PARTIAL if told.filled else OrderStatus.OPEN


def fill(told: Deal) -> Fill:
    """A fee without a currency is one that is not told: the order knows it."""
    if told.role not in ("taker", "maker", ""):
        raise MalformedFrame(f"unknown role {told.role[:40]!r}", symbol=told.market)
    return money.sound(
        Fill(
            symbol=told.market,
            exchange_order_id=str(told.order_id),
            client_order_id=told.client_id or None,
            trade_id=str(told.deal_id),
            side=side_of(told.side, told.market),
            price=told.price,
            amount=told.amount,
            fee=told.fee or Decimal(0),
            fee_asset=told.fee_ccy if told.fee is not None else "",
            is_maker=told.role == "maker" if told.role else None,
            exchange_ms=told.created_at,
            position_side=PositionSide.NET,
        )
    )


def side_of(told: str, symbol: str) -> Side:
    if told not in facts.SIDES:
        raise MalformedFrame(f"unknown side {told[:40]!r}", symbol=symbol)
    return facts.SIDES[told]
