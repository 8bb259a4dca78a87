"""Bybit: hand-written frames, each with one thing to say."""

import json

import pytest

from apps.feeds.book.continuity import PlusOne
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Ack, Ignored, Pong, Resync, Topic, TopicKind
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, InstrumentStatus, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES, malformed, parse

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
BYBIT = registry.driver("bybit")
TRADES = Topic(kind=TopicKind.TRADES, symbol="BTCUSDT")


def book(kind="delta", topic="orderbook.50.BTCUSDT", **changes):
    data = {"s": "BTCUSDT", "b": [["100.0", "1"]], "a": [["101", "0"]], "u": 7, "seq": 900}
    return {"topic": topic, "type": kind, "ts": 9, "data": data | changes, "cts": 8}


def trade(**changes):
    row = {"i": "2290", "T": 8, "s": "BTCUSDT", "S": "Sell", "v": "0.2", "p": "100.5", "BT": False}
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 9, "data": [row | changes]}


def test_a_difference():
    assert parse("bybit", book()) == [
        BookDelta(
            symbol="BTCUSDT",
            seq=7,
            bids=[(100.0, 1.0)],
            asks=[(101.0, 0.0)],
            exchange_ms=8,
            received_ns=7,
            window=50,
        )
    ]


def test_a_snapshot_and_its_window():
    [event] = parse("bybit", book("snapshot", "orderbook.1000.BTCUSDT"))
    assert isinstance(event, BookSnapshot)
    assert (event.seq, event.window, event.from_rest) == (7, 1000, False)


def test_an_update_id_of_one_restarts_the_book_whatever_the_type_says():
    [event] = parse("bybit", book("delta", u=1))
    assert isinstance(event, BookSnapshot)


def test_keys_may_come_in_any_order_and_the_engines_time_may_be_missing():
    frame = dict(reversed(book().items()))
    assert parse("bybit", frame) == parse("bybit", book())
    del frame["cts"]
    [event] = parse("bybit", frame)
    assert isinstance(event, BookDelta)
    assert event.exchange_ms == 9


def test_all_trades_of_a_frame_keep_their_order():
    frame = trade()
    frame["data"].append(frame["data"][0] | {"i": "b1c2-uuid", "S": "Buy"})
    first, second = parse("bybit", frame)
    assert first == PublicTrade(
        symbol="BTCUSDT", trade_id="2290", side=Side.SELL, price=100.5, amount=0.2, exchange_ms=8, received_ns=7
    )
    assert isinstance(second, PublicTrade)
    assert (second.trade_id, second.side) == ("b1c2-uuid", Side.BUY)


def test_documented_topics_that_are_not_ours_are_ignored():
    for topic in ("orderbook.1.BTCUSDT", "orderbook.full.BTCUSDT", "orderbook.rpi.BTCUSDT", "tickers.BTCUSDT"):
        assert parse("bybit", {"topic": topic, "type": "snapshot", "data": {}}) == [Ignored()]


@pytest.mark.parametrize(
    "frame",
    [
        {"success": True, "ret_msg": "pong", "conn_id": "c", "op": "ping"},
        {"success": True, "ret_msg": "pong", "conn_id": "c", "op": "pong"},
        {"req_id": "test", "op": "pong", "args": ["1675418560633"], "conn_id": "c"},
    ],
)
def test_a_pong_in_every_spelling(frame):
    assert parse("bybit", frame) == [Pong()]


def test_an_acknowledgement_may_have_no_id():
    assert parse("bybit", {"success": True, "ret_msg": "", "op": "subscribe", "req_id": ""}) == [Ack(ok=True)]
    assert parse("bybit", {"success": True, "op": "unsubscribe", "req_id": "5"}) == [Ack(ok=True, request_id="5")]


