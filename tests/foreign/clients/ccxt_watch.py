"""ccxt at one simulated exchange: loads the markets, watches books and trades, prints what it saw as JSON.

Argument: {"url", "exchange", "options", "markets": [{"unified", "market_type", "symbol", "depth"}]}; so many levels of
a book have to be true before it is printed. Nothing of ccxt is changed but the addresses.
"""

import asyncio
import json
import sys
from typing import Any

import ccxt.pro

from tests.foreign.clients.handles import Book, Handles, shows

UPDATES = 15  # of a book before the market is frozen
TRADES = 5
SETTLE_S = 45.0
POLL_S = 0.1


def move(client: Any, handles: Handles) -> None:
    """Let all addresses of the client lead to the simulator.

    The client puts its own host names in the place of a bare `{hostname}`, which is why they are moved too.
    """
    client.urls["api"] = moved(client.urls["api"], handles, client.hostname or "")
    if client.hostname:
        client.hostname = handles.host(client.hostname)
    hostnames = client.urls.get("hostnames", {})
    hostnames.update({kind: handles.host(name) for kind, name in hostnames.items()})


def moved(addresses: Any, handles: Handles, hostname: str) -> Any:
    if isinstance(addresses, dict):
        return {name: moved(address, handles, hostname) for name, address in addresses.items()}
    return handles.here(addresses.replace(".{hostname}", f".{hostname}")) if isinstance(addresses, str) else addresses


def levels(book: Any) -> Book:
    bids, asks = ([[float(row[0]), float(row[1])] for row in book[side]] for side in ("bids", "asks"))
    return bids, asks


async def watch(client: Any, unified: str) -> None:
    """Until book and trades have moved often enough."""

    async def books() -> None:
        for _ in range(UPDATES):
            await client.watch_order_book(unified)

    async def trades() -> None:
        while len(client.trades.get(unified, ())) < TRADES:
            await client.watch_trades(unified)

    await asyncio.gather(books(), trades())


async def settle(client: Any, handles: Handles, market: dict[str, Any]) -> Book:
    """The client's book of a market that stands still, as soon as it is the true one."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_S
    while True:
        truth = await asyncio.to_thread(handles.book, client.id, market["market_type"], market["symbol"])
        seen = levels(client.orderbooks[market["unified"]])
        if shows(seen, truth, market["depth"]) or loop.time() > until:
            return seen
        await asyncio.sleep(POLL_S)


async def judge(task: dict[str, Any]) -> dict[str, Any]:
    handles = Handles(task["url"])
    client = getattr(ccxt.pro, task["exchange"])({"options": task["options"]})
    move(client, handles)
    try:
        await client.load_markets()
        await asyncio.gather(*(watch(client, market["unified"]) for market in task["markets"]))
        await asyncio.to_thread(handles.freeze, client.id)
        seen = {}
        for market in task["markets"]:
            name = market["unified"]
            watched = await settle(client, handles, market)
            fetched = levels(await client.fetch_order_book(name))
            trades = [[trade["side"], trade["price"], trade["amount"]] for trade in client.trades[name]]
            facts = {key: client.markets[name][key] for key in ("active", "contractSize")}
            seen[name] = {"watched": watched, "fetched": fetched, "trades": trades, "market": facts}
        return {"listed": len(client.markets), "seen": seen}
    finally:
        await client.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(judge(json.loads(sys.argv[1])))))
