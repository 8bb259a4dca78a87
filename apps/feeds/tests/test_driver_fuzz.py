"""Spoilt frames and answers: each is refused as malformed or understood, quickly, and no book goes wrong by it.

CT_FUZZ sets the number of frames per driver and market. Recorded frames join the hand-written ones where they are.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time

import pytest

from apps.feeds.book.builder import BookBuilder
from apps.feeds.drivers import registry
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade
from apps.feeds.tests.captures import RECORDINGS, lines
from apps.feeds.tests.frame_mutations import MUTATIONS
from tests.fixtures.captures import find_captures

pytestmark = pytest.mark.fuzz

FRAMES = int(os.environ.get("CT_FUZZ", "1000"))
FRAME_CPU_S = 0.05
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]

DEPTH = {
    "e": "depthUpdate",
    "E": 9,
    "s": "BTCUSDT",
    "U": 11,
    "u": 12,
    "pu": 10,
    "b": [["100.0", "1"]],
    "a": [["101", "2"]],
}
BYBIT_BOOK = {"s": "BTCUSDT", "b": [["100.0", "1"], ["99", "1"]], "a": [["101", "2"]], "u": 7, "seq": 900}
OKX_ROW = {"bids": [["100.0", "1", "0", "3"]], "asks": [["101", "1", "0", "1"]], "ts": "9", "checksum": 0, "seqId": 7}
TRADE = {"e": "trade", "s": "BTCUSDT", "t": 3, "p": "1", "q": "2", "T": 8, "m": True}
OKX_BOOKS = {"channel": "books", "instId": "BTC-USDT"}
GOOD_FRAMES = {
    "binance": [
        {"stream": "btcusdt@depth@100ms", "data": DEPTH},
        {"stream": "btcusdt@depth20@100ms", "data": {"lastUpdateId": 10, "bids": [["9", "1"]], "asks": []}},
        {"stream": "btcusdt@trade", "data": TRADE},
        DEPTH,
        {"result": None, "id": 1},
        {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 19},
    ],
    "bybit": [
        {"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": 9, "data": BYBIT_BOOK, "cts": 8},
        {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": 9, "data": BYBIT_BOOK | {"u": 8}, "cts": 8},
        {
            "topic": "publicTrade.BTCUSDT",
            "data": [{"i": "1", "T": 8, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "2"}],
        },
        {"success": False, "ret_msg": "error:handler not found,topic:x.y", "op": "subscribe", "req_id": "1"},
    ],
    "okx": [
        {"arg": OKX_BOOKS, "action": "snapshot", "data": [OKX_ROW | {"prevSeqId": -1}]},
        {"arg": OKX_BOOKS, "action": "update", "data": [OKX_ROW | {"prevSeqId": 7}]},
        {"arg": OKX_BOOKS, "action": "update", "data": [OKX_ROW | {"checksum": 5}]},
        {
            "arg": {"channel": "trades", "instId": "BTC-USDT"},
            "data": [{"instId": "BTC-USDT", "tradeId": "1", "px": "2", "sz": "3", "side": "buy", "ts": "4"}],
        },
        {"event": "error", "msg": "channel:books,instId:X doesn't exist", "code": "60018"},
    ],
}  # fmt: skip
GOOD_ANSWERS = {
    "binance": [
        {"lastUpdateId": 4, "bids": [["1", "2"]], "asks": [["2", "3"]]},
        {
            "symbols": [
                {
                    "symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "status": "TRADING",
                    "contractType": "PERPETUAL", "underlyingType": "COIN",
                    "filters": [
                        {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
                        {"filterType": "LOT_SIZE", "stepSize": "1"},
                    ],
                }
            ]
        },
        [{"symbol": "BTCUSDT", "quoteVolume": "12.5"}],
    ],
    "bybit": [
        {"retCode": 0, "result": {"s": "BTCUSDT", "b": [["1", "2"]], "a": [], "ts": 5, "u": 6}},
        {
            "retCode": 0,
            "result": {
                "list": [
                    {
                        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
                        "quoteCoin": "USDT", "priceFilter": {"tickSize": "0.1"},
                        "lotSizeFilter": {"qtyStep": "1", "basePrecision": "1"},
                    }
                ]
            },
        },
        {"retCode": 0, "result": {"list": [{"symbol": "BTCUSDT", "turnover24h": "12.5"}]}},
    ],
    "okx": [
        {"code": "0", "data": [{"bids": [["1", "2", "0", "1"]], "asks": [], "ts": "5", "seqId": 6}]},
        {
            "code": "0",
            "data": [
                {
                    "instId": "A-USDT-SWAP", "instType": "SWAP", "state": "live", "settleCcy": "USDT", "uly": "A-USDT",
                    "tickSz": "1", "lotSz": "1", "ctType": "linear", "ctVal": "1", "ctMult": "1", "ctValCcy": "A",
                }
            ],
        },
        {"code": "0", "data": [{"instId": "A-USDT", "last": "1", "volCcy24h": "2"}]},
    ],
}  # fmt: skip


def corpus(exchange: str, market: MarketType) -> list[str]:
    """Good frames: ours, and some of each recording."""
    frames = [json.dumps(frame, separators=(",", ":")) for frame in GOOD_FRAMES[exchange]]
    captures: Path | None = find_captures()
    for recording in RECORDINGS if captures else []:
        if (recording.exchange, recording.market_type) == (exchange, market) and captures:
            frames += [line.decode() for line in lines(captures, exchange, recording.file)[:40]]
    return frames


def cpu_s(parse: Callable[[], object]) -> float:
    """CPU time of one call; one that seems slow is measured again, since a collector may have run in it."""
    for _ in range(3):
        began = process_time()
        with suppress(MalformedFrame):
            parse()
        took_s = process_time() - began
        if took_s <= FRAME_CPU_S:
            break
    return took_s


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_spoilt_frames_are_refused_or_understood_within_their_time(exchange: str, market: MarketType) -> None:
    driver, random = registry.driver(exchange), Random(f"{exchange}{market}")
    good = corpus(exchange, market)
    builders: dict[str, BookBuilder] = {}
    refused = 0
    for _ in range(FRAMES):
        frame = random.choice(MUTATIONS)(random.choice(good), random)
        assert cpu_s(partial(driver.parse, market, frame, 1)) <= FRAME_CPU_S
        try:
            events = driver.parse(market, frame, 1)
        except MalformedFrame as error:
            refused += 1
            check_short(error)
            continue
        for event in events:
            if isinstance(event, BookSnapshot | BookDelta):
                builder = builders.setdefault(event.symbol, BookBuilder(event.symbol, driver.rule(market, 0)))
                builder.apply(event)
                check_sane(builder)
            elif isinstance(event, PublicTrade):
                assert event.price > 0
                assert event.amount > 0
    assert 0 < refused < FRAMES, "some are spoilt beyond use, some are not"


def check_short(error: MalformedFrame) -> None:
    """An error never carries the frame."""
    assert len(str(error)) < 400


def check_sane(builder: BookBuilder) -> None:
    """Whatever was understood, the book is sorted, unique, positive and not crossed."""
    if builder.book is None:
        return
    bids, asks = builder.book.top(0)
    prices = [price for price, _ in reversed(bids)] + [price for price, _ in asks]
    assert all(low < high for low, high in pairwise(prices))
    assert all(0 < amount < float("inf") for _, amount in bids + asks)


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_spoilt_answers_are_refused_or_understood(exchange: str, market: MarketType) -> None:
    driver, random = registry.driver(exchange), Random(f"{exchange}{market}")
    good = [json.dumps(answer) for answer in GOOD_ANSWERS[exchange]]
    refused = 0
    for _ in range(FRAMES):
        spoilt = random.choice(MUTATIONS)(random.choice(good), random)
        content = spoilt if isinstance(spoilt, bytes) else spoilt.encode(errors="surrogatepass")
        driver.retry_after(200, {}, content)
        for parse in (
            lambda body: driver.parse_snapshot(market, "BTCUSDT", body, 1),
            lambda body: driver.parse_instruments(market, body),
            lambda body: driver.parse_volumes(market, body),
        ):
            try:
                parse(content)
            except (MalformedFrame, Refused, Retryable):
                refused += 1
    assert refused > FRAMES