def test_a_refusal_undoes_its_whole_frame_and_names_the_topic_at_fault():
    text = "error:already subscribed,topic:publicTrade.BTCUSDT"
    assert parse("bybit", {"success": False, "ret_msg": text, "op": "subscribe", "req_id": "3"}) == [
        Ack(
            ok=False,
            request_id="3",
            topics=("publicTrade.BTCUSDT",),
            code="already subscribed",
            text=text,
            whole_frame=True,
            already=True,
        )
    ]


def test_nothing_of_an_echoed_request_is_kept():
    secret = "9rFT6uR4uz9Imkw4Wx"
    echo = {"op": "subscribe", "args": [secret]}
    [event] = parse("bybit", {"success": False, "ret_msg": "error:USVC1111", "request": echo})
    assert secret not in repr(event)
    broken = {"success": "maybe", "ret_msg": "error:USVC1111", "request": echo}
    assert secret not in str(malformed("bybit", broken))
    assert parse("bybit", {"success": False, "ret_msg": "error:x", "request": {"op": "auth", "args": [secret]}}) == [
        Ignored()
    ]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed("bybit", book(a=[level])).symbol == "BTCUSDT"


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed("bybit", frame)


@pytest.mark.parametrize(
    "frame",
    [
        book("replace"),
        book(s="ETHUSDT"),
        book(u=-1),
        book(u=None),
        book(topic="orderbook.40.BTCUSDT"),
        book(topic="orderbook.50."),
        {"topic": "surprise.BTCUSDT", "data": {}},
        trade(S="buy"),
        trade(v="0"),
        trade(s="ETHUSDT"),
        trade(T="x"),
        {"success": True, "op": "surprise"},
        {"op": "subscribe"},
        '{"topic":"tickers.A","topic":"orderbook.50.A","data":{}}',
        json.dumps(book(), separators=(",", ":")).replace('"type"', '"topic":"tickers.A","type"'),
    ],
    ids=lambda frame: str(frame)[:60],
)
def test_a_surprise_is_malformed(frame):
    malformed("bybit", frame)


def test_topics_by_depth_and_sockets_by_market():
    levels = {depth: Topic(kind=TopicKind.BOOK, symbol="BTCUSDT", depth=depth) for depth in (20, 50, 0)}
    assert [BYBIT.stream(SPOT, topic) for topic in levels.values()] == [
        "orderbook.50.BTCUSDT",
        "orderbook.50.BTCUSDT",
        "orderbook.1000.BTCUSDT",
    ]
    assert BYBIT.stream(SPOT, TRADES) == "publicTrade.BTCUSDT"
    assert BYBIT.ws_endpoint(SPOT, BYBIT.category(SPOT, TRADES)) == "wss://stream.bybit.com/v5/public/spot"
    assert BYBIT.ws_endpoint(FUTURES, "public") == "wss://stream.bybit.com/v5/public/linear"


def test_commands_of_spot_hold_ten_topics():
    topics = [Topic(kind=TopicKind.TRADES, symbol=f"C{n}USDT") for n in range(23)]
    commands = BYBIT.subscribe(SPOT, topics, 1)
    assert [len(json.loads(command.frame)["args"]) for command in commands] == [10, 10, 3]
    assert json.loads(commands[1].frame)["req_id"] == "2"
    assert len(BYBIT.subscribe(FUTURES, topics, 1)) == 1
    [unsubscribe] = BYBIT.unsubscribe(SPOT, topics[:1], 9)
    assert json.loads(unsubscribe.frame) == {"req_id": "9", "op": "unsubscribe", "args": ["publicTrade.C0USDT"]}
    assert BYBIT.limits(SPOT).commands_in_flight == 1


def test_the_heartbeat_is_json():
    assert json.loads(str(BYBIT.heartbeat(SPOT).send))["op"] == "ping"


def test_a_broken_book_is_subscribed_anew():
    assert isinstance(BYBIT.rule(SPOT, 20), PlusOne)
    assert BYBIT.resync(FUTURES, 0) is Resync.RESUBSCRIBE


