"""The simulator's own handles under `/_sim/`: what is so, what was sent, what shall go wrong."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from apps.feeds.simulator.exchange import Exchange, json_answer
from apps.feeds.simulator.faults import COUNTED, ENDS, LASTING, Reach
from apps.feeds.simulator.sockets import Socket

if TYPE_CHECKING:
    from apps.feeds.simulator.server import Simulator


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /_sim/fault`; what is left out holds everywhere."""

    op: str
    exchange: str | None = None
    market_type: str | None = None
    symbol: str | None = None
    seconds: Annotated[float, Meta(ge=0)] | None = None
    count: Annotated[int, Meta(ge=1)] = 1


class Rate(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /_sim/rate`; null lets every channel keep its natural pace."""

    msg_s: Annotated[float, Meta(gt=0)] | None


class Control:
    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator
        self._world = simulator.world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/health", self.health),
            web.get("/_sim/state", self.state),
            web.get("/_sim/book", self.book),
            web.get("/_sim/log", self.log),
            web.post("/_sim/fault", self.fault),
            web.post("/_sim/rate", self.rate),
        ]

    async def health(self, request: web.Request) -> web.Response:
        return json_answer({"ok": True})

    async def state(self, request: web.Request) -> web.Response:
        hosts = Counter(socket.host for socket in self._sockets())
        streams = list(self._world.engine.streams())
        return json_answer(
            {
                "connections": dict(hosts),
                "sockets": [
                    {
                        "connection": socket.id,
                        "host": socket.host,
                        "path": socket.path,
                        "streams": len(socket.streams),
                        "age_s": round(socket.age_s, 3),
                    }
                    for socket in self._sockets()
                ],
                "streams": len(streams),
                "books": len({stream.market for stream in streams if stream.kind == "book"}),
                "asked": {name: dict(exchange.asked) for name, exchange in self._simulator.exchanges.items()},
                "breaches": self._world.breaches.report(),
                "counters": {"beats": self._world.engine.beats, **self._world.journal.totals()},
                "rate": self._world.engine.rate,
            }
        )

    async def book(self, request: web.Request) -> web.Response:
        """The true book, after every channel of it has said all it had to say: `seq` is that of its followers."""
        query = request.query
        exchange = self._simulator.exchanges.get(query.get("exchange", ""))
        depth = query.get("depth", "0")
        market = None
        if exchange is not None:
            market = exchange.market(query.get("market_type", ""), query.get("symbol", ""))
        if exchange is None or market is None or not depth.isdigit():
            return json_answer({"error": "no such market, or no such depth"}, status=404)
        return json_answer(exchange.view(market, int(depth)))

    async def log(self, request: web.Request) -> web.Response:
        rows = self._world.journal.rows(request.query.get("exchange"), request.query.get("market_type"))
        return json_answer(rows)

    async def rate(self, request: web.Request) -> web.Response:
        try:
            self._world.engine.set_rate(msgspec.json.decode(await request.read(), type=Rate).msg_s)
        except msgspec.DecodeError as error:
            return json_answer({"error": str(error)}, status=400)
        return json_answer({"msg_s": self._world.engine.rate})

    async def fault(self, request: web.Request) -> web.Response:
        """Answers how many sockets or channels were in reach at once; 400 for an order that makes no sense."""
        try:
            order = msgspec.json.decode(await request.read(), type=Order)
        except msgspec.DecodeError as error:
            return json_answer({"error": str(error)}, status=400)
        if order.exchange is not None and order.exchange not in self._simulator.exchanges:
            return json_answer({"error": f"unknown exchange {order.exchange}"}, status=400)
        reached = self._carry_out(order)
        if reached is None:
            return json_answer({"error": f"unknown op {order.op}"}, status=400)
        return json_answer({"reached": reached})

    def _carry_out(self, order: Order) -> int | None:
        reach = Reach(order.exchange, order.market_type, order.symbol)
        sockets = [s for s in self._sockets() if any(reach.covers(s.exchange, *place) for place in s.places)]
        if order.op in ("disconnect", "shutdown"):
            self._end(sockets, announce=order.op == "shutdown", after_s=order.seconds or 0.0)
            return len(sockets)
        if order.op in COUNTED:
            return self._arm(order, reach)
        if order.op in LASTING:
            self._world.faults.begin(order.op, reach, seconds=order.seconds, count=order.count)
        elif order.op in ENDS:
            self._world.faults.end(ENDS[order.op], reach)
        else:
            return None
        self._simulator.apply_silence()
        return len(sockets)

    def _end(self, sockets: list[Socket], *, announce: bool, after_s: float) -> None:
        for socket in sockets:
            farewell = self._simulator.exchanges[socket.exchange].farewell(socket) if announce else None
            if farewell is not None:
                socket.answer(farewell)
            if after_s:
                asyncio.get_running_loop().call_later(after_s, socket.hang_up)
            else:
                socket.hang_up()

    def _arm(self, order: Order, reach: Reach) -> int:
        """Let the next messages of every book channel in reach suffer; channels nobody listens to are left alone."""
        reached = 0
        for stream in self._world.engine.streams():
            listing = stream.market.listing
            if stream.kind == "book" and reach.covers(listing.exchange, listing.market_type, listing.symbol):
                self._world.faults.arm(order.op, listing.exchange, listing.market_type, stream.name, order.count)
                reached += 1
        return reached

    def _sockets(self) -> list[Socket]:
        exchanges: list[Exchange] = list(self._simulator.exchanges.values())
        return [socket for exchange in exchanges for socket in exchange.sockets.values()]
