"""MEXC as recorded: whole final books, and every other public frame and answer parsed to the values it holds."""

import json
from base64 import b64decode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers.base import Ack, Event, Ignored, Pong
from apps.feeds.drivers.mexc.driver import Mexc
from apps.feeds.errors import Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, BookState, InstrumentStatus, Levels, PublicTrade, Side
from apps.feeds.replay import Replay, SymbolReport, frames
from apps.feeds.tests.captures import FUTURES, SPOT, Model, lines

pytestmark = pytest.mark.captures
MEXC = Mexc()
BOOKS = {SPOT: ("spot", "spot_book_synthetic.b64.jsonl"), FUTURES: ("futures", "futures_book_synthetic.jsonl")}


def rows(captures: Path, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, "mexc", file)]


def pushes(captures: Path, file: str) -> list[list[Event]]:
    return [MEXC.parse(SPOT, b64decode(line), 7) for line in lines(captures, "mexc", file)]


def expected(captures: Path, market: Any) -> dict[str, Any]:
    return json.loads((captures / "mexc" / f"{BOOKS[market][0]}_book_synthetic.expect.json").read_bytes())


def snapshot(captures: Path, market: Any, which: str) -> bytes:
    return (captures / "mexc" / f"{BOOKS[market][0]}_book_synthetic.{which}.rest.jsonl").read_bytes()


def replayed(captures: Path, market: Any, *which: str) -> SymbolReport:
    """The synthetic recording with the named snapshots, in their turn."""
    symbol, file = expected(captures, market)["symbol"], BOOKS[market][1]
    replay = Replay(MEXC, market, {symbol: [snapshot(captures, market, one) for one in which]})
    for frame in frames(lines(captures, "mexc", file), base64=file.endswith(".b64.jsonl")):
        replay.play(frame)
    assert replay.malformed == []
    [report] = replay.finish()
    assert report.symbol == symbol
    return report


def numbers(told: list[list[Any]]) -> Levels:
    return [(float(row[0]), float(row[1])) for row in told]


def texts(told: list[list[Any]]) -> list[list[str]]:
    """Prices spelt alike, so that the model takes equal ones for one."""
    return [[repr(float(row[0])), str(row[1])] for row in told]


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_the_recorded_book_ends_at_the_expected_top(captures: Path, market: Any) -> None:
    want = expected(captures, market)["final_top20"]
    for which, gaps in ((["second"], 0), (["first", "second"], 1)):
        report = replayed(captures, market, *which)
        assert (report.state, report.seq, report.gaps) == (BookState.LIVE, want["version"], gaps)
        assert (report.bids[:20], report.asks[:20]) == (numbers(want["bids"]), numbers(want["asks"]))


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_the_first_snapshot_alone_ends_at_the_missing_push(captures: Path, market: Any) -> None:
    report = replayed(captures, market, "first")
    assert (report.state, report.gaps, report.bids, report.asks) == (BookState.SYNCING, 1, [], [])


def test_every_level_of_the_spot_book_equals_the_plain_models(captures: Path) -> None:
    want = expected(captures, SPOT)
    book = want["second_snapshot"]
    model = Model()
    model.set(texts(book["bids"]), texts(book["asks"]), whole=True)
    for events in pushes(captures, BOOKS[SPOT][1]):
        for event in events:
            if isinstance(event, BookDelta) and event.seq is not None and event.seq > book["lastUpdateId"]:
                model.set(texts(event.bids), texts(event.asks), whole=False)
    report = replayed(captures, SPOT, "second")
    assert (report.bids, report.asks) == model.levels()


def test_every_level_of_the_futures_book_equals_the_plain_models(captures: Path) -> None:
    book = json.loads(snapshot(captures, FUTURES, "second"))["data"]
    model = Model()
    model.set(texts(book["bids"]), texts(book["asks"]), whole=True)
    for frame in rows(captures, BOOKS[FUTURES][1]):
        if frame["channel"] == "push.depth" and frame["data"]["end"] > book["version"]:
            model.set(texts(frame["data"]["bids"]), texts(frame["data"]["asks"]), whole=False)
    report = replayed(captures, FUTURES, "second")
    assert (report.bids, report.asks) == model.levels()
    assert [report.bids_count, report.asks_count] == expected(captures, FUTURES)["levels"]


