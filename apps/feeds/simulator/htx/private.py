"""The accounts' own sockets, of spot and of linear swaps: who is on them, and what keeps them alive."""

from collections import deque
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.htx.spot_private import SpotPrivate
from apps.feeds.simulator.htx.swap_private import SwapPrivate
from apps.feeds.simulator.sockets import Socket, gzip_frame, text_frame

if TYPE_CHECKING:
    from apps.feeds.simulator.htx.exchange import Htx

FRAMES = {"spot": text_frame, "futures": gzip_frame}


class Private:
    def __init__(self, exchange: "Htx") -> None:
        self._kinds: dict[str, SpotPrivate | SwapPrivate] = {
            "spot": SpotPrivate(exchange),
            "futures": SwapPrivate(exchange),
        }

    def opened(self, socket: Socket, request: web.Request) -> None:
        socket.frame = FRAMES[socket.market_type]
        here, path = f"{request.host}/{socket.host}", f"/{socket.path.strip('/')}"
        # A client that has reached the exchange at another address signs that one, some of them all of it.
        addresses = [(socket.host, path), (here, path), (here, f"ws://{here}{path}")]
        self._kinds[socket.market_type].opened(socket, addresses)

    def closed(self, socket: Socket) -> None:
        for kind in self._kinds.values():
            kind.closed(socket)

    def heard(self, socket: Socket, frame: dict[str, Any], pings: deque[int]) -> None:
        """`pings`: those that are unanswered."""
        kind = self._kinds[socket.market_type]
        pong = kind.pong(frame)
        if pong is None:
            kind.heard(socket, frame)
        elif pong in pings:
            pings.clear()

    def ping(self, socket: Socket, ms: int) -> None:
        self._kinds[socket.market_type].ping(socket, ms)
