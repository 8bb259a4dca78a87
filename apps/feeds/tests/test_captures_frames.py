"""Every other public frame and REST answer that was recorded parses to the values it holds."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Ack, Closing, Event, Ignored, Pong
from apps.feeds.errors import Refused
from apps.feeds.market import BookDelta, BookSnapshot, InstrumentStatus, PublicTrade, Side
from apps.feeds.tests.captures import FUTURES, SPOT, lines

pytestmark = pytest.mark.captures


def parsed(captures: Path, exchange: str, file: str, market_type: Any = SPOT) -> list[list[Event]]:
    driver = registry.driver(exchange)
    return [driver.parse(market_type, line, 7) for line in lines(captures, exchange, file)]


def answered(captures: Path, exchange: str, file: str, market_type: Any = SPOT) -> list[list[Event]]:
    """What the incoming frames of a file of control frames parse to, public ones only."""
    driver = registry.driver(exchange)
    rows = [json.loads(line) for line in lines(captures, exchange, file)]
    incoming = [row["frame"] for row in rows if row["dir"] == "in" and row.get("where") != "trade"]
    return [driver.parse(market_type, json.dumps(frame), 7) for frame in incoming]


def trades_of(frames: list[list[Event]]) -> list[PublicTrade]:
    return [event for events in frames for event in events if isinstance(event, PublicTrade)]


def test_binance_spot_raw_frames(captures: Path) -> None:
    [[trade], [delta]] = parsed(captures, "binance", "spot_frames_2023-08.jsonl")
    assert trade == PublicTrade(
        symbol="BTCUSDT",
        trade_id="3200243634",
        side=Side.BUY,
        price=26132.02,
        amount=0.00244,
        exchange_ms=1693226465429,
        received_ns=7,
    )
    assert isinstance(delta, BookDelta)
    assert (delta.first_seq, delta.seq, delta.bids[0]) == (38531387766, 38531387832, (26127.87, 20.79393))


def test_binance_futures_frames_of_2026(captures: Path) -> None:
    [[book], [trade], [ignored]] = parsed(captures, "binance", "usdm_frames_2026-10.jsonl", FUTURES)
    assert isinstance(book, BookSnapshot)
    assert (book.symbol, book.seq, book.prev_seq) == ("BTCUSDT", 11757092625654, 11757092616661)
    assert (book.bids[0], book.asks[-1]) == ((83091.6, 4.215), (83092.0, 0.002))
    assert isinstance(trade, PublicTrade)
    assert (trade.trade_id, trade.side, trade.price, trade.amount) == ("3477868433", Side.BUY, 83091.7, 0.022)
    assert ignored == Ignored()


def test_binance_streams_carry_their_trades_beside_their_books(captures: Path) -> None:
    trades = trades_of(parsed(captures, "binance", "usdm_stream_SUSHIUSDT_KEEPUSDT.jsonl", FUTURES))
    rows = [json.loads(line)["data"] for line in lines(captures, "binance", "usdm_stream_SUSHIUSDT_KEEPUSDT.jsonl")]
    told = [(row["s"], str(row["a"]), float(row["p"]), float(row["q"])) for row in rows if row.get("e") == "aggTrade"]
    assert [(trade.symbol, trade.trade_id, trade.price, trade.amount) for trade in trades] == told
    assert told


def test_binance_control_frames(captures: Path) -> None:
    assert [event for [event] in answered(captures, "binance", "ws_control_frames.jsonl")] == [
        Ack(ok=True, request_id="1"),
        Ack(ok=True, request_id="312"),
        Ack(ok=True, request_id="3"),
        Ack(ok=True, request_id="5"),
        Ack(ok=False, code="2", text="Invalid request: too many parameters"),
        Ack(ok=False, code="3", text="Invalid JSON: expected value at line 1 column 1"),
        Ack(ok=False, request_id="19", code="4", text="Too many subscriptions"),
        Closing("serverShutdown"),
        Closing("serverShutdown"),
    ]


def test_binance_market_lists(captures: Path) -> None:
    driver = registry.driver("binance")
    [content] = lines(captures, "binance", "usdm_exchangeInfo_2026-10.jsonl")
    listed = driver.parse_instruments(FUTURES, content).instruments
    assert [(row.pair, row.symbol, row.tick, row.lot, row.min_notional, row.status) for row in listed] == [
        ("BTC/USDT", "BTCUSDT", Decimal("0.10"), Decimal("0.001"), Decimal(50), InstrumentStatus.TRADING),
        ("币安人生/USDT", "币安人生USDT", Decimal("0.0001"), Decimal(1), Decimal(5), InstrumentStatus.TRADING),
        ("OMG/USDT", "OMGUSDT", Decimal("0.0001"), Decimal("0.1"), Decimal(5), InstrumentStatus.SUSPENDED),
    ]
    [content] = lines(captures, "binance", "spot_exchangeInfo_2021.jsonl")
    spot = {row.pair: row for row in driver.parse_instruments(SPOT, content).instruments}
    assert spot["ETH/BTC"].min_notional == Decimal("0.0001")
    [content] = lines(captures, "binance", "usdm_exchangeInfo_2021.jsonl")
    assert {row.quote for row in driver.parse_instruments(FUTURES, content).instruments} == {"USDT"}


def test_binance_snapshot_of_2026(captures: Path) -> None:
    [content] = lines(captures, "binance", "usdm_depth_2026-10.jsonl")
    book = registry.driver("binance").parse_snapshot(FUTURES, "BTCUSDT", content, 7)
    assert (book.seq, book.exchange_ms, book.from_rest) == (11757092217378, 1791382991283, True)
    assert (book.bids[0], book.asks[0]) == ((83084.3, 2.986), (83084.4, 4.632))


def test_binance_rest_errors(captures: Path) -> None:
    driver = registry.driver("binance")
    for row in map(json.loads, lines(captures, "binance", "rest_errors.jsonl")):
        content = json.dumps(row["body"]).encode() if isinstance(row["body"], dict) else row["body"].encode()
        after_s = driver.retry_after(row["http"], row.get("headers", {}), content)
        if row["http"] in (403, 418, 429):
            assert after_s == float(row.get("headers", {}).get("Retry-After", after_s))
        else:
            assert after_s is None
        if isinstance(row["body"], dict):
            with pytest.raises(Refused) as refused:
                driver.parse_snapshot(SPOT, "BTCUSDT", content, 7)
            assert refused.value.code == str(row["body"]["code"])


def test_bybit_frames(captures: Path) -> None:
    spot = parsed(captures, "bybit", "spot_frames_2023-04.jsonl")
    assert isinstance(spot[1][0], BookSnapshot)
    assert (spot[1][0].seq, spot[1][0].bids, spot[1][0].window) == (59438060, [(28162.57, 0.07562)], 50)
    assert isinstance(spot[2][0], BookDelta)
    assert (spot[2][0].seq, spot[2][0].asks) == (59438061, [(28184.33, 0.0)])
    assert spot[3] == [Ack(ok=True)]
    assert len(spot[0]) > 1, "a frame holds several trades"
    futures = parsed(captures, "bybit", "linear_frames_2023-04.jsonl", FUTURES)
    assert [trade.symbol for trade in trades_of(futures)][-1] == "LTCUSDT"
    assert futures[2:] == [[Ignored()]] * 3, "depth 1 is not ours"


def test_bybit_frames_of_2026(captures: Path) -> None:
    [[ack], [fifty], [two_hundred], trades, [pong]] = parsed(captures, "bybit", "spot_frames_2026-09.jsonl")
    assert (ack, pong) == (Ack(ok=True), Pong())
    assert isinstance(fifty, BookDelta)
    assert isinstance(two_hundred, BookDelta)
    assert (fifty.exchange_ms, two_hundred.exchange_ms) == (1789875214036, 1788220802812)
    assert [(trade.side, trade.price, trade.amount) for trade in trades_of([trades])] == [
        (Side.SELL, 80413.3, 0.06),
        (Side.BUY, 80413.4, 0.004904),
    ]


def test_bybit_control_frames(captures: Path) -> None:
    events = [event for [event] in answered(captures, "bybit", "ws_control_frames.jsonl")]
    assert events == [
        Ack(ok=True, request_id="10001"),
        Ack(ok=True),
        Ack(ok=True),
        Ack(ok=False, code="args size >10", text="args size >10", whole_frame=True),
        Ack(ok=False, code="invalid op", text="error:invalid op", whole_frame=True),
        Pong(),
        Pong(),
        Pong(),
        Ignored(),
        Ignored(),
        Ack(
            ok=False,
            request_id="2",
            topics=("publicTrade.BTCUSDT",),
            code="already subscribed",
            text="error:already subscribed,topic:publicTrade.BTCUSDT",
            whole_frame=True,
            already=True,
        ),
        Ack(
            ok=False,
            request_id="3",
            topics=("orderbook.500.BTCUSDT",),
            code="handler not found",
            text="error:handler not found,topic:orderbook.500.BTCUSDT",
            whole_frame=True,
        ),
    ]


def test_bybit_market_lists_and_snapshot(captures: Path) -> None:
    driver = registry.driver("bybit")
    linear, pre_launch, spot, inverse = lines(captures, "bybit", "instruments_info_docs.jsonl")
    [perpetual] = driver.parse_instruments(FUTURES, linear).instruments
    assert (perpetual.pair, perpetual.lot, perpetual.min_notional) == ("BTC/USDT", Decimal("0.001"), Decimal(5))
    page = driver.parse_instruments(FUTURES, pre_launch)
    assert page.instruments == [], "no book before its launch"
    assert page.next_request is not None
    assert "limit=1000&cursor=" in page.next_request.url
    [coin] = driver.parse_instruments(SPOT, spot).instruments
    assert (coin.pair, coin.tick, coin.lot) == ("BTC/USDT", Decimal("0.1"), Decimal("0.000001"))
    assert driver.parse_instruments(FUTURES, inverse).instruments == []
    book = driver.parse_snapshot(SPOT, "BTCUSDT", lines(captures, "bybit", "rest_captured_2024-01.jsonl")[0], 7)
    assert (book.seq, book.bids[0], book.asks[0]) == (1458765, (29714.9, 0.0008), (29727.05, 0.000069))


def test_bybit_rest_errors(captures: Path) -> None:
    driver = registry.driver("bybit")
    for row in map(json.loads, lines(captures, "bybit", "rest_errors.jsonl")):
        if row["http"] == 403:
            assert driver.retry_after(403, {}, row["body"].encode()) == 600.0
            continue
        content = json.dumps(row["body"]).encode()
        busy = row["body"]["retCode"] == 10006
        assert driver.retry_after(row["http"], {}, content) == (1.0 if busy else None)
        with pytest.raises(Refused, match=row["body"]["retMsg"]):
            driver.parse_instruments(SPOT, content)


def test_okx_frames(captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "okx", "trades_tickers_2022_BTC-USDT.jsonl")]
    told = [
        (row["tradeId"], float(row["px"]), float(row["sz"]), row["side"], int(row["ts"]))
        for frame in rows
        if frame.get("arg", {}).get("channel") == "trades"
        for row in frame.get("data", [])
    ]
    trades = trades_of(parsed(captures, "okx", "trades_tickers_2022_BTC-USDT.jsonl"))
    assert [(one.trade_id, one.price, one.amount, one.side, one.exchange_ms) for one in trades] == told
    assert told
    assert len(trades_of(parsed(captures, "okx", "trades_2026.jsonl"))) == 3
    assert parsed(captures, "okx", "books5_2026.jsonl") == [[Ignored()]] * 3
    assert len(trades_of(parsed(captures, "okx", "misc_swap_2021_2023.jsonl", FUTURES))) == 1


def test_okx_events(captures: Path) -> None:
    events = [event for [event] in parsed(captures, "okx", "frames_events.jsonl")]
    assert events[:3] == [
        Ack(ok=True, topics=("tickers:BTC-USD-220527",)),
        Ack(ok=True, topics=("tickers:UNI-USD-SWAP",)),
        Ack(ok=True, request_id="md", topics=("books:BTC-USDT-SWAP",)),
    ]
    refused = [event for event in events if isinstance(event, Ack) and not event.ok]
    assert [(ack.code, ack.topics) for ack in refused if ack.code == "60018"] == [("60018", ("ticker:BTC-USDT",))]
    assert [type(event) for event in events].count(Closing) == 1
    assert events[-1] == Pong()


def test_okx_market_lists(captures: Path) -> None:
    driver = registry.driver("okx")
    answers = lines(captures, "okx", "rest_instruments.jsonl")
    spot = [row for answer in answers for row in driver.parse_instruments(SPOT, answer).instruments]
    swaps = [row for answer in answers for row in driver.parse_instruments(FUTURES, answer).instruments]
    assert [row.pair for row in spot] == ["BTC/USDT", "ETH/USDT", "BTC/USD", "ETH/USD", "SOL/USD"]
    assert {(row.pair, row.symbol, row.contract_size, row.lot) for row in swaps[-1:]} == {
        ("BTC/USDT", "BTC-USDT-SWAP", Decimal("0.01"), Decimal("0.01"))
    }
    assert not any(row.inverse for row in swaps), "inverse swaps are not in the catalogue"


def test_okx_snapshot_and_error(captures: Path) -> None:
    driver = registry.driver("okx")
    answers = lines(captures, "okx", "rest_trading_account.jsonl")
    book = driver.parse_snapshot(SPOT, "BTC-USDT", next(line for line in answers if b'"asks"' in line), 7)
    assert (book.bids[0], book.asks[2], book.exchange_ms) == ((41006.7, 0.487921), (41007.0, 2.0584253), 1704067200000)
    with pytest.raises(Refused) as refused:
        driver.parse_snapshot(SPOT, "BTC-USDT", next(line for line in answers if b"58001" in line), 7)
    assert refused.value.code == "58001"
