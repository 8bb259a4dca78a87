"""MEXC spot: hand-written frames, each with one thing to say."""

import json

import pytest

from apps.feeds.book.continuity import VersionRange, WholeBooks
from apps.feeds.drivers.base import Ack, Ignored, Ping, Pong, Resync, Topic, TopicKind
from apps.feeds.drivers.mexc.driver import Mexc
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES
from apps.feeds.tests.proto_frames import Message, encoded

SPOT = MarketType.SPOT
MEXC = Mexc()
AGGRE, LIMIT, DEALS = 313, 303, 314  # the bodies' fields in the wrapper
DEPTH_CHANNEL = "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT"
LIMIT_CHANNEL = "spot@public.limit.depth.v3.api.pb@BTCUSDT@20"
DEALS_CHANNEL = "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"


def book(depth, symbol="BTCUSDT"):
    return Topic(kind=TopicKind.BOOK, symbol=symbol, depth=depth)


TRADES = Topic(kind=TopicKind.TRADES, symbol="BTCUSDT")


def push(channel: str, *body: tuple[int, Message], symbol: str = "BTCUSDT", sent_ms: int = 9) -> bytes:
    return encoded([(1, channel), (3, symbol), (6, sent_ms), *body])


def depths(*, bids: Message = ((2, [(1, "100.50"), (2, "1.5")]),), first="11", last="12", **kwargs) -> bytes:
    asks: Message = [(1, [(1, "101"), (2, "0")])]
    return push(DEPTH_CHANNEL, (AGGRE, [*asks, *bids, (3, "x"), (4, first), (5, last), (6, 8)]), **kwargs)


def deals(*rows: Message, **kwargs) -> bytes:
    return push(DEALS_CHANNEL, (DEALS, [*((1, row) for row in rows), (2, "x")]), **kwargs)


def deal(price="100.5", quantity="2", kind=2, time=8, number="7X0_8X0") -> Message:
    return [(1, price), (2, quantity), (3, kind), (4, time), (5, number)]


def parse(frame):
    return MEXC.parse(SPOT, frame if isinstance(frame, str | bytes) else json.dumps(frame, ensure_ascii=False), 7)


def malformed(frame):
    with pytest.raises(MalformedFrame) as caught:
        parse(frame)
    return caught.value


DELTA = BookDelta(
    symbol="BTCUSDT",
    first_seq=11,
    seq=12,
    bids=[(100.5, 1.5)],
    asks=[(101.0, 0.0)],
    exchange_ms=9,
    received_ns=7,
)


def test_a_difference_covers_a_range_of_versions():
    assert parse(depths()) == [DELTA]


def test_fields_may_come_in_any_order_and_unknown_ones_are_skipped():
    body: Message = [
        (5, "12"),
        (99, "new"),
        (2, [(2, "1.5"), (1, "100.50"), (7, 3)]),
        (4, "11"),
        (1, [(1, "101"), (2, "0")]),
    ]
    assert parse(encoded([(6, 9), (AGGRE, body), (77, "new"), (3, "BTCUSDT"), (1, DEPTH_CHANNEL)])) == [DELTA]


def test_the_faster_channel_says_the_same():
    frame = encoded(
        [(1, DEPTH_CHANNEL.replace("100ms", "10ms")), (3, "BTCUSDT"), (6, 9), (AGGRE, [(4, "11"), (5, "12")])]
    )
    [event] = parse(frame)
    assert (event.first_seq, event.seq, event.bids, event.asks) == (11, 12, [], [])


def test_a_push_without_a_body_is_normal():
    assert parse(push(DEPTH_CHANNEL)) == [Ignored()]


def test_a_symbol_may_be_told_by_the_channel_alone():
    [event] = parse(depths(symbol="", sent_ms=0))
    assert (event.symbol, event.exchange_ms) == ("BTCUSDT", None)


def test_a_whole_book_is_a_snapshot_of_its_version():
    body: Message = [(1, [(1, "101"), (2, "3")]), (2, [(1, "100"), (2, "2")]), (3, "x"), (4, "31"), (5, 8)]
    assert parse(push(LIMIT_CHANNEL, (LIMIT, body))) == [
        BookSnapshot(symbol="BTCUSDT", seq=31, bids=[(100, 2)], asks=[(101, 3)], exchange_ms=9, received_ns=7)
    ]


def test_trades_name_the_takers_side():
    assert parse(deals(deal(), deal(kind=1, number="9X0"))) == [
        PublicTrade(symbol="BTCUSDT", trade_id=number, side=side, price=100.5, amount=2.0, exchange_ms=8, received_ns=7)
        for number, side in (("7X0_8X0", Side.SELL), ("9X0", Side.BUY))
    ]


def test_documented_pushes_that_are_not_ours_are_ignored():
    for channel, body in (
        ("spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT", (315, [(1, "1"), (2, "2")])),
        ("spot@public.kline.v3.api.pb@BTCUSDT@Min1", (308, [(1, "Min1")])),
        ("spot@private.orders.v3.api.pb", (304, [(1, "C02__1")])),
    ):
        assert parse(push(channel, body)) == [Ignored()]


@pytest.mark.parametrize("level", [one for one in BAD_LEVELS if len(one) == 2 and all(isinstance(x, str) for x in one)])
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    price, amount = level
    assert malformed(depths(bids=[(2, [(1, price), (2, amount)])])).symbol == "BTCUSDT"


