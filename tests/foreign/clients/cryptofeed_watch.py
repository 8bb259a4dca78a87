"""cryptofeed at one simulated exchange: reads the market list, keeps books, hears trades, prints what it saw as JSON.

Argument: {"url", "feed", "exchange", "trades", "markets": [{"name", "market_type", "symbol", "depth"}]}; so many levels
of a book have to be true before it is printed. Nothing of cryptofeed is changed but the addresses.
"""

import asyncio
import json
import sys
from typing import Any

from cryptofeed import connection
from cryptofeed.defines import L2_BOOK, TRADES
from cryptofeed.exchanges import EXCHANGE_MAP

from tests.foreign.clients.handles import Book, Handles, shows

UPDATES = 15  # of each book before the market is frozen
PRINTS = 5
WARM_S = 25.0
SETTLE_S = 45.0
POLL_S = 0.05
CONFIG = {"uvloop": False, "log": {"disabled": True, "filename": "", "level": "WARNING"}}


class Watch:
    """Keeps what the feed tells; `warm` once it is enough."""

    def __init__(self, names: list[str], *, trades: bool) -> None:
        self.warm = asyncio.Event()
        self._names = names
        self._wants_trades = trades
        self.books: dict[str, Any] = {}
        self.updates: dict[str, int] = {}
        self.trades: dict[str, list[list[Any]]] = {}

    async def on_book(self, book: Any, received_s: float) -> None:
        self.books[book.symbol] = book.book
        self.updates[book.symbol] = self.updates.get(book.symbol, 0) + 1
        if all(self._is_warm(name) for name in self._names):
            self.warm.set()

    async def on_trade(self, trade: Any, received_s: float) -> None:
        self.trades.setdefault(trade.symbol, []).append([trade.side, float(trade.price), float(trade.amount)])

    def levels(self, name: str) -> Book:
        sides = self.books[name].to_dict()
        bids, asks = ([[float(price), float(size)] for price, size in sides[side].items()] for side in ("bid", "ask"))
        return bids, asks

    def _is_warm(self, name: str) -> bool:
        enough = not self._wants_trades or len(self.trades.get(name, ())) >= PRINTS
        return self.updates.get(name, 0) >= UPDATES and enough


def move(kind: Any, handles: Handles) -> None:
    """Let all addresses of the feed lead to the simulator. It insists on `wss`: sockets are moved when they connect."""
    for endpoint in kind.rest_endpoints:
        endpoint.address = handles.here(endpoint.address)
    connect = connection.connect
    connection.connect = lambda address, **options: connect(handles.here(address), **options)


async def settle(watch: Watch, handles: Handles, exchange: str, market: dict[str, Any]) -> Book:
    """The book of a market that stands still, as soon as it is the true one."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_S
    while True:
        truth = await asyncio.to_thread(handles.book, exchange, market["market_type"], market["symbol"])
        seen = watch.levels(market["name"])
        if shows(seen, truth, market["depth"]) or loop.time() > until:
            return seen
        await asyncio.sleep(POLL_S)


async def judge(task: dict[str, Any]) -> dict[str, Any]:
    names = [market["name"] for market in task["markets"]]
    handles, watch = Handles(task["url"]), Watch(names, trades=task["trades"])
    kind = EXCHANGE_MAP[task["feed"]]
    move(kind, handles)
    callbacks = {L2_BOOK: watch.on_book, **({TRADES: watch.on_trade} if task["trades"] else {})}
    feed = await asyncio.to_thread(
        lambda: kind(symbols=names, channels=list(callbacks), callbacks=callbacks, config=CONFIG)
    )
    feed.start(asyncio.get_running_loop())
    try:
        await asyncio.wait_for(watch.warm.wait(), WARM_S)
        await asyncio.to_thread(handles.freeze, task["exchange"])
        books = {market["name"]: await settle(watch, handles, task["exchange"], market) for market in task["markets"]}
    finally:
        feed.stop()
        await feed.shutdown()
    return {"listed": len(kind.symbols()), "books": books, "trades": watch.trades}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(judge(json.loads(sys.argv[1])))))
