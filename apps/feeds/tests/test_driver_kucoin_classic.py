"""KuCoin's classic push, the fallback: hand-written frames, each with one thing to say."""

import json

import pytest

from apps.feeds.book.builder import BookBuilder, Changed, Dropped, NeedSnapshot
from apps.feeds.book.continuity import UpdateRange, WholeBooks
from apps.feeds.drivers.base import Ack, Closing, Event, Ignored, Pong, Resync, Topic, TopicKind, Welcome
from apps.feeds.drivers.kucoin.driver import Kucoin
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.errors import MalformedFrame, Refused
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
CLASSIC = Kucoin(Generation.CLASSIC)
BTC, XBT = "BTC-USDT", "XBTUSDTM"


def topics(symbol, kind=TopicKind.BOOK):
    return [Topic(kind=kind, symbol=symbol, depth=depth) for depth in (20, 50, 0)]


def parse(frame, market: MarketType = SPOT) -> list[Event]:
    return CLASSIC.parse(market, json.dumps(frame), 7)


def malformed(frame) -> MalformedFrame:
    with pytest.raises(MalformedFrame) as caught:
        parse(frame)
    return caught.value


def message(topic, **data):
    return {"type": "message", "topic": topic, "subject": "s", "data": data}


def changes(start, end, *, bids=(), asks=(), **more):
    told = {"symbol": BTC, "sequenceStart": start, "sequenceEnd": end, "time": 1729816425625}
    rows = {"bids": list(bids), "asks": list(asks)}
    return message(f"/market/level2:{BTC}", **(told | {"changes": rows} | more))


def change(sequence, told="100.5,buy,3"):
    return message(f"/contractMarket/level2:{XBT}", sequence=sequence, change=told, timestamp=1790113097240)


def deltas(*frames) -> list[BookDelta]:
    return [event for frame in frames for event in parse(frame) if isinstance(event, BookDelta)]


def spans(frame) -> list[tuple]:
    return [(event.first_seq, event.seq, event.bids, event.asks) for event in deltas(frame)]


def test_a_frame_of_one_change_is_one_update():
    assert parse(changes(11, 11, bids=[["100.0", "1.5", "11"]])) == [
        BookDelta(
            symbol=BTC,
            first_seq=11,
            seq=11,
            bids=[(100.0, 1.5)],
            asks=[],
            exchange_ms=1729816425625,
            received_ns=7,
        )
    ]


def test_a_frame_of_several_is_an_update_of_each_in_the_order_of_both_sides_together():
    frame = changes(11, 15, bids=[["100", "2", "14"], ["99", "1", "12"]], asks=[["101", "0", "13"]])
    assert spans(frame) == [
        (11, 12, [(99.0, 1.0)], []),
        (13, 13, [], [(101.0, 0.0)]),
        (14, 14, [(100.0, 2.0)], []),
        (15, 15, [], []),
    ]


def test_changes_of_one_sequence_are_one_update():
    assert spans(changes(11, 11, bids=[["100", "0", "11"]], asks=[["100", "1", "11"]])) == [
        (11, 11, [(100.0, 0.0)], [(100.0, 1.0)])
    ]


def test_price_zero_only_takes_a_number():
    assert spans(changes(11, 11, asks=[["0", "0", "11"]])) == [(11, 11, [], [])]
    assert spans(changes(11, 12)) == [(11, 12, [], [])]


def rest(sequence):
    book = {"sequence": str(sequence), "time": 1729176273859, "bids": [["99", "1"]], "asks": [["102", "1"]]}
    return CLASSIC.parse_snapshot(SPOT, BTC, json.dumps({"code": "200000", "data": book}).encode(), 7)


def waiting(*frames) -> BookBuilder:
    builder = BookBuilder(BTC, CLASSIC.rule(SPOT, 0))
    for event in deltas(*frames):
        builder.apply(event)
    return builder