def test_real_pushes_of_spot(captures: Path) -> None:
    told = rows(captures, "spot_ws_captured.decoded.jsonl")
    ticker, trades, [book], candle, *other = pushes(captures, "spot_ws_captured.b64.jsonl")
    assert [ticker, candle, *other] == [[Ignored()]] * 4
    sides = {1: Side.BUY, 2: Side.SELL}
    assert trades == [
        PublicTrade(
            symbol="BTCUSDT",
            trade_id=row["tradeId"],
            side=sides[row["tradeType"]],
            price=float(row["price"]),
            amount=float(row["quantity"]),
            exchange_ms=row["time"],
            received_ns=7,
        )
        for row in told[1]["publicAggreDeals"]["deals"]
    ]
    body = told[2]["publicLimitDepths"]
    assert book == BookSnapshot(
        symbol="BTCUSDT",
        seq=int(body["version"]),
        bids=[(float(row["price"]), float(row["quantity"])) for row in body["bids"]],
        asks=[(float(row["price"]), float(row["quantity"])) for row in body["asks"]],
        exchange_ms=told[2]["sendTime"],
        received_ns=7,
    )


def test_reencoded_pushes_of_spot(captures: Path) -> None:
    told = rows(captures, "spot_ws_reencoded.decoded.jsonl")
    events = pushes(captures, "spot_ws_reencoded.b64.jsonl")
    for [event], row in zip(events, told, strict=True):
        body = row.get("publicAggreDepths")
        if body is None:
            assert event == Ignored()
            continue
        assert event == BookDelta(
            symbol=row["symbol"],
            first_seq=int(body["fromVersion"]),
            seq=int(body["toVersion"]),
            bids=[(float(one["price"]), float(one["quantity"])) for one in body.get("bids", [])],
            asks=[(float(one["price"]), float(one["quantity"])) for one in body.get("asks", [])],
            exchange_ms=row["sendTime"],
            received_ns=7,
        )
    assert [isinstance(event, BookDelta) for [event] in events] == [True] * 3 + [False] * 4


def test_control_frames_of_spot(captures: Path) -> None:
    incoming = [row["frame"] for row in rows(captures, "spot_ws_control.jsonl") if row["dir"].startswith("in")]
    events = [
        event
        for frame in incoming
        for event in MEXC.parse(SPOT, frame if isinstance(frame, str) else json.dumps(frame), 7)
    ]
    depth, deals = (
        "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT",
    )
    refused = [frame["msg"] for frame in incoming if "Not Subscribed" in str(frame)]
    assert events == [
        Ack(ok=True, topics=(depth, deals)),
        Ack(ok=True, topics=(deals,)),
        Ack(ok=False, topics=("spot@public.deals.v3.api@BTCUSDT",), code="Blocked!", text=refused[0]),
        Ack(
            ok=False,
            topics=("spot@public.miniTicker.v3.api.pb@NOPEUSDT@UTC+8",),
            code="Blocked!",
            text=refused[1],
        ),
        Ack(ok=True, topics=("a", "b", "c")),
        Ack(ok=False, topics=("d",), code="Blocked!", text=refused[2]),
        Pong(),
        Ack(ok=False, code="0", text="msg format invalid"),
        Ignored(),
    ]


def test_our_commands_are_those_of_the_recorded_clients(captures: Path) -> None:
    from_us = [row["frame"] for row in rows(captures, "spot_ws_control.jsonl") if row["dir"] == "out"]
    assert {"method": "PING"} == json.loads(str(MEXC.heartbeat(SPOT).send)) in from_us