def answer(result, code=0):
    return json.dumps({"retCode": code, "retMsg": "text", "result": result}).encode()


def test_a_rest_book():
    request = BYBIT.snapshot_request(FUTURES, "BTCUSDT", 0)
    assert request.url == "https://api.bybit.com/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1000"
    result = {"s": "BTCUSDT", "b": [["1", "2"]], "a": [], "ts": 5, "u": 6, "seq": 7}
    assert BYBIT.parse_snapshot(FUTURES, "BTCUSDT", answer(result), 7) == BookSnapshot(
        symbol="BTCUSDT", seq=6, bids=[(1.0, 2.0)], asks=[], exchange_ms=5, received_ns=7, from_rest=True
    )
    with pytest.raises(MalformedFrame):
        BYBIT.parse_snapshot(FUTURES, "ETHUSDT", answer(result), 7)
    with pytest.raises(Refused) as refused:
        BYBIT.parse_snapshot(FUTURES, "NOPE", answer({}, 10001), 7)
    assert refused.value.code == "10001"


def test_an_answer_of_a_busy_server_may_be_asked_again():
    with pytest.raises(Retryable):
        BYBIT.parse_instruments(SPOT, answer({}, 10016))


def listing(**changes):
    row = {
        "symbol": "BTCPERP",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": "BTC",
        "quoteCoin": "USD",
        "settleCoin": "USDC",
        "isPreListing": False,
        "priceFilter": {"tickSize": "0.10"},
        "lotSizeFilter": {"qtyStep": "0.001", "minOrderQty": "0.001", "minNotionalValue": "5", "basePrecision": "0.01"},
    }
    return row | changes


def test_usdc_perpetuals_are_named_by_what_they_settle_in():
    [row] = BYBIT.parse_instruments(FUTURES, answer({"list": [listing()]})).instruments
    assert (row.pair, row.symbol, row.settle) == ("BTC/USDC", "BTCPERP", "USDC")


@pytest.mark.parametrize(
    "change",
    [
        {"contractType": "LinearFutures"},
        {"contractType": "InversePerpetual"},
        {"isPreListing": True},
        {"status": "PreLaunch"},
        {"priceFilter": {}},
    ],
)
def test_what_is_not_in_the_catalogue(change):
    assert BYBIT.parse_instruments(FUTURES, answer({"list": [listing(**change)]})).instruments == []


def test_an_unknown_status_is_not_tradable():
    [row] = BYBIT.parse_instruments(FUTURES, answer({"list": [listing(status="Surprise")]})).instruments
    assert row.status is InstrumentStatus.SUSPENDED


def test_pages_of_contracts_are_followed_and_spot_has_none():
    page = {"list": [], "nextPageCursor": "first%3DA"}
    following = BYBIT.parse_instruments(FUTURES, answer(page)).next_request
    assert following is not None
    assert following.url.endswith("instruments-info?category=linear&limit=1000&cursor=first%253DA")
    assert BYBIT.parse_instruments(FUTURES, answer({"list": [], "nextPageCursor": ""})).next_request is None
    assert BYBIT.parse_instruments(SPOT, answer(page)).next_request is None
    assert BYBIT.instruments_request(SPOT).url == "https://api.bybit.com/v5/market/instruments-info?category=spot"


def test_volumes_are_in_quote_currency():
    rows = {"list": [{"symbol": "BTCUSDT", "turnover24h": "12.5"}, {"symbol": "ODD"}]}
    assert BYBIT.parse_volumes(SPOT, answer(rows)) == {"BTCUSDT": 12.5}


@pytest.mark.parametrize(
    ("status", "body", "after_s"),
    [
        (403, b"access too frequent", 600.0),
        (429, b"", 5.0),
        (200, answer({}, 10006), 1.0),
        (200, answer({}), None),
        (502, b"<html>", None),
    ],
)
def test_how_long_to_stay_away(status, body, after_s):
    assert BYBIT.retry_after(status, {}, body) == after_s