def test_a_book_is_a_rest_snapshot_and_what_was_held_for_it():
    builder = waiting(changes(10, 10), changes(11, 12, bids=[["98", "1", "11"], ["97", "1", "12"]]))
    assert isinstance(builder.apply(rest(10)), Changed)
    assert (builder.seq, builder.book is not None and builder.book.bids_count) == (12, 3)
    assert CLASSIC.resync(SPOT, 0) is Resync.REST


def test_of_a_frame_that_overlaps_the_snapshot_only_the_newer_changes_apply():
    builder = waiting(changes(9, 12, bids=[["99", "7", "9"], ["98", "1", "11"]]))
    builder.apply(rest(10))
    assert builder.book is not None
    assert builder.book.top(0)[0] == [(99.0, 1.0), (98.0, 1.0)], "99 is as the snapshot says"
    assert builder.seq == 12


def test_a_snapshot_that_lags_the_stream_is_fetched_again():
    builder = waiting(changes(15, 15))
    assert builder.apply(rest(10)) == NeedSnapshot(reason="the snapshot 10 is older than what is held", gap=False)
    assert isinstance(builder.apply(rest(14)), Changed)
    assert builder.seq == 15


def test_a_frame_after_a_hole_drops_the_book_and_is_the_first_that_is_held():
    builder = waiting(changes(11, 11))
    builder.apply(rest(10))
    repeat, hole = deltas(changes(11, 11), changes(14, 14))
    assert isinstance(builder.apply(repeat), Dropped)
    assert builder.apply(hole) == NeedSnapshot(reason="gap: had 11, got 14", gap=True)
    assert isinstance(builder.apply(rest(13)), Changed)
    assert builder.seq == 14


def test_a_quiet_pair_is_live_at_its_snapshot():
    builder = waiting(changes(10, 10))
    assert isinstance(builder.apply(rest(10)), Changed)
    assert builder.seq == 10


@pytest.mark.parametrize(
    ("told", "bids", "asks"),
    [("100.5,buy,3", [(100.5, 3.0)], []), ("7.7e-06,sell,0", [], [(0.0000077, 0.0)]), ("0,sell,0", [], [])],
)
def test_futures_tell_one_level_a_frame(told, bids, asks):
    assert parse(change(12, told), FUTURES) == [
        BookDelta(symbol=XBT, first_seq=12, seq=12, bids=bids, asks=asks, exchange_ms=1790113097240, received_ns=7)
    ]


def test_whole_books_are_ordered_by_sequence_or_else_by_time():
    spot = message(f"/spotMarket/level2Depth50:{BTC}", bids=[["9", "1"]], asks=[], timestamp=1729822226746)
    assert parse(spot) == [
        BookSnapshot(
            symbol=BTC, seq=1729822226746, bids=[(9.0, 1.0)], asks=[], exchange_ms=1729822226746, received_ns=7
        )
    ]
    told = {"bids": [["9", 44]], "asks": [["10", 2]], "sequence": 12, "timestamp": 1731680249700, "ts": 1731680249700}
    [futures] = parse(message(f"/contractMarket/level2Depth50:{XBT}", **told), FUTURES)
    assert isinstance(futures, BookSnapshot)
    assert (futures.seq, futures.bids, futures.exchange_ms) == (12, [(9.0, 44.0)], 1731680249700)


def spot_trade(**changes):
    told = {
        "symbol": BTC,
        "side": "sell",
        "price": "100.5",
        "size": "2",
        "tradeId": "a1",
        "time": "1660608000026914990",
    }
    return message(f"/market/match:{BTC}", **(told | changes))


