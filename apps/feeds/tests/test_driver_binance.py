"""Binance: hand-written frames, each with one thing to say."""

import json

import pytest

from apps.feeds.book.continuity import PreviousUpdate, UpdateRange, WholeBooks
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Ack, Closing, Ignored, Request, Resync, Topic, TopicKind
from apps.feeds.errors import MalformedFrame, Refused
from apps.feeds.market import BookDelta, BookSnapshot, InstrumentStatus, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES, malformed, parse

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
BINANCE = registry.driver("binance")
BOOK20 = Topic(kind=TopicKind.BOOK, symbol="BTCUSDT", depth=20)
BOOK50 = Topic(kind=TopicKind.BOOK, symbol="BTCUSDT", depth=50)
FULL = Topic(kind=TopicKind.BOOK, symbol="BTCUSDT", depth=0)
TRADES = Topic(kind=TopicKind.TRADES, symbol="BTCUSDT")


def depth(**changes):
    data = {"e": "depthUpdate", "E": 9, "s": "BTCUSDT", "U": 5, "u": 7, "b": [["100.0", "1"]], "a": [["101", "0.00"]]}
    return {"stream": "btcusdt@depth@100ms", "data": data | changes}


def trade(stream="btcusdt@trade", **changes):
    data = {"e": "trade", "E": 9, "s": "BTCUSDT", "t": 3, "p": "100.5", "q": "0.2", "T": 8, "m": True, "M": True}
    return {"stream": stream, "data": data | changes}


def test_a_spot_difference():
    assert parse("binance", depth()) == [
        BookDelta(
            symbol="BTCUSDT",
            seq=7,
            first_seq=5,
            bids=[(100.0, 1.0)],
            asks=[(101.0, 0.0)],
            exchange_ms=9,
            received_ns=7,
        )
    ]


def test_a_futures_difference_has_pu_and_the_engines_time():
    [event] = parse("binance", depth(pu=4, T=8, st=1, ps="BTCUSDT"), FUTURES)
    assert isinstance(event, BookDelta)
    assert (event.prev_seq, event.exchange_ms) == (4, 8)
    assert malformed("binance", depth(), FUTURES).symbol == "BTCUSDT"


def test_a_whole_spot_book_takes_its_symbol_from_the_stream():
    frame = {"stream": "btcusdt@depth20@100ms", "data": {"lastUpdateId": 4, "bids": [["1", "2"]], "asks": []}}
    assert parse("binance", frame) == [BookSnapshot(symbol="BTCUSDT", seq=4, bids=[(1.0, 2.0)], asks=[], received_ns=7)]


def test_a_whole_futures_book_is_told_from_a_difference_by_its_stream():
    whole = depth(pu=4) | {"stream": "btcusdt@depth20@100ms"}
    [event] = parse("binance", whole, FUTURES)
    assert isinstance(event, BookSnapshot)
    assert (event.seq, event.prev_seq, event.from_rest) == (7, 4, False)


@pytest.mark.parametrize(("maker_bought", "side"), [(True, Side.SELL), (False, Side.BUY)])
def test_the_side_of_a_trade_is_the_takers(maker_bought, side):
    [event] = parse("binance", trade(m=maker_bought))
    assert event == PublicTrade(
        symbol="BTCUSDT", trade_id="3", side=side, price=100.5, amount=0.2, exchange_ms=8, received_ns=7
    )


def test_an_aggregated_trade_has_its_id_in_a():
    [event] = parse("binance", trade("btcusdt@aggTrade", e="aggTrade", a=77), FUTURES)
    assert isinstance(event, PublicTrade)
    assert event.trade_id == "77"
    assert malformed("binance", trade("btcusdt@aggTrade")).symbol == "BTCUSDT"


def test_raw_payloads_without_their_streams_name_parse_as_well():
    [delta] = parse("binance", depth()["data"])
    [told] = parse("binance", trade()["data"])
    assert isinstance(delta, BookDelta)
    assert isinstance(told, PublicTrade)
    assert parse("binance", {"e": "serverShutdown", "E": 1}) == [Closing("serverShutdown")]
    assert parse("binance", {"e": "kline", "s": "BTCUSDT"}) == [Ignored()]


def test_keys_may_come_in_any_order_and_names_may_be_escaped():
    reordered = dict(reversed(depth().items()))
    escaped = json.dumps(depth()).replace("btcusdt@", "\\u0062tcusdt@").replace(" ", "")
    assert parse("binance", reordered) == parse("binance", escaped) == parse("binance", depth())
    assert parse("binance", json.dumps(depth()).encode()) == parse("binance", depth())


