"""The simulated HTX behaves as its documentation and the wire say, the traps included."""

import gzip
import itertools
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience
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
from apps.feeds.tests.plain_htx import ContractBook, FeedBook, WholeBook

SPOT, FEED = "api.huobi.pro/ws", "api.huobi.pro/feed"
LINEAR, INVERSE = "api.hbdm.com/linear-swap-ws", "api.hbdm.vn/swap-ws"
MBP = "market.btcusdt.mbp.150"
HIGH_FREQUENCY = "market.BTC-USDT.depth.size_150.high_freq"
UPDATES = 60
QUICK = Patience(htx_snapshot_lag_s=0.01, htx_snapshot_age_s=0.05)


def incremental(topic: str, word: str = "sub") -> dict[str, Any]:
    return {word: topic, "data_type": "incremental", "id": "1"}


def is_tick(message: Any) -> bool:
    return "tick" in message


def is_reply(message: Any) -> bool:
    return "rep" in message


async def joined(connection: ClientConnection, book: FeedBook, topic: str) -> None:
    """Follow the rule until the book stands: a push, then the snapshot, again while it is too old."""
    await send(connection, {"sub": topic, "id": 1})
    book.push((await receive(connection, is_tick))["tick"])
    while book.seq is None:
        await send(connection, {"req": topic, "id": 2})
        while not is_reply(message := await receive(connection)):
            if is_tick(message):
                book.push(message["tick"])
        book.snapshot(message["data"])


@pytest.mark.parametrize(("topic", "depth"), [(MBP, 150), ("market.shibusdt.mbp.400", 400)])
async def test_pushes_on_an_asked_for_snapshot_give_the_window(topic: str, depth: int) -> None:
    book = FeedBook(depth)
    symbol = topic.split(".")[1]
    async with running(rate=400.0, patience=QUICK) as simulator, socket(simulator, FEED) as connection:
        await joined(connection, book, topic)
        for _ in range(UPDATES):
            book.push((await receive(connection, is_tick))["tick"])
            assert max(len(book.bids), len(book.asks)) <= depth
        await order(simulator, "freeze", exchange="htx")
        standing = await truth(simulator, "htx", "spot", symbol)
        while book.seq != standing["seq"]:
            book.push((await receive(connection, is_tick))["tick"])
    assert book.view() == (standing["bids"][:depth], standing["asks"][:depth])


async def test_the_snapshot_comes_after_pushes_that_it_holds_already(simulator: Simulator) -> None:
    async with socket(simulator, FEED) as connection:
        await send(connection, {"sub": MBP, "id": 1})
        pushes, snapshot = [], None
        while snapshot is None or snapshot["seqNum"] >= pushes[-1]["seqNum"]:  # the market has not moved meanwhile
            pushes.append((await receive(connection, is_tick))["tick"])
            await send(connection, {"req": MBP, "id": 2})
            while not is_reply(message := await receive(connection, lambda each: is_tick(each) or is_reply(each))):
                pushes.append(message["tick"])
            snapshot = message["data"]
    assert snapshot["seqNum"] in [tick["prevSeqNum"] for tick in pushes]
    assert [tick["prevSeqNum"] for tick in pushes[1:]] == [tick["seqNum"] for tick in pushes[:-1]]


async def test_a_snapshot_asked_for_again_within_a_second_is_the_same() -> None:
    patience = Patience(htx_snapshot_lag_s=0.0, htx_snapshot_age_s=30.0)
    async with running(rate=400.0, patience=patience, strict=False) as simulator, socket(simulator, FEED) as connection:
        await send(connection, {"sub": MBP, "id": 1})
        replies = []
        for _ in range(2):
            await receive(connection, is_tick)
            await send(connection, {"req": MBP, "id": 2})
            replies.append((await receive(connection, is_reply))["data"])
    assert replies[0] == replies[1]


async def test_a_snapshot_may_be_missing_from_its_reply(simulator: Simulator) -> None:
    await order(simulator, "rest_error", exchange="htx", market_type="spot")
    async with socket(simulator, FEED) as connection:
        await send(connection, {"req": MBP, "id": 2})
        assert (await receive(connection, is_reply))["data"] is None


