"""MEXC futures: hand-written frames, each with one thing to say."""

import json

import pytest

from apps.feeds.book.continuity import VersionRange, WholeBooks
from apps.feeds.drivers.base import Ack, Closing, Ignored, Pong, Resync, Topic, TopicKind
from apps.feeds.drivers.mexc.driver import Mexc
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES

FUTURES = MarketType.FUTURES
MEXC = Mexc()
TRADES = Topic(kind=TopicKind.TRADES, symbol="BTC_USDT")


def book(depth):
    return Topic(kind=TopicKind.BOOK, symbol="BTC_USDT", depth=depth)


def parse(frame):
    return MEXC.parse(FUTURES, frame if isinstance(frame, str | bytes) else json.dumps(frame), 7)


def malformed(frame):
    with pytest.raises(MalformedFrame) as caught:
        parse(frame)
    return caught.value


def push(channel, data, symbol="BTC_USDT"):
    return {"symbol": symbol, "data": data, "channel": f"push.{channel}", "ts": 9}


def depth(**changes):
    data = {"cts": 8, "asks": [[101, 0, 0]], "bids": [[100.5, 3, 1]], "end": 12, "begin": 11, "version": 12}
    return push("depth", data | changes)


def deal(**changes):
    return {"p": 100.5, "v": 2, "T": 2, "O": 3, "M": 1, "t": 8, "i": "77", "cts": "8"} | changes


def test_merged_changes_cover_a_range_of_versions_and_count_contracts():
    assert parse(depth()) == [
        BookDelta(
            symbol="BTC_USDT",
            first_seq=11,
            seq=12,
            bids=[(100.5, 3.0)],
            asks=[(101.0, 0.0)],
            exchange_ms=8,
            received_ns=7,
        )
    ]


@pytest.mark.parametrize("begin", [None, 0])
def test_a_single_change_has_its_version_alone(begin):
    data = {"asks": [], "bids": [], "version": 12} | ({} if begin is None else {"begin": begin})
    [event] = parse(push("depth", data))
    assert (event.first_seq, event.seq, event.exchange_ms) == (12, 12, 9)


def test_numbers_may_be_spelt_in_any_way():
    [event] = parse(
        '{"symbol":"A_USDT","data":{"asks":[[0.080100,2868.000,1]],"bids":[[9.75E+4,25329.0000000000000000000000,58],'
        '[0.08009,0E+0,0]],"version":5},"channel":"push.depth","ts":9}'
    )
    assert (event.bids, event.asks) == ([(97500.0, 25329.0), (0.08009, 0.0)], [(0.0801, 2868.0)])


def test_a_full_push_is_a_snapshot():
    data = {"cts": 8, "asks": [[101, 4, 1]], "bids": [[100, 3, 6]], "version": 31}
    assert parse(push("depth.full", data)) == [
        BookSnapshot(symbol="BTC_USDT", seq=31, bids=[(100, 3)], asks=[(101, 4)], exchange_ms=8, received_ns=7)
    ]


def test_trades_come_in_a_list_and_came_alone():
    expected = [
        PublicTrade(
            symbol="BTC_USDT", trade_id="77", side=Side.SELL, price=100.5, amount=2.0, exchange_ms=8, received_ns=7
        )
    ]
    assert parse(push("deal", [deal()])) == parse(push("deal", deal(i=77))) == expected
    [buy] = parse(push("deal", [deal(T=1)]))
    assert buy.side is Side.BUY


def test_an_acknowledgement_names_nothing():
    for method in ("sub.depth", "sub.depth.full", "sub.deal", "unsub.depth", "usub.depth.full"):
        assert parse({"channel": f"rs.{method}", "data": "success", "ts": 5}) == [Ack(ok=True, nameless=True)]
    assert parse({"channel": "rs.sub.depth", "data": "no", "ts": "5"}) == [Ack(ok=False, nameless=True, text="no")]


def test_a_refusal_names_the_contract_and_so_each_of_its_topics():
    text = "Contract [BTC_USDT] not exists"
    assert parse({"channel": "rs.error", "data": text, "ts": 5}) == [
        Ack(ok=False, topics=("depth:BTC_USDT", "depth.full:BTC_USDT", "deal:BTC_USDT"), code="rs.error", text=text)
    ]
    assert {MEXC.stream(FUTURES, topic) for topic in (book(20), book(50), TRADES)} == {
        "depth:BTC_USDT",
        "depth.full:BTC_USDT",
        "deal:BTC_USDT",
    }


def test_another_error_belongs_to_the_command_in_flight():
    assert parse({"channel": "rs.error", "data": "param error", "ts": 5}) == [
        Ack(ok=False, nameless=True, code="rs.error", text="param error")
    ]
    assert MEXC.limits(FUTURES).commands_in_flight == 1


def test_a_goodbye_is_told_as_an_error():
    text = "more than 60 seconds no response, close the channel"
    assert parse({"channel": "rs.error", "data": text, "ts": 5}) == [Closing(text)]


def test_pong_and_what_is_not_ours():
    assert parse({"channel": "pong", "data": 5, "ts": 5}) == [Pong()]
    assert MEXC.heartbeat(FUTURES).send == '{"method":"ping"}'
    for channel in ("push.index.price", "push.funding.rate", "push.personal.order", "push.depth.step", "rs.login"):
        assert parse({"channel": channel, "data": {}, "ts": 5}) == [Ignored()]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed(depth(bids=[level])).symbol == "BTC_USDT"


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed(frame)


@pytest.mark.parametrize(
    "frame",
    [
        depth(begin=13),
        depth(version="x"),
        depth(version=-1),
        depth() | {"symbol": ""},
        depth() | {"ts": "x"},
        {"data": {"version": 5}, "channel": "push.depth", "ts": 9},
        push("depth", []),
        push("depth", {"bids": []}),
        push("deal", [deal(T=3)]),
        push("deal", [deal(p="-1")]),
        push("deal", [deal(i="x")]),
        push("deal", [deal(v=0)]),
        push("deal", "text"),
        push("deal", [deal()] * 3_000),
        push("surprise", {}),
        {"channel": "rs.surprise", "data": "success"},
        {"channel": "rs.error", "data": {}},
        {"channel": "rs.sub.depth", "data": 1},
        {"method": "ping"},
    ],
    ids=lambda frame: str(frame)[:70],
)
def test_a_surprise_is_malformed(frame):
    malformed(frame)


def test_depths_and_how_their_books_continue():
    assert [type(MEXC.rule(FUTURES, depth)) for depth in (20, 50, 0)] == [WholeBooks, VersionRange, VersionRange]
    assert [MEXC.resync(FUTURES, depth) for depth in (20, 50, 0)] == [Resync.RESUBSCRIBE, Resync.REST, Resync.REST]
    assert MEXC.ws_endpoint(FUTURES, MEXC.category(FUTURES, book(0))) == "wss://contract.mexc.com/edge"


def test_one_contract_per_frame():
    commands = MEXC.subscribe(FUTURES, [book(20), book(0), TRADES], 3)
    assert [command.request_id for command in commands] == ["3", "4", "5"]
    assert [json.loads(command.frame) for command in commands] == [
        {"method": "sub.depth.full", "param": {"symbol": "BTC_USDT", "limit": 20}},
        {"method": "sub.depth", "param": {"symbol": "BTC_USDT"}},
        {"method": "sub.deal", "param": {"symbol": "BTC_USDT"}},
    ]
    commands = MEXC.unsubscribe(FUTURES, [book(20), TRADES], 3)
    assert [json.loads(command.frame)["method"] for command in commands] == ["unsub.depth.full", "unsub.deal"]
