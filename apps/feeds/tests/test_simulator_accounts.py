"""Accounts in a running simulator: its handles under `/_sim/`, and markets that move for those who only trade."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.tickets import Ticket
from apps.feeds.tests.plain_accounts import accepted, account, control, did, fill, open_account
from apps.feeds.tests.plain_client import fetch, heard_within, order, receive, running, socket, truth
from apps.feeds.tests.waiting import until

EXCHANGE = "okx"
SPOT = {"market_type": "spot", "symbol": "BTC-USDT"}


def touch(simulator: Simulator, side: str) -> Decimal:
    """The best price of a side."""
    market = simulator.exchanges[EXCHANGE].desk.market(**SPOT)
    resting = market.bids if side == "buy" else market.asks
    return resting.sign * resting.keys[0] * market.listing.price.step


def place(simulator: Simulator, side: Any, price: Decimal, size: str = "0.01") -> Order:
    desk = simulator.exchanges[EXCHANGE].desk
    return desk.place(desk.accounts["anna"], Ticket(**SPOT, side=side, kind="limit", price=price, size=Decimal(size)))


async def test_there_is_no_account_until_one_is_made(simulator: Simulator) -> None:
    assert await fetch(simulator, "_sim/accounts") == []
    await open_account(simulator, EXCHANGE)
    row = await account(simulator, EXCHANGE)
    assert row["wallets"]["trading"]["BTC"] == {"total": "100", "locked": "0"}
    assert "secret" not in str(row)


@pytest.mark.parametrize(
    ("handle", "body"),
    [
        ("accounts", {"exchange": "nowhere", "name": "x", "key": "x", "secret": "x"}),
        ("accounts", {"exchange": EXCHANGE, "name": "anna", "key": "x", "secret": "x"}),
        ("accounts", {"exchange": EXCHANGE, "name": "x", "key": "key-of-anna", "secret": "x"}),
        ("accounts", {"exchange": EXCHANGE, "name": "x", "key": "x", "secret": "x", "balances": {"cellar": {}}}),
        ("accounts", {"exchange": EXCHANGE, "name": "x", "key": "x", "secret": "x", "permissions": ["fly"]}),
        ("accounts", {"exchange": EXCHANGE, "name": "x", "key": "x", "secret": "x", "kind": "noble"}),
        ("account_fault", {"exchange": EXCHANGE, "op": "nothing"}),
        ("account_fault", {"exchange": EXCHANGE, "op": "reject", "account": "nobody"}),
        ("account_fault", {"exchange": EXCHANGE, "op": "reject", "kind": "dance"}),
        ("trade", {"exchange": EXCHANGE, **SPOT, "side": "buy", "size": "many"}),
        ("trade", {"exchange": EXCHANGE, "market_type": "spot", "symbol": "X", "side": "buy", "size": "1"}),
        ("fill", {"exchange": EXCHANGE, "account": "anna", "order_id": "7", "size": "1"}),
        ("funding", {"exchange": EXCHANGE, "symbol": "X", "rate": "0.1"}),
    ],
)
async def test_a_handle_refuses_what_makes_no_sense(simulator: Simulator, handle: str, body: Any) -> None:
    await open_account(simulator, EXCHANGE)
    status, answer = await control(simulator, handle, **body)
    assert (status, list(answer)) == (400, ["error"])


async def test_the_book_shows_orders_of_accounts_and_the_trade_channel_their_trades(simulator: Simulator) -> None:
    await order(simulator, "freeze")
    await open_account(simulator, EXCHANGE)
    price = touch(simulator, "buy") - 1
    before = await truth(simulator, EXCHANGE, **SPOT)
    placed = place(simulator, "buy", price, "0.5")
    after = await truth(simulator, EXCHANGE, **SPOT)
    there = dict(map(tuple, before["bids"])).get(float(price), 0.0)
    assert dict(map(tuple, after["bids"]))[float(price)] == pytest.approx(there + 0.5)
    async with socket(simulator, "ws.okx.com/ws/v5/public") as connection:
        await connection.send('{"op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}]}')
        await receive(connection, lambda message: message.get("event") == "subscribe")
        await heard_within(connection, 0.1)
        await fill(simulator, EXCHANGE, placed.id, "0.2")
        seen = Decimal(0)
        while seen < Decimal("0.2"):
            message = await receive(connection, lambda message: message["arg"]["channel"] == "trades")
            rows = [row for row in message["data"] if Decimal(row["px"]) == price]
            seen += sum(Decimal(row["sz"]) for row in rows)
    assert placed.status == "partial"


async def test_an_order_trades_though_nobody_listens_to_its_market() -> None:
    async with running() as simulator:
        await open_account(simulator, EXCHANGE)
        placed = place(simulator, "buy", touch(simulator, "buy"))
        market = simulator.exchanges[EXCHANGE].desk.market(**SPOT)
        market._start *= 0.98  # the coin is worth less from now on  # type: ignore[attr-defined]
        await until(lambda: placed.filled, seconds=60)


async def test_a_market_without_orders_stands_still_again_and_is_never_counted_as_a_channel(
    simulator: Simulator,
) -> None:
    await open_account(simulator, EXCHANGE)
    placed = place(simulator, "buy", touch(simulator, "buy") - 100)
    assert (await fetch(simulator, "_sim/state"))["streams"] == 0
    desk, engine = simulator.exchanges[EXCHANGE].desk, simulator.world.engine
    market = desk.market(**SPOT)
    assert engine._trades[market]
    desk.cancel(desk.accounts["anna"], placed)
    await until(lambda: market not in engine._trades)


async def test_the_accept_log_and_the_wallets_can_be_read(simulator: Simulator) -> None:
    await order(simulator, "freeze")
    await open_account(simulator, EXCHANGE)
    placed = place(simulator, "buy", touch(simulator, "buy") - 100)
    await fill(simulator, EXCHANGE, placed.id, "0.01")
    (row,) = await accepted(simulator, EXCHANGE)
    assert (row["order_id"], row["account"], row["status"], row["filled"]) == (placed.id, "anna", "filled", "0.01")
    told = await account(simulator, EXCHANGE)
    assert [(trade["size"], trade["maker"]) for trade in told["executions"]] == [("0.01", True)]
    assert await fetch(simulator, "_sim/orders", exchange="bybit") == []


async def test_an_account_that_eats_a_whole_side_leaves_a_market_that_goes_on(simulator: Simulator) -> None:
    await open_account(simulator, EXCHANGE, balances={"trading": {"USDT": "1000000000000"}})
    market = simulator.exchanges[EXCHANGE].desk.market(**SPOT)
    size = sum(market.asks.sizes.values()) * market.listing.size.step
    placed = place(simulator, "buy", touch(simulator, "sell") * 2, str(size))
    assert placed.status == "filled"
    assert len(market.asks.keys) >= 20
    market.step(1e6, 0)
    traded = await did(simulator, "trade", exchange=EXCHANGE, **SPOT, side="buy", size="0.01")
    assert traded == {"traded": "0.01"}