async def test_one_request_each_100_ms(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.feeds.simulator.htx.exchange.REQUEST_GAP_S", 60.0)  # a machine may stall in between
    async with socket(simulator, FEED) as connection:
        for number in (1, 2):
            await send(connection, {"req": MBP, "id": number})
        refusal = await receive(connection, lambda message: message.get("id") == 2)
    assert (refusal["status"], refusal["err-msg"]) == ("error", "429 too many request")
    assert await breaches(simulator, "htx") == {"requests per 100 ms": 1}


async def test_small_books_leave_out_the_side_that_did_not_change(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)
    async with socket(simulator, FEED) as connection:
        await send(connection, {"sub": "market.btcusdt.mbp.5", "id": 1})
        ticks = [(await receive(connection, is_tick))["tick"] for _ in range(40)]
    assert any("bids" not in tick or "asks" not in tick for tick in ticks)
    assert all(tick.get("bids") or tick.get("asks") for tick in ticks)


@pytest.mark.parametrize(
    ("path", "market", "topic", "depth"),
    [
        (LINEAR, "BTC-USDT", HIGH_FREQUENCY, 150),
        (LINEAR, "PEPE-USDT", "market.PEPE-USDT.depth.size_20.high_freq", 20),
        (INVERSE, "BTC-USD", "market.BTC-USD.depth.size_150.high_freq", 150),
    ],
)
async def test_incremental_books_of_contracts_keep_exactly_their_levels(
    path: str, market: str, topic: str, depth: int
) -> None:
    book = ContractBook()
    async with running(rate=400.0) as simulator, socket(simulator, path) as connection:
        await send(connection, incremental(topic))
        for _ in range(UPDATES):
            book.event((await receive(connection, is_tick))["tick"])
            assert max(len(book.bids), len(book.asks)) <= depth
        await order(simulator, "freeze", exchange="htx")
        standing = await truth(simulator, "htx", "futures", market)
        while book.seq != standing["seq"]:
            book.event((await receive(connection, is_tick))["tick"])
    assert book.view() == (standing["bids"][:depth], standing["asks"][:depth])


@pytest.mark.parametrize(
    ("path", "market", "channel", "number", "depth"),
    [
        (SPOT, ("spot", "ethusdt"), "mbp.refresh.20", "seqNum", 20),
        (SPOT, ("spot", "ethusdt"), "depth.step0", "version", 150),
        (LINEAR, ("futures", "ETH-USDT"), "depth.step6", "mrid", 20),
        (LINEAR, ("futures", "ETH-USDT"), "depth.size_20.high_freq", "mrid", 20),
    ],
)
async def test_whole_books_are_the_top_of_the_book(
    path: str, market: tuple[str, str], channel: str, number: str, depth: int
) -> None:
    book = WholeBook(number)
    async with running(rate=200.0) as simulator, socket(simulator, path) as connection:
        await send(connection, {"sub": f"market.{market[1]}.{channel}", "id": 1})
        for _ in range(10):
            book.event((await receive(connection, is_tick))["tick"])
        await order(simulator, "freeze", exchange="htx")
        standing = await truth(simulator, "htx", *market)
        while book.view() != (standing["bids"][:depth], standing["asks"][:depth]):
            book.event((await receive(connection, is_tick))["tick"])


async def test_the_version_of_step_books_of_contracts_is_the_time(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"sub": "market.BTC-USDT.depth.step0", "id": 1})
        tick = (await receive(connection, is_tick))["tick"]
    assert tick["version"] == tick["id"] == tick["ts"] // 1000


async def test_a_gap_is_found_by_the_written_rule(simulator: Simulator) -> None:
    book = ContractBook()
    async with socket(simulator, LINEAR) as connection:
        await send(connection, incremental(HIGH_FREQUENCY))
        book.event((await receive(connection, is_tick))["tick"])
        await order(simulator, "gap", exchange="htx", symbol="BTC-USDT")
        with pytest.raises(GapError):
            await follow(connection, lambda message: book.event(message["tick"]) if is_tick(message) else None)


