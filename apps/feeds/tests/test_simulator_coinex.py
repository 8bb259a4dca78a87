"""The simulated CoinEx behaves as its documentation and the wire say, the traps included."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience, Sliding
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import (
    GapError,
    answer,
    breaches,
    fetch,
    follow,
    heard_within,
    order,
    receive,
    running,
    send,
    socket,
    truth,
)
from apps.feeds.tests.plain_coinex import REST, SOCKETS, CoinexBook, ask, checksum, is_depth, subscribe

UPDATES = 60
OK = {"id": 1, "message": "OK", "code": 0}
both_markets = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def lively(simulator: Simulator) -> Simulator:
    """Much faster than the exchange, so that many updates take no time."""
    simulator.world.engine.set_rate(300.0)
    return simulator


async def still(simulator: Simulator, connection: Any, book: CoinexBook, *market: str) -> Any:
    """Let the market stand still, take what is under way, and give its book."""
    await order(simulator, "freeze", exchange="coinex")
    standing = await truth(simulator, "coinex", *market, depth=book.limit)
    for message in await heard_within(connection, 0.2):
        book.event(message)
    return standing


@both_markets
@pytest.mark.parametrize("limit", [5, 50])
@pytest.mark.parametrize("full", [True, False])
async def test_books_pass_every_checksum_and_end_as_the_true_one(
    lively: Simulator, market_type: str, limit: int, full: bool
) -> None:
    book = CoinexBook(limit)
    async with socket(lively, SOCKETS[market_type]) as connection:
        assert await ask(connection, subscribe("depth", ["BTCUSDT", limit, "0", full])) == OK
        for _ in range(UPDATES):
            book.event(await receive(connection, is_depth))
        standing = await still(lively, connection, book, market_type, "BTCUSDT")
    assert book.view() == (standing["bids"], standing["asks"])
    assert (book.changes == 0) is full


async def test_levels_pushed_off_the_far_end_are_not_deleted(lively: Simulator) -> None:
    kept = CoinexBook(100)  # does not cut
    async with socket(lively, SOCKETS["spot"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 5, "0", False]))
        with pytest.raises(GapError):
            await follow(connection, lambda m: kept.event(m) if is_depth(m) else None)
    assert max(len(kept.bids), len(kept.asks)) > 5


async def test_merged_levels_are_multiples_of_the_interval_and_pass_the_checksum(lively: Simulator) -> None:
    book = CoinexBook(20)
    async with socket(lively, SOCKETS["spot"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 20, "10", False]))
        for _ in range(20):
            book.event(await receive(connection, is_depth))
    assert all(Decimal(price) % 10 == 0 for price, _ in book.bids + book.asks)


async def test_a_whole_book_comes_from_time_to_time_though_only_changes_were_asked_for() -> None:
    book = CoinexBook(20)
    patience = Patience(coinex_whole_s=0.2)
    async with running(patience=patience, rate=100.0) as simulator, socket(simulator, SOCKETS["spot"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 20, "0", False]))
        while book.whole < 3:
            book.event(await receive(connection, is_depth))
        await order(simulator, "freeze", exchange="coinex")
        await heard_within(connection, 0.1)
        assert (await receive(connection))["data"]["is_full"]  # unchanged, and yet again
    assert book.changes > 3


async def test_nothing_is_said_when_nothing_changes(simulator: Simulator) -> None:
    await order(simulator, "freeze", exchange="coinex")
    async with socket(simulator, SOCKETS["spot"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 20, "0", True]))
        messages = await heard_within(connection, 0.5)
    assert [message.get("method") for message in messages] == [None, "depth.update"]


@pytest.mark.parametrize("op", ["checksum", "gap", "reorder"])
async def test_a_lost_late_or_wrong_message_fails_its_checksum(lively: Simulator, op: str) -> None:
    book = CoinexBook(20)
    async with socket(lively, SOCKETS["futures"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 20, "0", False]))
        book.event(await receive(connection, is_depth))
        await order(lively, op, exchange="coinex", symbol="BTCUSDT")
        with pytest.raises(GapError):
            await follow(connection, lambda message: book.event(message) if is_depth(message) else None)
        rows = [["BTCUSDT", 20, "0", False]]
        await ask(connection, subscribe("depth", "BTCUSDT", verb="unsubscribe"))
        await ask(connection, subscribe("depth", *rows))
        again = CoinexBook(20)
        for _ in range(10):
            again.event(await receive(connection, is_depth))
    assert again.whole >= 1


async def test_a_duplicate_does_no_harm(lively: Simulator) -> None:
    book = CoinexBook(20)
    async with socket(lively, SOCKETS["spot"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 20, "0", False]))
        await receive(connection)
        await order(lively, "duplicate", exchange="coinex", count=5)
        for _ in range(20):
            book.event(await receive(connection, is_depth))


@pytest.mark.parametrize("full", [True, False])
async def test_a_crossed_book_passes_its_checksum(lively: Simulator, full: bool) -> None:
    book = CoinexBook(5)
    async with socket(lively, SOCKETS["spot"]) as connection:
        await send(connection, subscribe("depth", ["BTCUSDT", 5, "0", full]))
        book.event(await receive(connection, is_depth))
        await order(lively, "cross", exchange="coinex")
        while Decimal(book.bids[0][0]) < Decimal(book.asks[0][0]):
            book.event(await receive(connection, is_depth))


async def test_a_second_subscription_takes_the_place_of_the_first(lively: Simulator) -> None:
    async with socket(lively, SOCKETS["spot"]) as connection:
        await ask(connection, subscribe("depth", ["BTCUSDT", 20, "0", True]))
        await ask(connection, subscribe("depth", ["BTCUSDT", 5, "0", True], number=2))
        messages = await heard_within(connection, 0.3)
    assert {len(message["data"]["depth"]["bids"]) for message in messages} == {5}


async def test_frames_are_binary_gzip_and_protocol_pings_go_unanswered(simulator: Simulator) -> None:
    async with socket(simulator, SOCKETS["spot"]) as connection:
        waiter = await connection.ping()
        await send(connection, {"method": "server.ping", "params": {}, "id": 9})
        async with asyncio.timeout(20):
            frame = await connection.recv()
        assert isinstance(frame, bytes)
        assert frame[:2] == b"\x1f\x8b"
        await send(connection, {"method": "server.ping", "params": {}, "id": 9})
        assert await receive(connection) == {"id": 9, "code": 0, "data": {"result": "pong"}, "message": "OK"}
        assert not waiter.done()
        waiter.cancel()


async def test_a_client_that_says_nothing_is_cut() -> None:
    async with running(patience=Patience(coinex_idle_s=0.3)) as simulator:
        async with socket(simulator, SOCKETS["spot"]) as connection:
            with pytest.raises(ConnectionClosed):
                await receive(connection)
        assert await breaches(simulator, "coinex") == {"no ping": 1}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["BTCUSDT", 20, "0", False], ["NOSUCH", 20, "0", False]],
        [["BTCUSDT", 30, "0", False]],
        [["BTCUSDT", 20, "0.3", False]],
        [["BTCUSDT", 20, 0, False]],
        ["BTCUSDT"],
    ],
)
async def test_one_bad_entry_refuses_the_list(simulator: Simulator, rows: list[Any]) -> None:
    async with socket(simulator, SOCKETS["spot"]) as connection:
        refusal = await ask(connection, subscribe("depth", *rows))
        assert refusal == {"id": 1, "code": 20001, "message": "invalid argument"}
        assert await heard_within(connection, 0.2) == []


@pytest.mark.parametrize(
    ("method", "code"), [("dance.subscribe", 30002), ("order.subscribe", 31001), ("server.sign", 31002)]
)
async def test_futures_have_error_codes_of_their_own(simulator: Simulator, method: str, code: int) -> None:
    async with socket(simulator, SOCKETS["futures"]) as connection:
        assert (await ask(connection, {"method": method, "params": {}, "id": 1}))["code"] == code


async def test_an_id_has_to_be_an_integer(simulator: Simulator) -> None:
    async with socket(simulator, SOCKETS["spot"]) as connection:
        await send(connection, {**subscribe("depth", ["BTCUSDT", 20, "0", False]), "id": "1"})
        assert (await receive(connection))["code"] == 20001


async def test_deals_come_newest_first_and_an_empty_list_means_all_markets(lively: Simulator) -> None:
    lively.world.engine.set_rate(500.0)
    async with socket(lively, SOCKETS["spot"]) as connection:
        await ask(connection, subscribe("deals"))
        await ask(connection, subscribe("depth", ["BTCUSDT", 5, "0", True], number=2))
        frames: list[Any] = []
        while len(frames) < 20 or len({frame["market"] for frame in frames}) < 3:
            frames.append((await receive(connection, lambda m: m.get("method") == "deals.update"))["data"])
        await ask(connection, subscribe("deals", verb="unsubscribe", number=3))
    numbers = [
        deal["deal_id"] for frame in frames if frame["market"] == "BTCUSDT" for deal in reversed(frame["deal_list"])
    ]
    assert numbers == sorted(set(numbers))
    assert max(len(frame["deal_list"]) for frame in frames) > 1


async def test_states_and_best_prices_are_told(simulator: Simulator) -> None:
    async with socket(simulator, SOCKETS["futures"]) as connection:
        await ask(connection, subscribe("state", "BTCUSDT"))
        await ask(connection, subscribe("bbo", "BTCUSDT", number=2))
        state = await receive(connection, lambda m: m.get("method") == "state.update")
        best = await receive(connection, lambda m: m.get("method") == "bbo.update")
    (row,) = state["data"]["state_list"]
    assert (row["market"], row["period"], "mark_price" in row) == ("BTCUSDT", 86400, True)
    assert Decimal(best["data"]["best_bid_price"]) < Decimal(best["data"]["best_ask_price"])


async def test_other_paths_are_not_there(simulator: Simulator) -> None:
    with pytest.raises(InvalidStatus):
        async with socket(simulator, "socket.coinex.com/v1"):
            pass


async def test_the_same_name_is_listed_in_both_markets_with_its_own_numbers(simulator: Simulator) -> None:
    spot = {row["market"]: row for row in (await fetch(simulator, f"{REST}/spot/market"))["data"]}
    futures = {row["market"]: row for row in (await fetch(simulator, f"{REST}/futures/market"))["data"]}
    assert min(len(spot), len(futures)) > 60
    assert "tick_size" not in spot["BTCUSDT"]
    assert Decimal(futures["BTCUSDT"]["tick_size"]) != Decimal(1).scaleb(-futures["BTCUSDT"]["quote_ccy_precision"])
    assert (futures["BTCUSD"]["contract_type"], futures["BTCUSD"]["min_amount"]) == ("inverse", "10")
    assert {row["status"] for row in spot.values()} == {"online", "bidding", "counting_down"}
    assert [name for name, row in spot.items() if not row["is_api_trading_available"]] == ["WAVESUSDT"]
    assert [name for name, row in spot.items() if row["delisted_at"]] == ["EOSUSDT"]


@both_markets
async def test_rest_books_carry_a_checksum(simulator: Simulator, market_type: str) -> None:
    query = {"market": "BTCUSDT", "limit": "20", "interval": "0"}
    depth = (await fetch(simulator, f"{REST}/{market_type}/depth", **query))["data"]["depth"]
    assert checksum(depth["bids"], depth["asks"]) == depth["checksum"] >= 0
    assert (len(depth["bids"]), len(depth["asks"])) == (20, 20)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("spot/depth", {"market": "NOSUCH", "limit": "20", "interval": "0"}, 3639),
        ("spot/depth", {"market": "BTCUSDT", "limit": "20"}, 4004),
        ("spot/depth", {"market": "BTCUSDT", "limit": "100", "interval": "0"}, 4004),
        ("spot/market", {"market": ",".join(f"C{n}USDT" for n in range(11))}, 4004),
        ("spot/dance", {}, 4009),
    ],
)
async def test_errors_hide_under_http_200(simulator: Simulator, path: str, query: dict[str, str], code: int) -> None:
    assert (await fetch(simulator, f"{REST}/{path}", **query))["code"] == code


async def test_what_is_empty_is_null(simulator: Simulator) -> None:
    assert await fetch(simulator, f"{REST}/spot/deals", market="BTCUSDT") == {"code": 0, "data": None, "message": "OK"}


async def test_too_many_requests_are_told_by_the_code(simulator: Simulator) -> None:
    simulator.exchanges["coinex"].public._requests = Sliding(1, 600.0)  # type: ignore[attr-defined]
    results = [await answer(simulator, f"{REST}/time") for _ in range(2)]
    assert [(status, body["code"]) for status, _, body in results] == [(200, 0), (200, 4213)]
