"""Every public frame and REST answer of CoinEx that is at hand: books whole, all else to its values."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers.base import Ack, Event, Ignored, Pong
from apps.feeds.drivers.coinex.driver import CoinEx
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookState, MarketType, PublicTrade, Side
from apps.feeds.replay import Replay, SymbolReport, frames
from apps.feeds.tests.captures import FUTURES, SPOT, Model, lines

pytestmark = pytest.mark.captures

COINEX = CoinEx()
BOOKS = [
    ("synthetic_spot_depth20_incremental", SPOT, 20, 106),
    ("synthetic_futures_depth50_incremental", FUTURES, 50, 87),
    ("synthetic_spot_depth20_gap", SPOT, 20, 57),
]


def replayed(captures: Path, name: str, market: MarketType, stop: int | None = None) -> SymbolReport:
    replay = Replay(COINEX, market, {})
    for frame in frames(lines(captures, "coinex", f"{name}.jsonl")[:stop], base64=False):
        replay.play(frame)
    assert replay.malformed == []
    [report] = replay.finish()
    return report


def plain_book(captures: Path, name: str, levels: int) -> Model:
    """Read with no rule but: a full push replaces, a side keeps its best `levels`."""
    model = Model()
    for line in lines(captures, "coinex", f"{name}.jsonl"):
        data = json.loads(line).get("data")
        if data is not None:
            model.set(data["depth"].get("bids", []), data["depth"].get("asks", []), whole=data["is_full"])
            bids, asks = model.levels()
            cut = {price for price, _ in bids[:levels] + asks[:levels]}
            model.sides = {
                side: {price: amount for price, amount in rows.items() if float(price) in cut}
                for side, rows in model.sides.items()
            }
    return model


@pytest.mark.parametrize(("name", "market", "levels", "applied"), BOOKS)
def test_a_recording_ends_in_the_expected_book(
    captures: Path, name: str, market: MarketType, levels: int, applied: int
) -> None:
    [content] = lines(captures, "coinex", f"{name}.expected.json")
    want = json.loads(content)
    report = replayed(captures, name, market)
    assert (report.state, report.seq, report.applied) == (BookState.LIVE, None, applied)
    assert report.bids == [(float(price), float(amount)) for price, amount in want["bids"]]
    assert report.asks == [(float(price), float(amount)) for price, amount in want["asks"]]
    assert report.gaps == want.get("gaps", 0)
    if not report.gaps:
        assert (report.bids, report.asks) == plain_book(captures, name, levels).levels()


def test_a_lost_push_is_found_at_its_line_and_healed_by_the_next_full_one(captures: Path) -> None:
    name = "synthetic_spot_depth20_gap"
    [content] = lines(captures, "coinex", f"{name}.expected.json")
    want = json.loads(content)
    states = [replayed(captures, name, SPOT, want[key] + by) for key, by in (
        ("first_failing_line", -1), ("first_failing_line", 0), ("live_again_line", -1), ("live_again_line", 0),
    )]  # fmt: skip
    assert [report.state for report in states] == [
        BookState.LIVE, BookState.SYNCING, BookState.SYNCING, BookState.LIVE
    ]  # fmt: skip
    assert [report.gaps for report in states] == [0, 1, 1, 1]
    assert states[1].bids == [], "nothing is served meanwhile"


@pytest.mark.parametrize(("name", "market", "levels", "applied"), BOOKS)
def test_packed_frames_hold_what_the_plain_ones_do(
    captures: Path, name: str, market: MarketType, levels: int, applied: int
) -> None:
    plain = lines(captures, "coinex", f"{name}.jsonl")
    packed = lines(captures, "coinex", f"{name}.first10gzip.b64.jsonl")
    assert len(packed) == 10
    for frame, text in zip(frames(packed, base64=True), plain, strict=False):
        assert not isinstance(frame, MalformedFrame)
        assert COINEX.parse(market, frame, 7) == COINEX.parse(market, text, 7)


def parsed(captures: Path, file: str) -> list[list[Event]]:
    return [COINEX.parse(SPOT, line, 7) for line in lines(captures, "coinex", file)]


def test_public_frames(captures: Path) -> None:
    trades, *others = parsed(captures, "ws_public.jsonl")
    assert trades == [
        PublicTrade(
            symbol="ETHUSDT",
            trade_id=str(3514376757 + n),
            side=side,
            price=30718.42,
            amount=amount,
            exchange_ms=1689152421692,
            received_ns=7,
        )
        for n, (side, amount) in enumerate([(Side.SELL, 0.00154936), (Side.BUY, 0.00015729), (Side.BUY, 0.00000325)])
    ]
    assert others == [[Ignored()]] * 3


def test_control_frames(captures: Path) -> None:
    assert [event for [event] in parsed(captures, "acks_errors_pings.jsonl")] == [
        Ack(ok=True, request_id="4"),
        Pong(),
        Ack(ok=False, request_id="4", code="20001", text="invalid parameters", whole_frame=True),
        Ack(ok=False, request_id="1", code="20001", text="invalid argument", whole_frame=True),
        Ack(ok=False, request_id="2", code="21001", text="require auth", whole_frame=True),
        Ack(ok=False, request_id="1", code="21002", text="Signature Incorrect", whole_frame=True),
        Ack(ok=False, request_id="1", code="21002", text="", whole_frame=True),
        Ignored(),
    ]


def test_frames_of_the_private_half_are_not_ours(captures: Path) -> None:
    for file in ("ws_private.jsonl", "ws_private_old_field_names.jsonl"):
        assert {str(events) for events in parsed(captures, file)} == {str([Ignored()])}


@pytest.fixture
def answers(captures: Path) -> dict[str, bytes]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines(captures, "coinex", "rest_v2.jsonl")]
    return {row["_case"]: json.dumps(row["_body"]).encode() for row in rows}


def test_rest_books_whose_levels_were_cut_keep_their_checksum(answers: dict[str, bytes]) -> None:
    spot = COINEX.parse_snapshot(SPOT, "BTCUSDT", answers["spot_depth_limit20_first3"], 7)
    assert (spot.checksum, spot.exchange_ms) == (2313816665, 1712823790987)
    assert (spot.bids[0], spot.asks[2]) == ((70855.3, 0.00632222), (70875.42, 0.05876653))
    futures = COINEX.parse_snapshot(FUTURES, "BTCUSDT", answers["futures_depth_limit20_first3"], 7)
    assert (futures.checksum, futures.raw_bids) == (
        2956436260,
        [("70851.93", "1.0314"), ("70850.93", "0.0021"), ("70850.42", "0.0306")],
    )


def test_market_lists_of_2024(answers: dict[str, bytes]) -> None:
    [spot] = COINEX.parse_instruments(SPOT, answers["spot_market"]).instruments
    assert (spot.pair, spot.tick, spot.lot) == ("BTC/USDT", Decimal("0.01"), Decimal("0.00000001"))
    [linear] = COINEX.parse_instruments(FUTURES, answers["futures_market_linear_fee"]).instruments
    assert (linear.pair, linear.tick, linear.min_amount) == ("BTC/USDT", Decimal("0.01"), Decimal("0.0001"))
    assert COINEX.parse_instruments(FUTURES, answers["futures_market_inverse"]).instruments == []


def test_volumes(answers: dict[str, bytes]) -> None:
    assert COINEX.parse_volumes(SPOT, answers["spot_ticker"]) == {"BTCUSDT": 28711273.4065667262}


def test_rest_errors(captures: Path) -> None:
    busy, *refused, empty = lines(captures, "coinex", "rest_errors.jsonl")
    with pytest.raises(Retryable, match="service too busy"):
        COINEX.parse_instruments(SPOT, busy)
    for content in refused:
        with pytest.raises(Refused, match=json.loads(content)["message"]):
            COINEX.parse_instruments(SPOT, content)
    with pytest.raises(MalformedFrame):
        COINEX.parse_instruments(SPOT, empty)
