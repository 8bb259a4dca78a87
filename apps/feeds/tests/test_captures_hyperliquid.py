"""Hyperliquid's recorded frames and answers parse to the values they hold, its recorded books end as the last frame."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers.base import Ack, Event, Ignored, Pong, Topic, TopicKind
from apps.feeds.drivers.hyperliquid.driver import Hyperliquid
from apps.feeds.errors import Refused
from apps.feeds.market import BookSnapshot, BookState, InstrumentStatus, Levels, PublicTrade, Side
from apps.feeds.replay import Replay, frames
from apps.feeds.tests.captures import FUTURES, lines

pytestmark = pytest.mark.captures

DEX = Hyperliquid()
BTC_2025, PUBLIC_2026, FAST_2026 = (
    "ws_btc_2025-01-26.jsonl",
    "ws_public_2026-09.jsonl",
    "ws_fast_book_testnet_2026-07.jsonl",
)


def parsed(captures: Path, file: str) -> list[list[Event]]:
    return [DEX.parse(FUTURES, line, 7) for line in lines(captures, "hyperliquid", file)]


def last_book(captures: Path, file: str) -> dict[str, Any]:
    rows = [json.loads(line) for line in lines(captures, "hyperliquid", file)]
    return [row["data"] for row in rows if row["channel"] == "l2Book"][-1]


def levels(rows: list[dict[str, Any]]) -> Levels:
    return [(float(row["px"]), float(row["sz"])) for row in rows]


@pytest.mark.parametrize(("file", "applied"), [(BTC_2025, 32), (FAST_2026, 2)])
def test_a_recording_ends_in_its_last_whole_book(captures: Path, file: str, applied: int) -> None:
    replay = Replay(DEX, FUTURES, {})
    for frame in frames(lines(captures, "hyperliquid", file), base64=False):
        replay.play(frame)
    [report] = replay.finish()
    last = last_book(captures, file)
    assert replay.malformed == []
    assert (report.symbol, report.state, report.seq) == ("BTC", BookState.LIVE, last["time"])
    assert (report.applied, report.dropped, report.gaps) == (applied, 0, 0)
    assert [report.bids, report.asks] == [levels(side) for side in last["levels"]]


def test_prints_of_2025_with_their_keys_in_another_order(captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "hyperliquid", BTC_2025)]
    told = [
        (str(row["tid"]), {"B": Side.BUY, "A": Side.SELL}[row["side"]], float(row["px"]), float(row["sz"]), row["time"])
        for frame in rows
        if frame["channel"] == "trades"
        for row in frame["data"]
    ]
    prints = [event for events in parsed(captures, BTC_2025) for event in events if isinstance(event, PublicTrade)]
    assert [(one.trade_id, one.side, one.price, one.amount, one.exchange_ms) for one in prints] == told
    assert len(told) > 30


def test_frames_of_2026(captures: Path) -> None:
    events = [one for [one] in parsed(captures, PUBLIC_2026)]
    acks, books, rest = events[:2], events[2:4], events[4:]
    assert acks == [Ack(ok=True, topics=("l2Book:BTC",))] * 2
    assert all(isinstance(book, BookSnapshot) for book in books)
    assert [
        (book.symbol, book.seq, book.bids[0], book.asks[-1]) for book in books if isinstance(book, BookSnapshot)
    ] == [
        ("BTC", 1790232236546, (84143.0, 10.25923), (84151.0, 0.01782)),
        ("kPEPE", 1790232236546, (0.004411, 2058973.0), (0.004415, 8257858.0)),
    ]
    empty, best, context, trade, candle, pong, already, not_understood, post = rest
    assert [empty, best, context, candle, not_understood, post] == [Ignored()] * 6
    assert trade == PublicTrade(
        symbol="BTC",
        trade_id="1045359869404765",
        side=Side.SELL,
        price=84143.0,
        amount=0.00036,
        exchange_ms=1790232216193,
        received_ns=7,
    )
    assert pong == Pong()
    assert isinstance(already, Ack)
    assert (already.already, already.topics) == (True, ("l2Book:SOL",))


def test_frames_of_the_private_half_carry_nothing_for_us(captures: Path) -> None:
    assert {type(event) for [event] in parsed(captures, "ws_private.jsonl")} == {Ignored}


def test_our_commands_are_those_that_were_recorded(captures: Path) -> None:
    subscribe, ping = lines(captures, "hyperliquid", "ws_public_2026-09.client.jsonl")
    [command] = DEX.subscribe(FUTURES, [Topic(kind=TopicKind.BOOK, symbol="BTC", depth=20)], 1)
    assert json.loads(command.frame) == json.loads(subscribe)
    assert str(DEX.heartbeat(FUTURES).send) == ping.decode()


def test_answers_over_rest(captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "hyperliquid", "rest.jsonl")]
    asked = {
        json.dumps(row["request"].get("json")): json.dumps(row["body"]).encode() for row in rows if "request" in row
    }

    listed = DEX.parse_instruments(FUTURES, asked[DEX.instruments_request(FUTURES).body.replace(":", ": ")]).instruments
    assert [(row.pair, row.lot, row.tick) for row in listed[:3]] == [
        ("BTC/USDC", Decimal("0.00001"), Decimal("0.1")),
        ("ETH/USDC", Decimal("0.0001"), Decimal("0.01")),
        ("ATOM/USDC", Decimal("0.01"), Decimal("0.0001")),
    ]
    assert [row.pair for row in listed if row.status is InstrumentStatus.DELISTED] == ["MATIC/USDC"]

    btc = DEX.parse_snapshot(FUTURES, "BTC", asked['{"type": "l2Book", "coin": "BTC"}'], 7)
    assert (btc.seq, btc.bids[0], btc.asks[0]) == (1790358575700, (83767.0, 6.87634), (83768.0, 0.30543))
    with pytest.raises(Refused):
        DEX.parse_snapshot(FUTURES, "NOPE", asked['{"type": "l2Book", "coin": "NOPE"}'], 7)


def test_a_fast_book_never_takes_the_place_of_the_plain_one(captures: Path) -> None:
    replay = Replay(DEX, FUTURES, {})
    plain, fast = lines(captures, "hyperliquid", BTC_2025)[0], lines(captures, "hyperliquid", FAST_2026)[0]
    for frame in frames([fast, plain, fast], base64=False):
        replay.play(frame)
    [report] = replay.finish()
    assert report.bids_count == report.asks_count == 5, "the plain one is older here"
    replay = Replay(DEX, FUTURES, {})
    for frame in frames([plain, fast], base64=False):
        replay.play(frame)
    [report] = replay.finish()
    assert (report.bids_count, report.seq, report.dropped) == (20, json.loads(plain)["data"]["time"], 1)
