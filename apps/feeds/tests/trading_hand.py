"""One account at work: its keys, our client and its private socket, as an executor uses them."""

import asyncio
import contextlib
import logging
import random
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from apps.feeds.drivers.base import Frame, Rate, Request
from apps.feeds.drivers.trading import Answer, Page, Placed, Trader
from apps.feeds.errors import FeedError, MalformedFrame, Refused, UnknownOrder
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import (
    AccountEvent,
    Balance,
    Balances,
    Credentials,
    Fees,
    Fill,
    FundingPayment,
    LookUp,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Permissions,
    Position,
    Positions,
    in_base,
)
from apps.feeds.tests.stand import TIMING
from apps.feeds.tests.toy import Watched
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.link import Link
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.feeds.transport.private import PrivateSocket

if TYPE_CHECKING:
    from apps.feeds.tests.trading_stand import Stand

T = TypeVar("T")
FINAL = {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
MONEY = Decimal(200)  # for a market buy where it has to name that
EXPIRES_MS = 20_000  # long enough for a machine that is busy
TURN_S = 30.0
PATIENCE_S = 60.0  # for what must happen
ASKED_AGAIN_S = 0.02


class Hand:
    """Asks for one account; amounts come back in base currency. Every error is kept, to be searched for secrets."""

    def __init__(self, on: "Stand", name: str, keys: Credentials, client: OrderClient) -> None:
        self.on = on
        self.name = name
        self.keys = keys
        self.secrets = {keys.key, keys.secret, keys.passphrase} - {""}
        self.client = client
        self.ahead_ms = 0  # our idea of how far the exchange's clock is ahead of ours
        self.errors: list[BaseException] = []
        self._last_ms = 0

    def change_keys(self, **changes: str) -> None:
        """Use other keys from now on; they are as secret as the first."""
        self.keys = replace(self.keys, **changes)
        self.secrets |= set(changes.values())

    def now_ms(self) -> int:
        """The exchange's time, never the same twice: some count signatures by it."""
        self._last_ms = max(time.time_ns() // 1_000_000, self._last_ms + 1)
        return self._last_ms + self.ahead_ms

    def order(self, side: Side = Side.BUY, **more: Any) -> NewOrder:
        """A limit order that rests far from the market, unless said otherwise."""
        market = more.get("type") is OrderType.MARKET
        sized = {} if "quote_amount" in more else {"amount": self.on.amount}
        if market and side is Side.BUY and self.on.buys_for_money and not {"amount", "quote_amount"} & more.keys():
            sized = {"quote_amount": MONEY}
        priced = {"price": self.on.worst(side) if market else self.on.far(side)}
        fields = {
            "instrument": self.on.instrument,
            "client_order_id": self.on.new_id(),
            "type": OrderType.LIMIT,
            "expires_ms": self.now_ms() + EXPIRES_MS,
            **sized,
            **priced,
            **more,
        }
        return NewOrder(side=side, **fields)

    @contextlib.asynccontextmanager
    async def hasty(self, timeout_s: float) -> AsyncIterator[None]:
        """Wait no longer for an answer."""
        patient = self.client
        async with self.on.client(timeout_s) as self.client:
            yield
        self.client = patient

    async def ask(self, request: Request, purpose: Purpose, parse: Callable[[Answer], T]) -> T:
        try:
            return await self.client.ask(self.on.exchange, self.name, request, purpose, parse, turn_s=TURN_S)
        except FeedError as error:
            self.errors.append(error)
            raise

    async def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        return await self.ask(request, Purpose.READ, parse)

    async def pages(self, request: Callable[[str | None], Request], parse: Callable[[Answer], Page[T]]) -> list[T]:
        rows: list[T] = []
        cursor: str | None = None
        for _ in range(50):
            page = await self.read(request(cursor), parse)
            rows += page.rows
            if (cursor := page.cursor) is None:
                return rows
        raise AssertionError("pages without end")

    # orders

    async def place(self, order: NewOrder) -> Placed:
        return await self.send_order(order, self.on.trader.place(self.keys, order, self.now_ms()))

    async def send_order(self, order: NewOrder, request: Request) -> Placed:
        return await self.ask(request, Purpose.ORDER, lambda answer: self.on.trader.parse_placed(order, answer))

    async def tried(self, order: NewOrder, refusal: type[Refused]) -> Placed | None:
        """None where the exchange refuses it in this way; others take it and end it at once."""
        try:
            return await self.place(order)
        except refusal:
            return None

    async def rest(self, side: Side = Side.BUY, **more: Any) -> tuple[NewOrder, OrderRef]:
        """Place an order that rests; returns it with both its ids."""
        order = self.order(side, **more)
        placed = await self.place(order)
        return order, ref(order, placed)

    async def bought(self, **more: Any) -> tuple[OrderRef, OrderUpdate]:
        """Buy at once; returns what the exchange tells of the order."""
        return await self.traded(self.order(type=OrderType.MARKET, **more))

    async def sold(self, amount: Decimal, **more: Any) -> tuple[OrderRef, OrderUpdate]:
        return await self.traded(self.order(Side.SELL, type=OrderType.MARKET, amount=amount, **more))

    async def traded(self, order: NewOrder) -> tuple[OrderRef, OrderUpdate]:
        """Place an order, and wait until it is filled."""
        both = ref(order, await self.place(order))
        return both, await self.until(both, lambda told: told.status is OrderStatus.FILLED)

    async def ended(self, named: OrderRef) -> OrderUpdate | None:
        """The order once it rests no more; None where the exchange keeps no order that ended without a fill."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    found = await self.find(named)
                    if found.status in FINAL:
                        return found
                except UnknownOrder:
                    if self.on.forgets:
                        return None
                    raise
                await asyncio.sleep(ASKED_AGAIN_S)

    async def cancel(self, named: OrderRef) -> None:
        request = self.on.trader.cancel(self.keys, named, self.now_ms())
        await self.ask(request, Purpose.CANCEL, lambda answer: self.on.trader.parse_cancelled(named, answer))

    async def cancel_all(self, instrument: Instrument) -> None:
        """With one request, or one by one where the exchange has none."""
        trader = self.on.trader
        request = trader.cancel_all(self.keys, instrument, self.now_ms())
        if request is not None:
            await self.ask(request, Purpose.CANCEL, lambda answer: trader.parse_cancelled_all(instrument, answer))
            return
        for each in await self.open_orders(instrument):
            await self.cancel(OrderRef(instrument=instrument, exchange_order_id=each.exchange_order_id))

    async def find(self, named: OrderRef) -> OrderUpdate:
        """Open or finished; raises UnknownOrder when it is neither."""
        trader = self.on.trader

        def parse(answer: Answer) -> OrderUpdate:
            return trader.parse_order(named, answer)

        try:
            found = await self.read(trader.query(self.keys, named, self.now_ms()), parse)
        except UnknownOrder:
            finished = trader.query_finished(self.keys, named, self.now_ms())
            if finished is None:
                raise
            found = await self.read(finished, parse)
        return in_base(found, named.instrument)

    async def until(self, named: OrderRef, holds: Callable[[OrderUpdate], bool]) -> OrderUpdate:
        """Ask for the order until what is told of it holds."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(UnknownOrder):
                    found = await self.find(named)
                    if holds(found):
                        return found
                await asyncio.sleep(ASKED_AGAIN_S)

    async def open_orders(self, instrument: Instrument | None = None) -> list[OrderUpdate]:
        trader, market = self.on.trader, self.on.market

        def request(cursor: str | None) -> Request:
            return trader.open_orders(self.keys, market, instrument, self.now_ms(), cursor)

        rows = await self.pages(request, lambda answer: trader.parse_open_orders(market, answer))
        symbols = self.on.instruments.keys() if instrument is None else {instrument.symbol}  # some tell of all
        return [self.on.in_base(row) for row in rows if row.symbol in symbols]

    async def own_trades(self, since_ms: int, instrument: Instrument | None = None) -> list[Fill]:
        trader, of = self.on.trader, instrument or self.on.instrument

        def request(cursor: str | None) -> Request:
            return trader.own_trades(self.keys, of, since_ms, self.now_ms(), cursor)

        rows = await self.pages(request, lambda answer: trader.parse_own_trades(of, answer))
        return [in_base(row, of) for row in rows]

    async def order_trades(self, named: OrderRef) -> list[Fill]:
        request = self.on.trader.order_trades(self.keys, named, self.now_ms())
        page = await self.read(request, lambda answer: self.on.trader.parse_own_trades(named.instrument, answer))
        rows = [in_base(row, named.instrument) for row in page.rows]
        return [row for row in rows if row.exchange_order_id == named.exchange_order_id]

    # the account

    async def balances(self) -> dict[str, Balance]:
        trader, market = self.on.trader, self.on.market
        request = trader.balances(self.keys, market, self.now_ms())
        rows = await self.read(request, lambda answer: trader.parse_balances(market, answer))
        return {row.asset: row for row in rows}

    async def positions(self) -> list[Position]:
        trader = self.on.trader
        rows = await self.pages(
            lambda cursor: trader.positions(self.keys, self.now_ms(), cursor), trader.parse_positions
        )
        return [self.on.in_base(row) for row in rows]

    async def fees(self) -> Fees:
        trader, of = self.on.trader, self.on.instrument
        return await self.read(trader.fees(self.keys, of, self.now_ms()), lambda answer: trader.parse_fees(of, answer))

    async def funding(self, since_ms: int) -> list[FundingPayment]:
        trader, of = self.on.trader, self.on.instrument

        def request(cursor: str | None) -> Request:
            return trader.funding(self.keys, of, since_ms, self.now_ms(), cursor)

        return await self.pages(request, lambda answer: trader.parse_funding(of, answer))

    async def set_leverage(self, leverage: int, mode: MarginMode) -> None:
        trader = self.on.trader
        for request in trader.set_leverage(self.keys, self.on.instrument, leverage, mode, self.now_ms()):
            await self.ask(request, Purpose.ORDER, trader.parse_leverage_set)

    async def permissions(self) -> Permissions:
        trader = self.on.trader
        return await self.read(trader.permissions(self.keys, self.now_ms()), trader.parse_permissions)

    async def server_time(self) -> int:
        trader, market = self.on.trader, self.on.market
        return await self.read(trader.server_time(market), lambda answer: trader.parse_server_time(market, answer))

    # pushes

    @contextlib.asynccontextmanager
    async def listening(self, *, ready: bool = True, trader: Trader | None = None) -> AsyncIterator["Feed"]:
        """The account's private socket, open and subscribed unless it need not be `ready`."""
        feed = Feed(self)
        socket = PrivateSocket(
            account=self.name,
            keys=self.keys,
            market_type=self.on.market,
            driver=self.on.driver,
            trader=trader or self.on.trader,
            client=self.client,
            sink=feed,
            addresses=self.on.addresses,
            gate=Gate(Rate(1000, 1.0)),
            clock=time.time_ns,
            exchange_ms=self.now_ms,
            rng=random.Random(1),
            timing=TIMING_OF_PRIVATE,
        )
        task = asyncio.create_task(socket.run(), name=f"private socket of {self.name}")
        try:
            if ready:
                await feed.until(lambda: feed.is_ready)
                await self.on.until_heard(self)
            yield feed
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @contextlib.contextmanager
    def discreet(self) -> Iterator[None]:
        """Nothing that is secret shows in an error, a log line or a repr of the account's things."""
        lines = Lines()
        root = logging.getLogger()
        level = root.level
        root.addHandler(lines)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(lines)
        shown = [repr(self.keys), repr(self.client), *lines.texts]
        shown += ["".join(traceback.format_exception(error)) + repr(error) for error in self.errors]
        assert [text for text in shown for secret in self.secrets if secret in text] == []


TIMING_OF_PRIVATE = replace(TIMING, ack_s=20.0)


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("apps.feeds.simulator"):
            self.texts.append(record.getMessage() + (self.format(record) if record.exc_info else ""))


class Feed(Watched):
    """What the private socket tells, and what an account's books make of it: told twice or late, it is the same."""

    def __init__(self, hand: Hand) -> None:
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


def ref(order: NewOrder, placed: Placed) -> OrderRef:
    return OrderRef(
        instrument=order.instrument,
        client_order_id=order.client_order_id,
        exchange_order_id=placed.exchange_order_id,
    )


def ours(named: OrderRef) -> OrderRef:
    return replace(named, exchange_order_id=None)


def theirs(named: OrderRef) -> OrderRef:
    return replace(named, client_order_id=None)
