"""The simulated Hyperliquid behaves as its documentation and the wire say, the traps included."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience, Sliding
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import answer, breaches, follow, order, receive, running, send, socket, truth
from apps.feeds.tests.standing_clock import StandingClock

WS = "api.hyperliquid.xyz/ws"
INFO = "api.hyperliquid.xyz/info"


@pytest.fixture
async def lively(simulator: Simulator) -> Simulator:
    """Much faster than the exchange, so that many books take no time."""
    simulator.world.engine.set_rate(200.0)
    return simulator


def subscribe(kind: str, coin: str, **extra: Any) -> dict[str, Any]:
    return {"method": "subscribe", "subscription": {"type": kind, "coin": coin, **extra}}


async def ask(simulator: Simulator, question: Any, *, content_type: str = "application/json") -> tuple[int, Any]:
    """Status and body of an answer of /info; a body that is not JSON stays text."""
    body = question if isinstance(question, bytes) else msgspec.json.encode(question)
    headers = {"Content-Type": content_type}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/{INFO}", data=body, headers=headers) as response,
    ):
        text = await response.text()
        return response.status, msgspec.json.decode(text) if response.content_type == "application/json" else text


async def greeted(connection: Any) -> Any:
    """The socket, past the greeting that is no JSON."""
    assert await connection.recv() == "Websocket connection established."
    return connection


def on(channel: str) -> Any:
    return lambda message: message["channel"] == channel


def numbers(levels: Sequence[dict[str, Any]]) -> list[list[float]]:
    return [[float(level["px"]), float(level["sz"])] for level in levels]


@pytest.mark.parametrize("coin", ["BTC", "kPEPE", "xyz:TSLA", "@142", "PURR/USDC"])
async def test_every_frame_is_the_whole_book_of_20_levels(lively: Simulator, coin: str) -> None:
    market_type = "spot" if coin in ("@142", "PURR/USDC") else "futures"
    async with socket(lively, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", coin))
        for _ in range(20):
            await receive(connection, on("l2Book"))
        await order(lively, "freeze", exchange="hyperliquid")
        lively.world.engine.set_rate(None)  # two books a second: slower than they are compared
        while True:
            data = (await receive(connection, on("l2Book")))["data"]
            standing = await truth(lively, "hyperliquid", market_type, coin, 20)
            if data["time"] == standing["seq"]:
                break
    assert [numbers(side) for side in data["levels"]] == [standing["bids"], standing["asks"]]
    assert all(len(side) == 20 and all(level["n"] for level in side) for side in data["levels"])


async def test_times_never_fall_and_rise_with_every_change(lively: Simulator) -> None:
    async with socket(lively, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "ETH"))
        books = [(await receive(connection, on("l2Book")))["data"] for _ in range(30)]
    for before, after in itertools.pairwise(books):
        assert after["time"] >= before["time"]
        assert after["time"] > before["time"] or after["levels"] == before["levels"]


async def test_books_of_all_coins_come_by_one_clock(simulator: Simulator) -> None:
    coins = ("BTC", "ETH", "@142", "JTO", "PURR/USDC")
    async with socket(simulator, WS) as connection:
        await greeted(connection)
        for coin in coins:
            await send(connection, subscribe("l2Book", coin))
            await receive(connection, on("l2Book"))
        simulator.world.engine.set_rate(5.0)  # one book a second of each coin
        for _ in coins:
            await receive(connection, on("l2Book"))  # it may still be of the exchange's own pace
        in_time: set[str] = set()
        while in_time != set(coins):  # a moment in which this machine stalls makes a book late, but not each time
            coin = (await receive(connection, on("l2Book")))["data"]["coin"]
            if asyncio.get_running_loop().time() % 1.0 < 0.4:
                in_time.add(coin)


async def test_an_ack_comes_first_and_names_the_defaults(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "BTC"))
        ack, book = await receive(connection), await receive(connection)
    echo = {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None, "fast": False}
    assert ack == {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": echo}}
    assert book["channel"] == "l2Book"
    assert "fast" not in book["data"]


async def test_fast_books_have_five_levels_and_say_so(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "BTC"))
        await send(connection, subscribe("l2Book", "BTC", fast=True))
        books = [(await receive(connection, on("l2Book")))["data"] for _ in range(4)]
    assert {(book.get("fast"), len(book["levels"][0])) for book in books} == {(None, 20), (True, 5)}


async def test_rounded_books_hold_the_same_amounts_in_buckets(lively: Simulator) -> None:
    await order(lively, "freeze", exchange="hyperliquid")
    async with socket(lively, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "BTC", nSigFigs=4))
        data = (await receive(connection, on("l2Book")))["data"]
    whole = await truth(lively, "hyperliquid", "futures", "BTC")
    bids, asks = (numbers(side) for side in data["levels"])
    assert all(price % 10 == 0 for price, _ in bids + asks)
    for price, amount in bids:
        assert amount == pytest.approx(sum(size for at, size in whole["bids"] if price <= at < price + 10))
    for price, amount in asks:
        assert amount == pytest.approx(sum(size for at, size in whole["asks"] if price - 10 < at <= price))
    assert data["spread"]


async def test_the_best_bid_and_ask_come_when_they_change(lively: Simulator) -> None:
    async with socket(lively, WS) as connection:
        await send(await greeted(connection), subscribe("bbo", "BTC"))
        best = [(await receive(connection, on("bbo")))["data"]["bbo"] for _ in range(10)]
    assert all(before != after for before, after in itertools.pairwise(best))
    assert all(float(bid["px"]) < float(ask["px"]) for bid, ask in best)


async def test_markets_trade_between_two_books(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection, asyncio.timeout(20):
        await send(await greeted(connection), subscribe("l2Book", "BTC"))
        await receive(connection, on("l2Book"))
        await send(connection, subscribe("trades", "BTC"))
        await receive(connection, lambda m: m["channel"] == "subscriptionResponse")
        simulator.world.engine.set_rate(0.01)  # no book comes any more
        fill = (await receive(connection, on("trades")))["data"][0]
    assert fill["coin"] == "BTC"
    assert fill["side"] in ("A", "B")
    assert (len(fill["hash"]), [len(user) for user in fill["users"]]) == (66, [42, 42])


async def test_whoever_subscribes_again_gets_the_last_fills_again(lively: Simulator) -> None:
    seen: list[int] = []
    async with socket(lively, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "BTC"))
        await send(connection, subscribe("trades", "BTC"))
        while len(seen) < 5:
            seen += [fill["tid"] for fill in (await receive(connection, on("trades")))["data"]]
        await order(lively, "freeze", exchange="hyperliquid")
        await send(connection, {**subscribe("trades", "BTC"), "method": "unsubscribe"})
        await receive(connection, lambda m: m["channel"] == "subscriptionResponse")
        await send(connection, subscribe("trades", "BTC"))
        again = [fill["tid"] for fill in (await receive(connection, on("trades")))["data"]]
    assert set(seen) <= set(again)
    assert len(again) <= 30


@pytest.mark.parametrize(
    "wanted",
    [
        subscribe("l2Book", "NOSUCH"),
        subscribe("l2Book", "btc"),
        subscribe("trades", "TSLA"),
        subscribe("l2Book", "@1"),
        subscribe("l2Book", "BTC", nSigFigs=7),
        subscribe("l2Book", "BTC", nSigFigs=4, mantissa=2),
    ],
)
async def test_one_bad_name_ends_the_whole_socket_without_a_word(simulator: Simulator, wanted: Any) -> None:
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("bbo", "BTC"))
        await receive(connection, on("bbo"))
        await send(connection, wanted)
        after: list[Any] = []
        with pytest.raises(ConnectionClosed) as closed:
            await follow(connection, after.append)
    assert closed.value.rcvd is None
    assert {message["channel"] for message in after} <= {"bbo"}


async def test_a_refused_coin_ends_the_socket_too(simulator: Simulator) -> None:
    await order(simulator, "refuse", exchange="hyperliquid", market_type="spot", symbol="@142")
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("trades", "@142"))
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)


async def test_a_delisted_coin_has_an_empty_book(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "WAVES"))
        await send(connection, subscribe("bbo", "WAVES"))
        book = await receive(connection, on("l2Book"))
        best = await receive(connection, on("bbo"))
    assert book["data"]["levels"] == [[], []]
    assert best["data"]["bbo"] == [None, None]


async def test_harmless_mistakes_are_answered_and_the_socket_stays(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("trades", "BTC"))
        await receive(connection)
        await send(connection, subscribe("trades", "BTC"))
        twice = await receive(connection, on("error"))
        await send(connection, {**subscribe("bbo", "BTC"), "method": "unsubscribe"})
        never = await receive(connection, on("error"))
        bad = []
        for text in ("{", "[]", '{"method":"subscribe","subscription":{"type":"bbo","coin":["BTC"]}}'):
            await connection.send(text)
            bad.append((await receive(connection, on("error")))["data"])
    assert twice["data"] == 'Already subscribed: {"type":"trades","coin":"BTC"}'
    assert never["data"].startswith("Already unsubscribed: ")
    assert all(text.startswith("Error parsing JSON into valid websocket request: ") for text in bad)


async def test_a_ping_is_answered_by_a_pong_without_data(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection:
        await send(await greeted(connection), {"method": "ping"})
        assert await receive(connection) == {"channel": "pong"}


async def test_a_socket_that_hears_nothing_is_closed_and_a_pong_is_something(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        running(patience=Patience(hyperliquid_idle_s=10.0)) as simulator,
        socket(simulator, WS) as busy,
        socket(simulator, WS) as idle,
    ):
        await greeted(busy)
        monkeypatch.setattr(time, "monotonic", clock := StandingClock())
        for _ in range(2):
            clock.skip(6.0)
            await send(busy, {"method": "ping"})
            await receive(busy)
        with pytest.raises(ConnectionClosed):
            await receive(await greeted(idle), lambda message: False)
        await send(busy, {"method": "ping"})
        assert await receive(busy) == {"channel": "pong"}
        clock.run()
        assert await breaches(simulator, "hyperliquid") == {"silence": 1}


async def test_an_eleventh_socket_of_an_address_is_refused(simulator: Simulator) -> None:
    connections = [socket(simulator, WS) for _ in range(11)]
    for connection in connections[:10]:
        await connection.__aenter__()
    with pytest.raises(InvalidStatus) as refused:
        await connections[10].__aenter__()
    for connection in connections[:10]:
        await connection.__aexit__(None, None, None)
    assert refused.value.response.status_code == 429
    assert await breaches(simulator, "hyperliquid") == {"connections": 1}


async def test_an_address_has_so_many_subscriptions_over_all_its_sockets(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.feeds.simulator.hyperliquid.exchange.MAX_SUBSCRIPTIONS", 2)
    async with socket(simulator, WS) as one, socket(simulator, WS) as other:
        for connection, coin in ((one, "BTC"), (other, "ETH")):
            await send(await greeted(connection), subscribe("trades", coin))
            await receive(connection)
        await send(other, subscribe("trades", "SOL"))
        await receive(other, on("error"))
    assert await breaches(simulator, "hyperliquid") == {"subscriptions": 1}


async def test_too_many_messages_of_a_minute_end_the_socket(simulator: Simulator) -> None:
    simulator.exchanges["hyperliquid"]._messages = Sliding(3, 60.0)  # type: ignore[attr-defined]
    async with socket(simulator, WS) as connection:
        await greeted(connection)
        for _ in range(4):
            await send(connection, {"method": "ping"})
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)
    assert await breaches(simulator, "hyperliquid") == {"messages per minute": 1}


async def test_questions_are_answered_on_the_socket_as_by_rest(simulator: Simulator) -> None:
    async with socket(simulator, WS) as connection:
        await greeted(connection)
        asked: list[Any] = []
        for number, coin in enumerate(("BTC", "NOPE")):
            payload = {"type": "l2Book", "coin": coin}
            await send(connection, {"method": "post", "id": number, "request": {"type": "info", "payload": payload}})
            asked.append((await receive(connection))["data"])
    assert [answered["id"] for answered in asked] == [0, 1]
    assert asked[0]["response"]["payload"]["data"]["coin"] == "BTC"
    assert asked[1]["response"] == {"type": "info", "payload": {"type": "l2Book", "data": None}}


async def test_the_universe_keeps_the_place_of_what_is_delisted(simulator: Simulator) -> None:
    _, (meta, contexts) = await ask(simulator, {"type": "metaAndAssetCtxs"})
    gone = [row["name"] for row in meta["universe"] if row.get("isDelisted")]
    assert gone
    assert len(contexts) == len(meta["universe"]) > 60
    for row, context in zip(meta["universe"], contexts, strict=True):
        assert (context["midPx"] is None) == (row["name"] in gone)
    assert (await ask(simulator, {"type": "meta"}))[1] == meta


async def test_spot_pairs_name_their_tokens_by_index(simulator: Simulator) -> None:
    _, meta = await ask(simulator, {"type": "spotMeta"})
    tokens = {token["index"]: token["name"] for token in meta["tokens"]}
    pairs = {row["name"]: [tokens[index] for index in row["tokens"]] for row in meta["universe"]}
    assert [token["index"] for token in meta["tokens"]] == list(range(len(tokens)))
    assert pairs["PURR/USDC"] == ["PURR", "USDC"]
    assert pairs["@142"] == ["UBTC", "USDC"]
    assert len(pairs) > 60
    names = list(tokens.values())
    assert len(set(names)) < len(names), "two tokens share a name"


async def test_prices_have_five_digits_and_leave_room_for_the_size(simulator: Simulator) -> None:
    for kind, most in (("meta", 6), ("spotMeta", 8)):
        _, meta = await ask(simulator, {"type": kind})
        tokens = {token["index"]: token for token in meta.get("tokens", [])}
        for row in [row for row in meta["universe"] if not row.get("isDelisted")][:20]:
            size_decimals = row["szDecimals"] if most == 6 else tokens[row["tokens"][0]]["szDecimals"]
            _, book = await ask(simulator, {"type": "l2Book", "coin": row["name"]})
            for level in itertools.chain(*book["levels"]):
                whole, part = level["px"].removesuffix(".0"), level["px"].partition(".")[2].removesuffix("0")
                assert "." not in whole or len(whole.replace(".", "").lstrip("0")) <= 5
                assert len(part) <= most - size_decimals
                assert len(level["sz"].partition(".")[2].removesuffix("0")) <= size_decimals


@pytest.mark.parametrize(
    ("question", "content_type", "status"),
    [
        ({"type": "nope"}, "application/json", 422),
        ({"type": "l2Book"}, "application/json", 422),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        ({"type": "meta", "dex": "nope"}, "application/json", 500),
        ({"type": "meta"}, "text/plain", 415),
    ],
)
async def test_wrong_questions_get_the_documented_status(
    simulator: Simulator, question: Any, content_type: str, status: int
) -> None:
    assert (await ask(simulator, question, content_type=content_type))[0] == status


async def test_an_unknown_coin_has_a_null_book_and_a_get_is_not_allowed(simulator: Simulator) -> None:
    assert await ask(simulator, {"type": "l2Book", "coin": "NOPE"}) == (200, None)
    assert (await answer(simulator, INFO))[0] == 405


async def test_books_are_light_and_all_else_is_heavy(simulator: Simulator) -> None:
    simulator.exchanges["hyperliquid"]._rest._requests = Sliding(44, 60.0)  # type: ignore[attr-defined]
    questions = [{"type": "meta"}, {"type": "l2Book", "coin": "BTC"}, {"type": "allMids"}, {"type": "meta"}]
    assert [(await ask(simulator, question))[0] for question in questions] == [200] * 4
    assert (await ask(simulator, questions[1]))[0] == 429
    assert await breaches(simulator, "hyperliquid") == {"weight": 1}


@pytest.mark.parametrize(("fault", "status"), [("rest_error", 503), ("ban", 429)])
async def test_faults_of_one_market_type_leave_the_other_alone(simulator: Simulator, fault: str, status: int) -> None:
    await order(simulator, fault, exchange="hyperliquid", market_type="spot")
    assert (await ask(simulator, {"type": "spotMeta"}))[0] == status
    assert (await ask(simulator, {"type": "l2Book", "coin": "@142"}))[0] == status
    assert (await ask(simulator, {"type": "meta"}))[0] == 200


@pytest.mark.captures
async def test_recorded_books_are_played_word_for_word(captures: Path) -> None:
    lines = (captures / "hyperliquid" / "ws_btc_2025-01-26.jsonl").read_bytes().splitlines()
    recorded = [message for message in map(msgspec.json.decode, lines) if message["channel"] == "l2Book"]
    played: list[Any] = []
    async with running(replay=captures, rate=100.0) as simulator, socket(simulator, WS) as connection:
        await send(await greeted(connection), subscribe("l2Book", "BTC"))
        book = (await receive(connection, on("l2Book")))["data"]
        assert [numbers(side) for side in book["levels"]] == [numbers(side) for side in recorded[0]["data"]["levels"]]
        assert book["time"] == recorded[0]["data"]["time"]
        with pytest.raises(ConnectionClosed):
            await follow(connection, played.append)
    assert played == recorded[1:]
