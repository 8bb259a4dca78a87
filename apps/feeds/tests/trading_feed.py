"""What a private socket tells, and what an account's books make of it."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from apps.feeds.drivers.base import Frame
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import (
    AccountEvent,
    Balance,
    Balances,
    Fill,
    LookUp,
    OrderRef,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
)
from apps.feeds.tests.toy import Watched
from apps.feeds.transport.link import Link

if TYPE_CHECKING:
    from apps.feeds.tests.trading_hand import Hand

FINAL = {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
PATIENCE_S = 60.0  # for what must happen


class Feed(Watched):
    """What the private socket tells, and what an account's books make of it: told twice or late, it is the same."""

    def __init__(self, hand: "Hand") -> None:
        super().__init__()
        self.hand = hand
        self.story: list[str] = []  # "ready", "lost", "refused", "malformed", and the names of events
        self.told: list[AccountEvent] = []
        self.orders: dict[str, OrderUpdate] = {}  # by the exchange's id
        self.fills: dict[str, Fill] = {}  # by trade id
        self.balances: dict[str, Balance] = {}
        self.positions: dict[tuple[str, str], Position] = {}
        self.looked_up: set[str] = set()
        self.refusals: list[tuple[str, str]] = []
        self.reasons: list[str] = []
        self.bad: list[str] = []

    def ready(self, link: Link) -> None:
        self._tell("ready")

    def lost(self, link: Link, reason: str, retry_in_s: float) -> None:
        self.reasons.append(reason)
        self._tell("lost")

    def refused(self, link: Link, code: str, text: str) -> None:
        self.refusals.append((code, text))
        self._tell("refused")

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self.bad.append(f"{error}: {frame!r}")
        self._tell("malformed")

    def events(self, link: Link, events: list[AccountEvent], received_ns: int) -> None:
        for event in events:
            self.told.append(event)
            self._take(event)
            self.story.append(type(event).__name__)
        self.note()

    @property
    def is_ready(self) -> bool:
        return [word for word in self.story if word in ("ready", "lost")][-1:] == ["ready"]

    def order(self, named: OrderRef) -> OrderUpdate | None:
        return self.orders.get(named.exchange_order_id or "")

    def fills_of(self, named: OrderRef) -> list[Fill]:
        return [fill for fill in self.fills.values() if fill.exchange_order_id == named.exchange_order_id]

    def filled(self, named: OrderRef) -> Decimal:
        return sum((fill.amount for fill in self.fills_of(named)), Decimal(0))

    async def until_status(self, named: OrderRef, *statuses: OrderStatus) -> OrderUpdate:
        await self.until(lambda: (told := self.order(named)) is not None and told.status in statuses)
        told = self.order(named)
        assert told is not None
        return told

    async def until_filled(self, named: OrderRef, amount: Decimal) -> list[Fill]:
        """Wait until executions of so much are known; what the pushes leave out is asked for."""
        await self.until(lambda: self.filled(named) >= amount or named.exchange_order_id in self.looked_up)
        if self.filled(named) < amount:
            for fill in await self.hand.order_trades(named):
                self.fills.setdefault(fill.trade_id, fill)
        assert self.filled(named) == amount
        return self.fills_of(named)

    async def until(self, holds: Callable[[], Any], seconds: float | None = None) -> None:
        try:
            await super().until(holds, seconds or PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"did not happen; told: {self.story}, {self.reasons}, {self.bad}") from None

    def _take(self, event: AccountEvent) -> None:
        if isinstance(event, OrderUpdate):
            update = self.hand.on.in_base(event)
            self.orders[update.exchange_order_id] = merged(self.orders.get(update.exchange_order_id), update)
        elif isinstance(event, Fill):
            self.fills[event.trade_id] = self.hand.on.in_base(event)
        elif isinstance(event, LookUp):
            self.looked_up.add(event.exchange_order_id)
        elif isinstance(event, Balances):
            known = {} if event.whole else self.balances
            self.balances = known | {row.asset: row for row in event.rows}
        elif isinstance(event, Positions):
            rows = [self.hand.on.in_base(row) for row in event.rows]
            known_positions = {} if event.whole else self.positions
            self.positions = known_positions | {(row.symbol, row.side): row for row in rows}

    def _tell(self, name: str) -> None:
        self.story.append(name)
        self.note()


def merged(known: OrderUpdate | None, update: OrderUpdate) -> OrderUpdate:
    """A final status is never left, and what is filled never falls, whatever comes late."""
    if known is None:
        return update
    newest = update if update.filled >= known.filled else known
    status = known.status if known.status in FINAL else update.status
    if status is OrderStatus.OPEN and newest.filled:
        status = known.status
    return replace(newest, status=status)