def test_trades_have_times_in_nanoseconds_as_text_or_number():
    print_ = PublicTrade(
        symbol=BTC, trade_id="a1", side=Side.SELL, price=100.5, amount=2.0, exchange_ms=1660608000026, received_ns=7
    )
    assert parse(spot_trade()) == [print_]
    told = {"symbol": XBT, "side": "buy", "price": "1.5", "size": 10, "tradeId": "7", "ts": 1705708799998000000}
    [trade] = parse(message(f"/contractMarket/execution:{XBT}", **told), FUTURES)
    assert isinstance(trade, PublicTrade)
    assert (trade.side, trade.amount, trade.exchange_ms) == (Side.BUY, 10.0, 1705708799998)


def test_a_time_in_milliseconds_is_taken_for_one():
    [trade] = parse(spot_trade(time=1660608000026))
    assert isinstance(trade, PublicTrade)
    assert trade.exchange_ms == 1660608000026


@pytest.mark.parametrize(
    "topic",
    ["/market/ticker:BTC-USDT", "/spotMarket/level2Depth5:BTC-USDT", "/spotMarket/level1:BTC-USDT",
     "/contract/announcement", "/contractMarket/tickerV2:XBTUSDTM"],
)  # fmt: skip
def test_documented_topics_that_are_not_ours_are_ignored(topic):
    assert parse(message(topic)) == [Ignored()]


def test_control_frames():
    assert parse({"id": "hQvf8jkno", "type": "welcome"}) == [Welcome()]
    assert parse({"id": "1545910590801", "type": "pong", "timestamp": 1790113097236506}) == [Pong()]
    assert parse({"id": "17", "type": "ack"}) == [Ack(ok=True, request_id="17")]
    assert parse({"id": "17", "type": "error", "code": 404, "data": "topic does not exist"}) == [
        Ack(ok=False, request_id="17", code="404", text="topic does not exist", whole_frame=True)
    ]


@pytest.mark.parametrize("code", [400, 401, 509])
def test_some_errors_are_the_end_of_the_socket(code):
    assert parse({"id": "1", "type": "error", "code": code, "data": "text"}) == [Closing("text")]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed(message(f"/spotMarket/level2Depth50:{BTC}", bids=[level], asks=[], timestamp=1)).symbol == BTC


@pytest.mark.parametrize("level", [level for level in BAD_LEVELS if level != ["0", "1"]])
def test_an_impossible_change_is_malformed_and_names_its_symbol(level):
    numbered = [*level, "11"] if isinstance(level, list) else level
    assert malformed(changes(11, 11, bids=[numbered])).symbol == BTC


@pytest.mark.parametrize(
    "frame",
    [
        changes(12, 11),
        changes(11, 11, bids=[["1", "1", "12"]]),
        changes(11, 11, asks=[["1", "1", "10"]]),
        changes(11, 11, bids=[["1", "1"]]),
        changes(11, 11, symbol="ETH-USDT"),
        changes(11, 11, changes={"bids": []}),
        change(12, "1,buy"),
        change(12, "1,buy,2,3"),
        change(12, "1,bid,2"),
        change(12, "nan,buy,2"),
        change(12, "1,buy,-2"),
        change(-1),
        spot_trade(symbol="ETH-USDT"),
        spot_trade(time=None),
        spot_trade(side="Sell"),
        message("/market/level2", symbol=BTC),
        message("/market/surprise:BTC-USDT"),
        {"topic": "/market/level2:BTC-USDT", "type": "message"},
        {"topic": "/market/level2:BTC-USDT", "type": "surprise"},
        {"type": "error", "id": "1"},
    ],
    ids=lambda frame: str(frame)[:80],
)
def test_a_surprise_is_malformed(frame):
    malformed(frame)


def test_depths():
    assert list(CLASSIC.depths(SPOT)) == [20, 50], "the full book of spot takes a signature"
    assert list(CLASSIC.depths(FUTURES)) == [20, 50, 0]
    assert isinstance(CLASSIC.rule(SPOT, 50), WholeBooks)
    assert isinstance(CLASSIC.rule(FUTURES, 0), UpdateRange)
    assert CLASSIC.resync(SPOT, 50) is Resync.RESUBSCRIBE
    assert [CLASSIC.stream(SPOT, topic) for topic in topics(BTC)] == [
        "/spotMarket/level2Depth50:BTC-USDT", "/spotMarket/level2Depth50:BTC-USDT", "/market/level2:BTC-USDT"
    ]  # fmt: skip


