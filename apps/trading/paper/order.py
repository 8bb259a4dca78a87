"""One paper order: what is left of it, and how much of others' volume is ahead of it in its level's queue."""

from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

from msgspec import Struct

from apps.feeds.errors import Refused
from apps.feeds.market import Side
from apps.feeds.orders import NewOrder, OrderStatus, OrderUpdate, PositionSide

PRINT_LAG_MS = 2_000  # a trade may be told so much later than the book that shows its effect

CLOSES = {PositionSide.LONG: Side.SELL, PositionSide.SHORT: Side.BUY}
SMALLEST = Decimal("1e-18")  # what money columns keep
FINAL = {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED}


@dataclass(slots=True)
class PaperOrder:
    """Amounts in base currency. `ahead` None: its level was never displayed, so nobody knows."""

    new: NewOrder
    exchange_order_id: str
    status: OrderStatus = OrderStatus.PENDING
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)  # of what is filled
    ahead: Decimal | None = None
    joined_ms: int = 0  # our time
    tape_ms: int | None = None  # the exchange's: trades up to it are part of the book that it joined
    text: str = ""
    refusal: Refused | None = None  # why it is REJECTED
    spent: bool = False  # what is left of its amount in quote currency buys nothing more
    _unexplained: Decimal = field(default=Decimal(0))  # what left the queue ahead, and no trade has told of it yet
    _explain_until_ms: int = 0

    @property
    def side(self) -> Side:
        return self.new.side

    @property
    def limit(self) -> Decimal:
        """Of a limit order; raise ValueError for a market order."""
        if self.new.price is None:
            raise ValueError("a market order has no limit")
        return self.new.price

    @property
    def remaining(self) -> Decimal:
        """Zero for one that is told in quote currency: see `wanted`."""
        return Decimal(0) if self.new.amount is None else self.new.amount - self.filled

    @property
    def only_reduces(self) -> bool:
        """In hedge mode a sell of what is long, and a buy of what is short, can only close."""
        return self.new.reduce_only or CLOSES.get(self.new.position_side) is self.side

    @property
    def closes(self) -> tuple[str, PositionSide, Side]:
        """Orders that are alike in this close the same position."""
        return self.new.instrument.symbol, self.new.position_side, self.side

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    def wanted(self, price: Decimal) -> Decimal:
        """How much it wants at a price."""
        if self.new.quote_amount is None:
            return self.remaining
        grain = self.new.instrument.lot * self.new.instrument.contract_size
        return ((self.new.quote_amount - self.value) / (price * grain)).to_integral_value(ROUND_FLOOR) * grain

    def join(self, displayed: Decimal | None, now_ms: int, tape_ms: int | None) -> None:
        """Rest behind all that is displayed at its price; None where that cannot be seen."""
        self.ahead = displayed
        self.joined_ms = now_ms
        self.tape_ms = tape_ms

    def hears(self, trade_ms: int, now_ms: int) -> bool:
        """Whether a trade happened after it joined, as far as can be told."""
        return now_ms >= self.joined_ms + PRINT_LAG_MS if self.tape_ms is None else trade_ms > self.tape_ms

    def see_level(self, displayed: Decimal, now_ms: int) -> None:
        """Cancels are taken to be behind it, unless the level has become smaller than what is ahead.

        What makes it smaller may be a trade that is told later: such a trade moves it up once, not twice.
        """
        if self.ahead is None:
            self.ahead = displayed
        elif displayed < self.ahead:
            self._unexplained = self._still_unexplained(now_ms) + self.ahead - displayed
            self._explain_until_ms = now_ms + PRINT_LAG_MS
            self.ahead = displayed

    def see_trade(self, amount: Decimal, now_ms: int) -> Decimal:
        """A trade at its price takes from the head of the queue; return what is left of it for this order."""
        if self.ahead is None:
            return Decimal(0)
        explained = min(self._still_unexplained(now_ms), amount)
        self._unexplained -= explained
        passed = min(self.ahead, amount - explained)
        self.ahead -= passed
        return amount - explained - passed

    def _still_unexplained(self, now_ms: int) -> Decimal:
        if now_ms > self._explain_until_ms:
            self._unexplained = Decimal(0)
        return self._unexplained

    def fill(self, price: Decimal, amount: Decimal) -> None:
        self.filled += amount
        self.value += price * amount
        self.status = OrderStatus.FILLED if self.new.amount == self.filled else OrderStatus.PARTIAL

    def update(self, now_ms: int) -> OrderUpdate:
        """As an exchange tells it, in the exchange's own units."""
        size = self.new.instrument.contract_size
        return OrderUpdate(
            symbol=self.new.instrument.symbol,
            exchange_order_id=self.exchange_order_id,
            client_order_id=self.new.client_order_id,
            status=self.status,
            side=self.side,
            filled=self.filled / size,
            amount=None if self.new.amount is None else self.new.amount / size,
            price=self.new.price,
            average_price=(self.value / self.filled).quantize(SMALLEST) if self.filled else None,
            exchange_ms=now_ms,
            text=f"PAPER {self.text}".rstrip(),
        )


class Resting(Struct, frozen=True, kw_only=True):
    """A limit order that rested when a former life of its account ended; amounts in base currency."""

    new: NewOrder
    exchange_order_id: str
    filled: Decimal
    value: Decimal  # of what is filled

    def order(self) -> PaperOrder:
        return PaperOrder(
            new=self.new,
            exchange_order_id=self.exchange_order_id,
            status=OrderStatus.PARTIAL if self.filled else OrderStatus.OPEN,
            filled=self.filled,
            value=self.value,
        )