def test_a_symbol_that_is_not_ascii():
    frame = depth(s="币安人生USDT") | {"stream": "币安人生usdt@depth@100ms"}
    [event] = parse("binance", json.dumps(frame, ensure_ascii=False))
    assert isinstance(event, BookDelta)
    assert event.symbol == "币安人生USDT"
    [command] = BINANCE.subscribe(SPOT, [Topic(kind=TopicKind.TRADES, symbol="币安人生USDT")], 1)
    assert '"币安人生usdt@trade"' in str(command.frame)
    assert BINANCE.snapshot_request(SPOT, "币安人生USDT", 50).url.isascii()


def test_documented_streams_that_are_not_ours_are_ignored():
    for stream in ("btcusdt@bookTicker", "btcusdt@kline_1m", "!ticker@arr", "btcusdt@markPrice@1s"):
        assert parse("binance", {"stream": stream, "data": {}}) == [Ignored()]


def test_the_server_says_that_it_goes():
    frame = {"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1}}
    assert parse("binance", frame) == [Closing("serverShutdown")]


def test_answers_are_matched_by_id():
    assert parse("binance", {"result": None, "id": 4}) == [Ack(ok=True, request_id="4")]
    assert parse("binance", {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 19}) == [
        Ack(ok=False, request_id="19", code="4", text="Too many subscriptions")
    ]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed("binance", depth(b=[level])).symbol == "BTCUSDT"


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed("binance", frame)


@pytest.mark.parametrize(
    "frame",
    [
        depth(U=8),  # begins after its end
        depth(s="ETHUSDT"),  # of another symbol than the stream
        depth(u="x"),
        depth(u=2**63),
        depth(e="trade"),
        depth(E=-1),
        {"stream": "btcusdt@depth@100ms"},
        {"stream": "btcusdt@surprise", "data": {}},
        {"stream": "@depth", "data": {}},
        {"e": "surprise"},
        {"id": 5},
        {"result": None},
        trade(p="0"),
        trade(q="0"),
        trade(t=None),
        json.dumps(depth()).replace('"data"', '"stream": "ethusdt@depth@100ms", "data"'),
        json.dumps(depth(), separators=(",", ":")).replace('"data"', '"stream":"ethusdt@depth@100ms","data"'),
        '{"stream":"btcusdt@kline_1m","stream":"btcusdt@depth","data":{}}',
        "x" * 2_000_001,
    ],
    ids=lambda frame: str(frame)[:60],
)
def test_a_surprise_is_malformed(frame):
    malformed("binance", frame)


def test_streams_are_lower_case_and_futures_trades_are_routed_apart():
    assert BINANCE.stream(SPOT, BOOK20) == "btcusdt@depth20@100ms"
    assert BINANCE.stream(SPOT, BOOK50) == BINANCE.stream(FUTURES, FULL) == "btcusdt@depth@100ms"
    assert (BINANCE.stream(SPOT, TRADES), BINANCE.stream(FUTURES, TRADES)) == ("btcusdt@trade", "btcusdt@aggTrade")
    assert BINANCE.category(SPOT, TRADES) == BINANCE.category(SPOT, BOOK20)
    assert BINANCE.ws_endpoint(SPOT, "public") == "wss://stream.binance.com:9443/stream"
    books, trades = BINANCE.category(FUTURES, BOOK20), BINANCE.category(FUTURES, TRADES)
    assert BINANCE.ws_endpoint(FUTURES, books) == "wss://fstream.binance.com/public/stream"
    assert BINANCE.ws_endpoint(FUTURES, trades) == "wss://fstream.binance.com/market/stream"


def test_commands():
    [subscribe] = BINANCE.subscribe(SPOT, [BOOK20, TRADES], 3)
    assert json.loads(subscribe.frame) == {
        "method": "SUBSCRIBE",
        "params": ["btcusdt@depth20@100ms", "btcusdt@trade"],
        "id": 3,
    }
    [unsubscribe] = BINANCE.unsubscribe(SPOT, [TRADES], 4)
    assert json.loads(unsubscribe.frame)["method"] == "UNSUBSCRIBE"


def test_rules_and_resyncs_by_depth():
    assert isinstance(BINANCE.rule(SPOT, 20), WholeBooks)
    assert isinstance(BINANCE.rule(SPOT, 50), UpdateRange)
    assert isinstance(BINANCE.rule(FUTURES, 0), PreviousUpdate)
    assert (BINANCE.resync(SPOT, 20), BINANCE.resync(SPOT, 50)) == (Resync.RESUBSCRIBE, Resync.REST)


def test_snapshot_requests_cost_what_the_exchange_counts():
    assert BINANCE.snapshot_request(SPOT, "BTCUSDT", 50) == Request(
        method="GET", url="https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000", weight=50
    )
    assert BINANCE.snapshot_request(SPOT, "BTCUSDT", 0) == BINANCE.snapshot_request(SPOT, "BTCUSDT", 50)
    assert BINANCE.snapshot_request(FUTURES, "BTCUSDT", 0) == Request(
        method="GET", url="https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000", weight=20
    )


def test_a_snapshot_or_the_reason_why_not():
    book = BINANCE.parse_snapshot(SPOT, "BTCUSDT", b'{"lastUpdateId":4,"bids":[["1","2"]],"asks":[["2","3"]]}', 7)
    assert book == BookSnapshot(
        symbol="BTCUSDT", seq=4, bids=[(1.0, 2.0)], asks=[(2.0, 3.0)], received_ns=7, from_rest=True
    )
    with pytest.raises(Refused) as refused:
        BINANCE.parse_snapshot(SPOT, "NOPE", b'{"code":-1121,"msg":"Invalid symbol."}', 7)
    assert (refused.value.code, str(refused.value)) == ("-1121", "Invalid symbol.")
    for content in (b"{}", b'{"lastUpdateId":4,"bids":[["0","2"]]}', b"<html>"):
        with pytest.raises(MalformedFrame):
            BINANCE.parse_snapshot(SPOT, "BTCUSDT", content, 7)


def listing(**changes):
    row = {
        "symbol": "BTCUSDC",
        "baseAsset": "BTC",
        "quoteAsset": "USDC",
        "marginAsset": "USDC",
        "status": "TRADING",
        "contractType": "PERPETUAL",
        "underlyingType": "COIN",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001"},
        ],
    }
    return json.dumps({"symbols": [row | changes]}).encode()