def test_real_frames_of_futures(captures: Path) -> None:
    events = [
        event
        for [event] in (MEXC.parse(FUTURES, line, 7) for line in lines(captures, "mexc", "futures_ws_captured.jsonl"))
    ]
    merged, ack, refused, doge, first, second, whole, whole_ack, pong, *ignored, trade = events
    assert merged == BookDelta(
        symbol="BTC_USDT",
        first_seq=25133684085,
        seq=25133684088,
        bids=[(103115.4, 99835.0), (103115.5, 100190.0), (97500.0, 25329.0)],
        asks=[(103116.1, 89918.0)],
        exchange_ms=1747645131820,
        received_ns=7,
    )
    assert [ack, whole_ack] == [Ack(ok=True, nameless=True)] * 2
    assert isinstance(refused, Ack)
    assert (refused.ok, refused.topics) == (False, ("depth:NOPE_USDT", "depth.full:NOPE_USDT", "deal:NOPE_USDT"))
    assert isinstance(doge, BookDelta)
    assert (doge.first_seq, doge.seq, len(doge.asks), doge.asks[0], doge.bids[2]) == (
        8752807948,
        8752808003,
        8,
        (0.0801, 2868.0),
        (0.07969, 0.0),
    )
    assert [(one.first_seq, one.seq) for one in (first, second) if isinstance(one, BookDelta)] == [
        (37723308980, 37723308980),
        (37723308981, 37723308981),
    ]
    assert whole == BookSnapshot(
        symbol="BTC_USDT",
        seq=42029847745,
        bids=[(86469.4, 48926.0), (86468.2, 14455.0)],
        asks=[(86469.5, 398.0), (86469.6, 143995.0)],
        exchange_ms=1790145447834,
        received_ns=7,
    )
    assert pong == Pong()
    assert ignored == [Ignored()] * 2
    assert trade == PublicTrade(
        symbol="BTC_USDT",
        trade_id="16270106116",
        side=Side.BUY,
        price=80489.0,
        amount=11.0,
        exchange_ms=1789897547210,
        received_ns=7,
    )


def test_private_frames_of_futures_are_not_ours(captures: Path) -> None:
    incoming = [row["frame"] for row in rows(captures, "futures_ws_private.jsonl") if row["dir"] == "in"]
    *private, [goodbye] = [MEXC.parse(FUTURES, json.dumps(frame), 7) for frame in incoming]
    assert private == [[Ignored()]] * len(private)
    assert goodbye.text == "more than 60 seconds no response, close the channel"


def answers(captures: Path, file: str) -> dict[str, tuple[int, bytes]]:
    """The first public answer of each path."""
    found: dict[str, tuple[int, bytes]] = {}
    for row in rows(captures, file):
        request = row["request"]
        if request["method"] == "GET":
            found.setdefault(request["path"], (row["status"], json.dumps(row["body"]).encode()))
    return found


def test_spot_answers(captures: Path) -> None:
    told = answers(captures, "spot_rest.jsonl")
    [coin] = MEXC.parse_instruments(SPOT, told["/api/v3/exchangeInfo"][1]).instruments
    assert (coin.pair, coin.symbol, coin.tick, coin.lot) == (
        "BROCK/USDT",
        "BROCKUSDT",
        Decimal("0.00001"),
        Decimal("0.01"),
    )
    assert (coin.min_amount, coin.min_notional, coin.status) == (None, Decimal(1), InstrumentStatus.TRADING)
    book = MEXC.parse_snapshot(SPOT, "X", told["/api/v3/depth"][1], 7)
    assert (book.seq, book.bids, book.asks) == (1112416, [(15.0, 49999.0)], [(14.0, 1.0)])


def test_futures_answers(captures: Path) -> None:
    told = answers(captures, "futures_rest.jsonl")
    [contract] = MEXC.parse_instruments(FUTURES, told["/api/v1/contract/detail"][1]).instruments
    assert (contract.pair, contract.symbol, contract.contract_size) == ("CLO/USDT", "CLO_USDT", Decimal(10))
    assert (contract.tick, contract.lot, contract.status) == (Decimal("0.0001"), Decimal(1), InstrumentStatus.TRADING)
    gone = MEXC.parse_snapshot(FUTURES, "BTC_USDT", told["/api/v1/contract/depth/BTC_USDT"][1], 7)
    assert (gone.seq, gone.bids, gone.asks, gone.exchange_ms) == (222542631, [], [], 1789455601090)
    with pytest.raises(Refused, match="Contract does not exist"):
        MEXC.parse_snapshot(FUTURES, "NOPE_USDT", told["/api/v1/contract/depth/NOPE_USDT"][1], 7)


@pytest.mark.parametrize(("market", "file"), [(SPOT, "spot_rest.jsonl"), (FUTURES, "futures_rest.jsonl")])
def test_every_error_is_refused_or_retried_and_never_read(captures: Path, market: Any, file: str) -> None:
    errors = [row for row in rows(captures, file) if isinstance(row["body"], dict) and row["body"].get("code", 0) != 0]
    for row in errors:
        content = json.dumps(row["body"]).encode()
        with pytest.raises((Refused, Retryable)):
            MEXC.parse_snapshot(market, "X", content, 7)
        assert MEXC.retry_after(row["status"], {}, content) == (2.0 if row["body"]["code"] in (510, 2037) else None)
    assert errors
