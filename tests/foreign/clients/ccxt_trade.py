"""ccxt trades at one simulated exchange and prints what it was told, by REST and by its private sockets, as JSON.

Argument: {"url", "exchange", "client", "options", "credentials", "account", "markets": [{"unified", "client_id",
"amount", "params", "balance", "gone", "prices_market"}]}: `amount` as the exchange counts, `params` of orders,
`balance` what ccxt wants to know to watch the wallet, `gone` what it calls an order that was filled in part and then
cancelled, `prices_market` whether market orders need a price. In each market an order rests, is partly filled, read
back, and cancelled; then others take.
Nothing of ccxt is changed but the addresses.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

import ccxt.pro

from tests.foreign.clients.ccxt_watch import move
from tests.foreign.clients.handles import Handles

WAIT_S = 20.0
POLL_S = 0.02
AWAY = 0.98  # of the best bid: where an order rests
ORDER = ("id", "clientOrderId", "symbol", "side", "type", "status", "price", "amount", "filled")
TRADE = ("id", "order", "symbol", "side", "price", "amount", "takerOrMaker", "fee")
POSITION = ("symbol", "side", "contracts", "entryPrice")


class Private:
    """What the private sockets have told of one market."""

    def __init__(self, client: Any, market: dict[str, Any]) -> None:
        self.client = client
        self.name = market["unified"]
        self.wallet = market["balance"]
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.balances: list[dict[str, Any]] = []

    async def follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._orders())
            tasks.create_task(self._trades())
            tasks.create_task(self._balances())

    async def _orders(self) -> None:
        while True:
            self.orders += [picked(row, ORDER) for row in await self.client.watch_orders(self.name)]

    async def _trades(self) -> None:
        while True:
            self.trades += [picked(row, TRADE) for row in await self.client.watch_my_trades(self.name)]

    async def _balances(self) -> None:
        while True:
            told = await self.client.watch_balance(self.wallet)
            self.balances.append({asset: dict(told[asset]) for asset in ("USDT", "USDC", "BTC") if asset in told})


def picked(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row.get(name) for name in names}


async def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer; raises TimeoutError with `what` was waited for."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT_S):
            while True:
                if answer := condition():
                    return answer
                await asyncio.sleep(POLL_S)
    raise TimeoutError(what)


def seen(private: Private, order: dict[str, Any], status: str, filled: float) -> Callable[[], Any]:
    """Looks for an order event, which may leave out that nothing is filled yet."""
    return lambda: next(
        (
            row
            for row in private.orders
            if (row["id"], row["status"]) == (order["id"], status) and abs((row["filled"] or 0.0) - filled) < 1e-12
        ),
        None,
    )


def traded(private: Private, order: dict[str, Any]) -> Callable[[], Any]:
    return lambda: next((row for row in private.trades if row["order"] == order["id"]), None)


async def trade(client: Any, handles: Handles, task: dict[str, Any], market: dict[str, Any]) -> dict[str, Any]:
    """One market from subscription to position."""

    def heard() -> bool:
        if following.done():
            following.result()
        return bool(handles.listeners(task["exchange"], task["account"]))

    private = Private(client, market)
    following = asyncio.create_task(private.follow())
    try:
        await until(heard, "the private sockets")
        return await trade_followed(client, handles, task, market, private)
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


async def trade_followed(
    client: Any, handles: Handles, task: dict[str, Any], market: dict[str, Any], private: Private
) -> dict[str, Any]:
    name, amount = market["unified"], market["amount"]
    book = await client.fetch_order_book(name)
    price = float(client.price_to_precision(name, book["bids"][0][0] * AWAY))
    part = float(client.amount_to_precision(name, amount * 0.4))
    worst = price if market["prices_market"] else None
    params = {**market["params"], "clientOrderId": market["client_id"]}
    placed = await client.create_order(name, "limit", "buy", amount, price, params)
    told = {"placed": picked(placed, ORDER), "price": price, "part": part}
    told["new"] = await until(seen(private, placed, "open", 0.0), "the order as new")
    await asyncio.to_thread(
        handles.fill, task["exchange"], task["account"], placed["id"], client.amount_to_precision(name, part)
    )
    told["partial"] = await until(seen(private, placed, "open", part), "the order in part")
    told["execution"] = await until(traded(private, placed), "the execution")
    told["fetched"] = picked(await client.fetch_order(placed["id"], name), ORDER)
    told["open"] = [picked(row, ORDER) for row in await client.fetch_open_orders(name)]
    told["trades"] = [picked(row, TRADE) for row in await client.fetch_my_trades(name)]
    cancelled = await client.cancel_order(placed["id"], name)
    told["cancelled"] = picked(cancelled, ORDER)
    told["gone"] = await until(seen(private, placed, market["gone"], part), "the order as cancelled")
    told["left"] = [picked(row, ORDER) for row in await client.fetch_open_orders(name)]
    taken = await client.create_order(name, "market", "sell", part, worst, market["params"])
    told["taken"] = await until(seen(private, taken, "closed", part), "the market order as filled")
    if ":" in name:
        told["positions"] = [picked(row, POSITION) for row in await client.fetch_positions([name])]
        other = await client.create_order(name, "market", "sell", part, worst, market["params"])
        await until(seen(private, other, "closed", part), "the second market order as filled")
        told["short"] = [picked(row, POSITION) for row in await client.fetch_positions([name])]
        closing = {**market["params"], "reduceOnly": True}
        closed = await client.create_order(name, "market", "buy", part, worst, closing)
        await until(seen(private, closed, "closed", part), "the closing order as filled")
    told["balance"] = (await client.fetch_balance(market["balance"]))["total"]
    await until(
        lambda: shows(private.balances[-1:], told["balance"]), f"{told['balance']} instead of {private.balances[-1:]}"
    )
    return told


def shows(pushed: list[dict[str, Any]], balance: dict[str, float]) -> bool:
    """Whether the assets that were pushed last have the totals that they are said to have."""
    return bool(pushed) and all(row["total"] == balance[asset] for asset, row in pushed[0].items())


async def judge(task: dict[str, Any]) -> dict[str, Any]:
    return {market["unified"]: await judge_market(task, market) for market in task["markets"]}


async def judge_market(task: dict[str, Any], market: dict[str, Any]) -> dict[str, Any]:
    """With a client of its own: where both markets share a private socket, nobody could tell when it is ready."""
    handles = Handles(task["url"])
    client = getattr(ccxt.pro, task["client"])({"options": task["options"], **task["credentials"]})
    move(client, handles)
    await until(lambda: not handles.listeners(task["exchange"], task["account"]), "the end of the sockets before")
    try:
        await client.load_markets()
        return await trade(client, handles, task, market)
    finally:
        await client.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(judge(json.loads(sys.argv[1])))))
