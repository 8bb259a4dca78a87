"""ccxt at one simulated exchange: loads the markets, watches books and trades, prints what it saw as JSON.

Argument: {"url", "exchange", "options", "begins", "markets": [{"unified", "market_type", "symbol", "depth"}]}; so many
levels of a book have to be true before it is printed, and so often the client may begin until they are. Nothing of ccxt
is changed but the addresses.
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
SETTLE_AGAIN_S = 5.0  # where another beginning is left
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


async def settle(client: Any, handles: Handles, market: dict[str, Any], patience_s: float) -> bool:
    """Whether the client's book of a market that stands still becomes the true one; waits until it does."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while loop.time() < until:
        truth = await asyncio.to_thread(handles.book, client.id, market["market_type"], market["symbol"])
        if shows(levels(client.orderbooks[market["unified"]]), truth, market["depth"]):
            return True
        await asyncio.sleep(POLL_S)
    return False


async def follow(client: Any, handles: Handles, markets: list[dict[str, Any]], patience_s: float) -> bool:
    """Watch the markets, let them stand still; whether the client has the true books of all then."""
    await client.load_markets()
    await asyncio.gather(*(watch(client, market["unified"]) for market in markets))
    await asyncio.to_thread(handles.freeze, client.id)
    return all([await settle(client, handles, market, patience_s) for market in markets])


async def report(client: Any, markets: list[dict[str, Any]]) -> dict[str, Any]:
    seen = {}
    for market in markets:
        name = market["unified"]
        fetched = levels(await client.fetch_order_book(name))
        trades = [[trade["side"], trade["price"], trade["amount"]] for trade in client.trades[name]]
        facts = {key: client.markets[name][key] for key in ("active", "contractSize")}
        watched = levels(client.orderbooks[name])
        seen[name] = {"watched": watched, "fetched": fetched, "trades": trades, "market": facts}
    return {"listed": len(client.markets), "seen": seen}


async def judge(task: dict[str, Any]) -> dict[str, Any]:
    handles = Handles(task["url"])
    for left in reversed(range(task["begins"])):
        client = getattr(ccxt.pro, task["exchange"])({"options": task["options"]})
        move(client, handles)
        try:
            patience_s = SETTLE_AGAIN_S if left else SETTLE_S
            if await follow(client, handles, task["markets"], patience_s) or not left:
                return await report(client, task["markets"])
        finally:
            await client.close()
        await asyncio.to_thread(handles.thaw, task["exchange"])
    raise ValueError("the client has to begin at least once")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(judge(json.loads(sys.argv[1])))))