@pytest.mark.parametrize(
    "frame",
    [
        depths()[:-4],
        depths() + b"\x0b",
        depths(bids=[(2, b"\xff\xff")]),
        depths(bids=[(2, [(1, b"\xff\xfe"), (2, "1")])]),
        depths(bids=[(2, [(1, 100), (2, 1)])]),  # varints where texts belong
        depths(bids=[(2, [(1, "100")])]),
        depths(first="13"),
        depths(first=""),
        depths(last="x"),
        depths(last="-1"),
        depths(first="1_1"),
        depths(symbol="ETHUSDT"),
        depths(sent_ms=-5),
        depths(sent_ms=10**16),
        push(DEPTH_CHANNEL, (LIMIT, [(4, "31")])),
        push(LIMIT_CHANNEL, (AGGRE, [(4, "11"), (5, "12")])),
        push("spot@public.aggre.depth.v3.api.pb", (AGGRE, [(4, "11"), (5, "12")])),
        push("spot@public.aggre.depth", (AGGRE, [(4, "11"), (5, "12")])),
        push("futures@public.aggre.depth.v3.api.pb@100ms@BTCUSDT"),
        push(""),
        deals(deal(kind=3)),
        deals(deal(number="")),
        deals(deal(price="0")),
        deals(deal(quantity="")),
        deals(deal(time=-1)),
        deals(*[deal()] * 3_000),
        depths(bids=[(2, [(1, "100"), (2, "1")])] * 11_000),
        depths(bids=[(2, b"")] * 300_000),
        b"\x0a" + b"\xff" * 9,
    ],
    ids=lambda frame: f"{len(frame)}:{frame[-12:]!r}",
)
def test_a_push_that_is_not_as_documented_is_malformed(frame):
    malformed(frame)


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed(frame)


def test_an_acknowledgement_is_the_echo_of_its_topics():
    echo = f"{DEPTH_CHANNEL},{DEALS_CHANNEL}"
    assert parse({"id": 0, "code": 0, "msg": echo}) == [Ack(ok=True, topics=(DEPTH_CHANNEL, DEALS_CHANNEL))]
    assert parse(json.dumps({"id": 0, "code": 0, "msg": DEALS_CHANNEL}).encode()) == [
        Ack(ok=True, topics=(DEALS_CHANNEL,))
    ]


def test_a_refusal_says_code_zero_and_names_its_topics():
    text = f"Not Subscribed successfully! [{DEPTH_CHANNEL},{DEALS_CHANNEL}].  Reason： Blocked! "
    assert parse({"id": 0, "code": 0, "msg": text}) == [
        Ack(ok=False, topics=(DEPTH_CHANNEL, DEALS_CHANNEL), code="Blocked!", text=text)
    ]


def test_a_mixed_answer_accepts_some_and_refuses_others():
    text = (
        f"Subscribed successful! [{DEALS_CHANNEL}]. Not Subscribed successfully! [{DEPTH_CHANNEL}]. Reason： Blocked! "
    )
    assert parse({"id": 0, "code": 0, "msg": text}) == [
        Ack(ok=True, topics=(DEALS_CHANNEL,)),
        Ack(ok=False, topics=(DEPTH_CHANNEL,), code="Blocked!", text=text),
    ]


def test_other_answers_belong_to_no_topic():
    assert parse({"id": 0, "code": 0, "msg": "PONG"}) == [Pong()]
    for code, text in ((0, "msg format invalid"), (0, ""), (429, DEPTH_CHANNEL)):
        assert parse({"id": 0, "code": code, "msg": text}) == [Ack(ok=False, code=str(code), text=text)]
    assert parse("Invalid listen key") == [Ignored()]
    assert parse(b"Invalid listen key") == [Ignored()]


def test_both_sides_may_ask():
    assert parse({"method": "PING"}) == [Ping('{"method":"PONG"}')]
    assert MEXC.heartbeat(SPOT).send == '{"method":"PING"}'


def test_depths_and_how_their_books_continue():
    assert [MEXC.stream(SPOT, book(depth)) for depth in (20, 50, 0)] == [LIMIT_CHANNEL, DEPTH_CHANNEL, DEPTH_CHANNEL]
    assert MEXC.stream(SPOT, TRADES) == DEALS_CHANNEL
    assert [type(MEXC.rule(SPOT, depth)) for depth in (20, 50, 0)] == [WholeBooks, VersionRange, VersionRange]
    assert [MEXC.resync(SPOT, depth) for depth in (20, 50, 0)] == [Resync.RESUBSCRIBE, Resync.REST, Resync.REST]
    assert MEXC.ws_endpoint(SPOT, MEXC.category(SPOT, book(0))) == "wss://wbs-api.mexc.com/ws"
    assert MEXC.token_request(SPOT, "public") is None
    assert MEXC.snapshot_command(SPOT, book(0), 1) is None
    assert list(MEXC.depths(SPOT)) == [20, 50, 0]


def test_a_socket_of_pairs_has_no_more_than_thirty_subscriptions():
    limits = MEXC.limits(SPOT)
    assert limits.pairs_per_connection * 2 == 30
    topics = [make for n in range(15) for make in (book(0, f"COIN{n}USDT"), TRADES)]
    first, second = MEXC.subscribe(SPOT, topics, 3)
    assert [len(json.loads(command.frame)["params"]) for command in (first, second)] == [15, 15]
    assert max(len(command.frame) for command in (first, second)) <= limits.frame_bytes


def test_commands():
    [subscribe] = MEXC.subscribe(SPOT, [book(50, "龙虾USDT"), TRADES], 3)
    assert json.loads(subscribe.frame) == {
        "method": "SUBSCRIPTION",
        "params": ["spot@public.aggre.depth.v3.api.pb@100ms@龙虾USDT", DEALS_CHANNEL],
        "id": 3,
    }
    [unsubscribe] = MEXC.unsubscribe(SPOT, [TRADES], 4)
    assert json.loads(unsubscribe.frame) == {"method": "UNSUBSCRIPTION", "params": [DEALS_CHANNEL], "id": 4}