def test_a_frame_has_a_hundred_symbols_of_one_channel():
    wanted = [Topic(kind=kind, symbol=f"C{n}-USDT", depth=20) for n in range(101) for kind in TopicKind]
    commands = CLASSIC.subscribe(SPOT, wanted, 3)
    assert [len(command.topics) for command in commands] == [100, 1, 100, 1]
    assert [command.request_id for command in commands] == ["3", "4", "5", "6"]
    assert json.loads(commands[1].frame) == {
        "id": "4",
        "type": "subscribe",
        "topic": "/spotMarket/level2Depth50:C100-USDT",
        "privateChannel": False,
        "response": True,
    }
    [trades] = CLASSIC.unsubscribe(FUTURES, [Topic(kind=TopicKind.TRADES, symbol=symbol) for symbol in ("A", "B")], 1)
    assert json.loads(trades.frame)["topic"] == "/contractMarket/execution:A,B"
    assert json.loads(trades.frame)["type"] == "unsubscribe"


def bullet(**changes):
    server = {"endpoint": "wss://ws-api-spot.kucoin.com/", "encrypt": True, "pingInterval": 18000}
    return json.dumps({"code": "200000", "data": {"token": "a/b+c==", "instanceServers": [server]} | changes}).encode()


def test_every_socket_needs_a_token_of_its_markets_host():
    category = CLASSIC.category(SPOT, topics(BTC)[0])
    request = CLASSIC.token_request(FUTURES, category)
    assert request is not None
    assert (request.method, request.url, request.weight) == (
        "POST",
        "https://api-futures.kucoin.com/api/v1/bullet-public",
        10,
    )
    assert (
        CLASSIC.ws_endpoint(SPOT, category, bullet())
        == "wss://ws-api-spot.kucoin.com/?token=a%2Fb%2Bc%3D%3D&connectId=ct"
    )
    assert CLASSIC.limits(SPOT).greeted
    assert CLASSIC.limits(SPOT).connection_age_s == 84_600


@pytest.mark.parametrize(
    "told",
    [None, b"", bullet(token=""), bullet(instanceServers=[]), bullet(instanceServers=[{"endpoint": "http://x/?y"}])],
)
def test_without_a_token_there_is_no_socket(told):
    with pytest.raises(MalformedFrame):
        CLASSIC.ws_endpoint(SPOT, Generation.CLASSIC, told)


def test_a_token_that_is_refused_says_why():
    with pytest.raises(Refused, match="Too Many"):
        CLASSIC.ws_endpoint(SPOT, Generation.CLASSIC, b'{"code":"400100","msg":"Too Many"}')


def test_rest_books():
    urls = [CLASSIC.snapshot_request(SPOT, BTC, depth).url for depth in (20, 50, 0)]
    assert urls == [
        "https://api.kucoin.com/api/v1/market/orderbook/level2_20?symbol=BTC-USDT",
        "https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=BTC-USDT",
        "https://api.kucoin.com/api/v3/market/orderbook/level2?symbol=BTC-USDT",
    ]
    assert CLASSIC.snapshot_request(FUTURES, XBT, 0).url.endswith("/api/v1/level2/snapshot?symbol=XBTUSDTM")
    assert rest(10).exchange_ms == 1729176273859
    book = (
        b'{"code":"200000","data":{"sequence":7,"symbol":"X","bids":[[7.7e-06,2]],"asks":[],"ts":1729168101216000000}}'
    )
    futures = CLASSIC.parse_snapshot(FUTURES, "X", book, 7)
    assert (futures.seq, futures.bids, futures.exchange_ms) == (7, [(0.0000077, 2.0)], 1729168101216)