async def test_unsubscribing_an_incremental_book_takes_its_data_type(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await send(connection, incremental(HIGH_FREQUENCY))
        await receive(connection, lambda message: "subbed" in message)
        await send(connection, {"unsub": HIGH_FREQUENCY, "id": 3})
        refusal = await receive(connection, lambda message: message.get("id") == 3)
        assert refusal["err-msg"] == "unsub with not subbed topic"
        await send(connection, incremental(HIGH_FREQUENCY, "unsub"))
        assert (await receive(connection, lambda message: "unsubbed" in message))["status"] == "ok"
        await send(connection, incremental(HIGH_FREQUENCY))
        assert (await receive(connection, is_tick))["tick"]["event"] == "snapshot"


async def test_data_may_come_before_the_ack_and_contracts_are_echoed_in_capitals(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await send(connection, incremental(HIGH_FREQUENCY.replace("BTC-USDT", "btc-usdt")))
        first = await receive(connection)
        ack = await receive(connection, lambda message: "subbed" in message)
    assert (first["ch"], first["tick"]["event"]) == (HIGH_FREQUENCY, "snapshot")
    assert (ack["status"], ack["id"]) == ("ok", "1")


@pytest.mark.parametrize(
    ("path", "topic", "text"),
    [
        (SPOT, MBP, "invalid topic"),
        (FEED, "market.btcusdt.trade.detail", "invalid topic"),
        (FEED, "market.nosuch.mbp.150", "invalid mbp.150.symbol nosuch"),
        (FEED, "market.zilusdt.mbp.20", "invalid mbp.20.symbol zilusdt"),
        (SPOT, "market.BTCUSDT.trade.detail", "invalid symbol"),
        (SPOT, "market.wavesusdt.trade.detail", "symbol trade not open now"),
        (LINEAR, "market.BTC-USD.trade.detail", "invalid symbol"),
        (INVERSE, "market.BTC-USDT.trade.detail", "invalid symbol"),
    ],
)
async def test_what_cannot_be_had_is_refused_by_name(simulator: Simulator, path: str, topic: str, text: str) -> None:
    async with socket(simulator, path) as connection:
        await send(connection, {"sub": topic, "id": 7})
        refusal = await receive(connection)
    assert (refusal["id"], refusal["status"], refusal["err-msg"]) == (7, "error", text)


async def test_a_refused_symbol_is_an_invalid_one(simulator: Simulator) -> None:
    await order(simulator, "refuse", exchange="htx", symbol="btcusdt")
    async with socket(simulator, SPOT) as connection:
        await send(connection, {"sub": "market.btcusdt.bbo", "id": "1"})
        assert (await receive(connection))["err-msg"] == "invalid symbol"


@pytest.mark.parametrize("host", ["api.huobi.pro/linear-swap-ws", "api.hbdm.com/ws", "api.huobi.pro/nosuch"])
async def test_each_host_has_its_own_sockets(simulator: Simulator, host: str) -> None:
    with pytest.raises(InvalidStatus):
        async with socket(simulator, host):
            pass


async def test_every_frame_is_packed_and_binary(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, "{")
        frame = await connection.recv()
    assert isinstance(frame, bytes)
    assert msgspec.json.decode(gzip.decompress(frame))["err-msg"] == "not json string"


@pytest.mark.parametrize(("path", "patience"), [(SPOT, 2), (LINEAR, 5)])
async def test_pings_are_answered_with_their_own_number_or_the_socket_ends(path: str, patience: int) -> None:
    seen: list[int] = []
    async with (
        running(patience=Patience(htx_ping_s=0.1)) as simulator,
        socket(simulator, path) as deaf,
        socket(simulator, path) as answering,
    ):
        with pytest.raises(ConnectionClosed):
            await ping_both(answering, deaf, seen)
        await receive(answering, lambda message: "ping" in message)
        assert len(seen) == patience
        assert await breaches(simulator, "htx") == {"ping unanswered": 1}


async def ping_both(answering: ClientConnection, deaf: ClientConnection, seen: list[int]) -> None:
    """Answer one socket as it asks, the other with a number that it never sent."""
    while True:
        await send(answering, {"pong": (await receive(answering, lambda message: "ping" in message))["ping"]})
        seen.append((await receive(deaf, lambda message: "ping" in message))["ping"])
        await send(deaf, {"pong": 1})


async def test_forty_subscribe_frames_a_second(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.feeds.simulator.htx.exchange.SUBSCRIBES", (40, 60.0))  # a machine may stall in between
    async with socket(simulator, LINEAR) as connection:
        for number in range(41):
            await send(connection, {"sub": "market.BTC-USDT.bbo", "id": number})
        refusal = await receive(connection, lambda message: message.get("id") == 40)
    assert refusal["err-msg"] == "429 too many request"


async def test_trades_begin_with_the_last_one_and_carry_long_ids(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)
    topic = "market.btcusdt.trade.detail"
    async with socket(simulator, SPOT) as first, socket(simulator, SPOT) as second:
        await send(first, {"sub": topic, "id": 1})
        await send(first, {"sub": "market.btcusdt.bbo", "id": 2})
        frames = [await receive(first, lambda message: message.get("ch") == topic) for _ in range(15)]
        await order(simulator, "freeze", exchange="htx")
        await send(second, {"sub": topic, "id": 1})
        again = (await receive(second, is_tick))["tick"]["data"]
    prints = [row for frame in frames for row in frame["tick"]["data"]]
    numbers = [row["tradeId"] for row in prints]
    assert all(after == before + 1 for before, after in itertools.pairwise(numbers))
    assert len(again) == 1
    assert again[0]["tradeId"] >= numbers[-1]
    assert all(isinstance(row["id"], str) and int(row["id"]) > 2**63 for row in prints)


async def test_trades_of_contracts_count_contracts_and_coins(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"sub": "market.BTC-USDT.trade.detail", "id": 1})
        row = (await receive(connection, is_tick))["tick"]["data"][0]
    assert isinstance(row["amount"], int)
    assert row["quantity"] == pytest.approx(row["amount"] * 0.001)
    assert row["trade_turnover"] == pytest.approx(row["quantity"] * row["price"])
    assert "tradeId" not in row


async def test_every_frame_is_in_the_log_with_the_snapshots_that_were_asked_for(simulator: Simulator) -> None:
    trades = "market.btcusdt.trade.detail"
    async with socket(simulator, FEED) as feed, socket(simulator, SPOT) as spot:
        await joined(feed, book := FeedBook(150), MBP)
        await send(spot, {"sub": trades, "id": 1})
        prints = len((await receive(spot, is_tick))["tick"]["data"])
        await order(simulator, "mute", exchange="htx")
        for message in await heard_within(feed, 0.3):
            book.push(message["tick"])
        prints += sum(len(message["tick"]["data"]) for message in await heard_within(spot, 0.3) if "tick" in message)
        log = {row["stream"]: row for row in await fetch(simulator, "_sim/log", exchange="htx")}
    assert set(log) == {MBP, f"req {MBP}", trades}
    assert log[MBP]["last_seq"] == book.seq
    assert log[f"req {MBP}"]["sent"] >= 1
    assert log[trades]["trades"] == prints


async def test_market_lists_hold_odd_listings(simulator: Simulator) -> None:
    spot = (await fetch(simulator, "api.huobi.pro/v1/common/symbols"))["data"]
    path = "api.hbdm.com/linear-swap-api/v1/swap_contract_info"
    perpetual = (await fetch(simulator, path))["data"]
    every = (await fetch(simulator, path, business_type="all"))["data"]
    inverse = (await fetch(simulator, "api.hbdm.com/swap-api/v1/swap_contract_info"))["data"]
    assert min(len(spot), len(perpetual)) > 60
    assert {"online", "offline", "suspend"} == {row["state"] for row in spot}
    assert "disabled" in {row["api-trading"] for row in spot}
    assert {"btcusdt", "btcusdc", "ethbtc"} <= {row["symbol"] for row in spot}
    assert {row["contract_status"] for row in perpetual} == {0, 1, 3}
    sizes = {row["contract_code"]: row["contract_size"] for row in every + inverse}
    assert (sizes["BTC-USDT"], sizes["ETH-USDT"], sizes["SNX-USDT"], sizes["BTC-USD"]) == (0.001, 0.01, 1, 100)
    assert {row["contract_code"] for row in every} - {row["contract_code"] for row in perpetual} == {
        "BTC-USDT-261225",
        "ETH-USDT-261225",
    }


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("api.huobi.pro/market/depth", {"symbol": "nosuch", "type": "step0"}, ("err-code", "invalid-parameter")),
        ("api.hbdm.com/linear-swap-ex/market/depth", {"contract_code": "NO", "type": "step0"}, ("err_code", 1013)),
    ],
)
async def test_errors_have_two_shapes(
    simulator: Simulator, path: str, query: dict[str, str], code: tuple[str, Any]
) -> None:
    status, _, body = await answer(simulator, path, **query)
    assert (status, body["status"], body[code[0]]) == (200, "error", code[1])


async def test_ten_spot_requests_a_second(simulator: Simulator) -> None:
    simulator.exchanges["htx"].public._spot.window_s = 600.0  # type: ignore[attr-defined]
    results = [await answer(simulator, "api.huobi.pro/v1/common/timestamp") for _ in range(11)]
    assert [status for status, _, _ in results] == [200] * 10 + [429]
    assert results[-1][2]["err-code"] == "base-request-exceed-frequency-limit"


async def test_history_of_trades_is_nested_twice(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, {"sub": "market.btcusdt.trade.detail", "id": 1})
        await receive(connection, is_tick)
        data = (await fetch(simulator, "api.huobi.pro/market/history/trade", symbol="btcusdt", size="5"))["data"]
    assert {"trade-id", "price", "amount", "direction", "ts", "id"} == set(data[0]["data"][0])
