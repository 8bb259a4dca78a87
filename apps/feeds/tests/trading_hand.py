"""One account at work: its orders and its private socket, as an executor uses them."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from apps.feeds.drivers.base import Rate, Request
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer, Placed
from apps.feeds.errors import Refused, UnknownOrder
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import Fill, NewOrder, OrderRef, OrderStatus, OrderType, OrderUpdate, in_base
from apps.feeds.tests.stand import HASTY
from apps.feeds.tests.trading_feed import FINAL, PATIENCE_S, Feed
from apps.feeds.tests.trading_holder import Holder
from apps.feeds.tests.waiting import end
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.orders import Purpose
from apps.feeds.transport.private import PrivateSocket

MONEY = Decimal(200)  # for a market buy where it has to name that
EXPIRES_MS = 20_000  # long enough for a machine that is busy
ASKED_AGAIN_S = 0.02
PATIENT = replace(HASTY, ack_s=20.0)


class Hand(Holder):
    """Amounts come back in base currency."""

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
        trader = self.on.trader

        def request(cursor: str | None) -> Request:
            return trader.order_trades(self.keys, named, self.now_ms(), cursor)

        told = await self.pages(request, lambda answer: trader.parse_own_trades(named.instrument, answer))
        rows = [in_base(row, named.instrument) for row in told]
        return [row for row in rows if row.exchange_order_id == named.exchange_order_id]

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
            timing=PATIENT,
        )
        task = asyncio.create_task(socket.run(), name=f"private socket of {self.name}")
        try:
            if ready:
                await feed.until(lambda: feed.is_ready)
                await self.on.until_heard(self)
            yield feed
        finally:
            await end(task)


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