def test_the_catalogue_holds_perpetuals_of_coins_and_says_which_trade():
    [row] = BINANCE.parse_instruments(FUTURES, listing()).instruments
    assert (row.pair, row.settle, row.status, row.min_notional) == ("BTC/USDC", "USDC", InstrumentStatus.TRADING, None)
    for status in ("SETTLING", "TRADING_HALT", "NEVER_SEEN"):
        [row] = BINANCE.parse_instruments(FUTURES, listing(status=status)).instruments
        assert row.status is InstrumentStatus.SUSPENDED
    for other in ({"contractType": "CURRENT_QUARTER"}, {"underlyingType": "EQUITY"}, {"filters": []}):
        assert BINANCE.parse_instruments(FUTURES, listing(**other)).instruments == []


@pytest.mark.parametrize("step", ["x", "-1", "NaN", "Infinity"])
def test_a_rule_that_is_no_number_is_malformed(step):
    filters = [{"filterType": "PRICE_FILTER", "tickSize": step}, {"filterType": "LOT_SIZE", "stepSize": "1"}]
    with pytest.raises(MalformedFrame):
        BINANCE.parse_instruments(SPOT, listing(filters=filters))


def test_a_market_list_without_symbols_is_malformed():
    with pytest.raises(MalformedFrame):
        BINANCE.parse_instruments(SPOT, b"{}")


def test_volumes_are_in_quote_currency():
    content = b'[{"symbol":"BTCUSDT","quoteVolume":"12.5"},{"symbol":"ETHUSDT","quoteVolume":"0"}]'
    assert BINANCE.parse_volumes(SPOT, content) == {"BTCUSDT": 12.5, "ETHUSDT": 0.0}


@pytest.mark.parametrize(
    ("status", "headers", "after_s"),
    [
        (429, {"Retry-After": "12"}, 12.0),
        (418, {"retry-after": " 180 "}, 180.0),
        (429, {}, 60.0),
        (418, {"Retry-After": "soon"}, 120.0),
        (403, {}, 60.0),
        (400, {"Retry-After": "5"}, None),
        (200, {}, None),
    ],
)
def test_how_long_to_stay_away(status, headers, after_s):
    assert BINANCE.retry_after(status, headers, b"") == after_s
