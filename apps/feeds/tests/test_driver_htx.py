"""HTX's sockets: hand-written frames, each with one thing to say."""

import gzip
import json

import pytest

from apps.feeds.book.continuity import ExactlyPlusOne, PreviousSequence, WholeBooks
from apps.feeds.drivers.base import Ack, Closing, Ignored, Ping, Resync, Topic, TopicKind
from apps.feeds.drivers.htx.driver import Htx
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side
from apps.feeds.simulator.htx.exchange import SUBSCRIBES
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
HTX = Htx()


def book(symbol, depth):
    return Topic(kind=TopicKind.BOOK, symbol=symbol, depth=depth)


def trades(symbol):
    return Topic(kind=TopicKind.TRADES, symbol=symbol)


def parse(frame, market=SPOT):
    return HTX.parse(market, frame if isinstance(frame, str | bytes) else json.dumps(frame), 7)


def malformed(frame, market=SPOT):
    with pytest.raises(MalformedFrame) as caught:
        parse(frame, market)
    return caught.value


def push(channel, **tick):
    return {"ch": f"market.{channel}", "ts": 9, "tick": tick}


def differences(**changes):
    tick = {"seqNum": 12, "prevSeqNum": 10, "bids": [[100.5, 1]], "asks": [[101, 0.0]]}
    return push("btcusdt.mbp.150", **tick | changes)


def contract(event="update", **changes):
    tick = {"event": event, "version": 5, "bids": [[100.5, 3]], "asks": [], "mrid": 77, "ts": 8, "id": 77}
    return push("BTC-USDT.depth.size_150.high_freq", **tick | changes)


def without(frame, key):
    return frame | {"tick": {name: value for name, value in frame["tick"].items() if name != key}}


DELTA = BookDelta(
    symbol="btcusdt",
    seq=12,
    prev_seq=10,
    bids=[(100.5, 1.0)],
    asks=[(101.0, 0.0)],
    exchange_ms=9,
    received_ns=7,
)


def test_differences_of_spot_are_chained_by_their_numbers():
    assert parse(differences()) == [DELTA]


def test_frames_come_packed_and_are_read_unpacked_as_well():
    text = json.dumps(differences())
    assert parse(gzip.compress(text.encode())) == parse(text) == parse(text.encode()) == [DELTA]


def test_keys_may_come_in_any_order_and_spacing():
    assert parse(dict(reversed(differences().items()))) == [DELTA]
    assert parse(json.dumps(differences(), separators=(",", ":"))) == [DELTA]


def test_a_bomb_and_a_torn_frame_are_refused_unread():
    packed = gzip.compress(json.dumps(differences()).encode())
    for frame in (gzip.compress(b" " * 5_000_000), packed[:-3], packed + b"x", b"\x1f\x8b\x08", b"\x00\x01"):
        malformed(frame)


def test_a_narrow_channel_leaves_out_the_side_that_did_not_change():
    [event] = parse(without(differences(), "bids") | {"ch": "market.btcusdt.mbp.5"})
    assert (event.bids, event.asks) == ([], [(101.0, 0.0)])


def test_an_empty_push_still_moves_the_number():
    [event] = parse(differences(bids=[], asks=[]))
    assert (event.prev_seq, event.seq, event.bids, event.asks) == (10, 12, [], [])


def test_numbers_in_exponent_form_are_levels():
    [event] = parse('{"ch":"market.aidogeusdt.mbp.150","ts":9,"tick":{"seqNum":2,"prevSeqNum":1,"bids":[],'
                    '"asks":[[9.486E-11,5.4329174972728E12],[9.488E-11,0.0]]}}')  # fmt: skip
    assert event.asks == [(9.486e-11, 5.4329174972728e12), (9.488e-11, 0.0)]


@pytest.mark.parametrize("channel", ["mbp.refresh.20", "depth.step0"])
def test_whole_books_of_spot_are_ordered_by_the_number_of_their_channel(channel):
    [event] = parse(push(f"btcusdt.{channel}", seqNum=31, version=31, bids=[[1, 2]], asks=[]))
    assert event == BookSnapshot(symbol="btcusdt", seq=31, bids=[(1, 2)], asks=[], exchange_ms=9, received_ns=7)


def test_whole_books_of_contracts_are_ordered_by_mrid_because_their_version_is_a_time():
    for channel in ("depth.step0", "depth.step6"):
        [event] = parse(push(f"BTC-USDT.{channel}", mrid=5, version=1645289384, bids=[[1, 2]], asks=[]), FUTURES)
        assert (event.seq, event.symbol, event.restarts) == (5, "BTC-USDT", False)


def test_the_first_push_of_a_contract_is_a_snapshot_and_restarts_the_count():
    assert parse(contract("snapshot"), FUTURES) == [
        BookSnapshot(symbol="BTC-USDT", seq=5, bids=[(100.5, 3)], asks=[], exchange_ms=9, received_ns=7, restarts=True)
    ]


def test_a_snapshot_of_a_dead_contract_may_have_no_sides():
    [event] = parse(push("BCH_NQ.depth.size_150.high_freq", event="snapshot", version=5), FUTURES)
    assert (event.symbol, event.bids, event.asks) == ("BCH_NQ", [], [])


def test_an_update_of_a_contract_counts_contracts():
    [event] = parse(contract(), FUTURES)
    assert event == BookDelta(symbol="BTC-USDT", seq=5, bids=[(100.5, 3.0)], asks=[], exchange_ms=9, received_ns=7)


def test_the_answer_to_a_request_is_a_snapshot_that_was_asked_for():
    reply = {"id": "4", "rep": "market.btcusdt.mbp.150", "status": "ok", "ts": 6}
    [event] = parse(reply | {"data": {"seqNum": 10, "bids": [[1, 2]], "asks": []}})
    assert event == BookSnapshot(
        symbol="btcusdt", seq=10, bids=[(1, 2)], asks=[], exchange_ms=6, received_ns=7, from_rest=True
    )
    assert parse(reply | {"data": None}) == [Ack(ok=False, request_id="4", text="no snapshot yet")]


def test_the_answer_to_a_request_for_history_is_not_ours():
    assert parse({"id": "4", "rep": "market.btcusdt.trade.detail", "status": "ok", "data": [{}]}) == [Ignored()]


def test_a_spot_trade_has_an_id_beside_the_one_that_no_integer_holds():
    row = {"ts": 8, "tradeId": 103, "amount": 0.5, "price": 100.5, "direction": "sell", "isRpiTrade": False}
    expected = PublicTrade(
        symbol="btcusdt", trade_id="103", side=Side.SELL, price=100.5, amount=0.5, exchange_ms=8, received_ns=7
    )
    for number in ("1925822546881664607926422813", 1925822546881664607926422813):
        assert parse(push("btcusdt.trade.detail", id=1, ts=8, data=[row | {"id": number}])) == [expected]


@pytest.mark.parametrize(("direction", "side"), [("buy", Side.BUY), ("sell", Side.SELL), ("", Side.UNKNOWN)])
def test_a_trade_of_a_contract_may_not_say_who_took(direction, side):
    row = {"id": 660977160620000, "ts": 8, "amount": 2, "quantity": 0.99, "price": 20.16, "direction": direction}
    [trade] = parse(push("ICP-USDT.trade.detail", id=66, ts=8, data=[row]), FUTURES)
    assert (trade.trade_id, trade.side, trade.amount) == ("660977160620000", side, 2.0)


@pytest.mark.parametrize(
    ("frame", "reply"),
    [
        ({"ping": 1786563068868}, {"pong": 1786563068868}),
        ({"action": "ping", "data": {"ts": 1575537778295}}, {"action": "pong", "data": {"ts": 1575537778295}}),
        ({"op": "ping", "ts": "1492420473058"}, {"op": "pong", "ts": "1492420473058"}),
        ({"op": "ping", "ts": 1492420473058}, {"op": "pong", "ts": 1492420473058}),
    ],
)
def test_each_kind_of_socket_asks_in_its_words_and_is_answered_in_them(frame, reply):
    [event] = parse(frame)
    assert isinstance(event, Ping)
    assert json.loads(event.reply) == reply


def test_nothing_is_sent_to_ask_for_life():
    assert (HTX.heartbeat(SPOT).send, HTX.heartbeat(FUTURES).listens) == (None, True)


def test_acknowledgements_name_their_topic_and_their_request():
    topic = "market.btcusdt.mbp.150"
    assert topic == HTX.stream(SPOT, book("btcusdt", 50))
    assert parse({"id": "1", "status": "ok", "subbed": topic, "ts": 5}) == [
        Ack(ok=True, request_id="1", topics=(topic,))
    ]
    assert parse({"id": 15, "status": "ok", "unsubbed": topic, "ts": 5}) == [
        Ack(ok=True, request_id="15", topics=(topic,))
    ]


def test_a_refusal_names_its_request():
    text = "invalid mbp.150.symbol linkusdt"
    assert parse({"status": "error", "err-code": "bad-request", "err-msg": text, "id": "2", "ts": 5}) == [
        Ack(ok=False, request_id="2", code="bad-request", text=text)
    ]


def test_frames_of_sockets_with_a_key():
    assert parse({"op": "close", "ts": 1}) == [Closing("close")]
    for frame in (
        {"op": "error", "ts": 1},
        {"op": "notify", "topic": "orders", "status": 6, "ts": 1},
        {"action": "sub", "code": 2002, "ch": "accounts.update#2", "message": "invalid.auth.state"},
    ):
        assert parse(frame) == [Ignored()]


def test_documented_channels_that_are_not_ours_are_ignored():
    for channel in ("bbo", "detail", "kline.1min", "depth.step3", "ticker", "basis.1min.close"):
        assert parse(push(f"btcusdt.{channel}")) == [Ignored()]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed(differences(bids=[level])).symbol == "btcusdt"


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed(frame)


@pytest.mark.parametrize(
    "frame",
    [
        differences(seqNum=9),
        differences(seqNum=-1),
        without(differences(), "seqNum"),
        without(differences(), "prevSeqNum"),
        {**differences(), "ts": "x"},
        push("btcusdt.mbp.refresh.20", bids=[], asks=[]),
        push("btcusdt.depth.step0", mrid=5, bids=[], asks=[]),
        push("btcusdt.surprise"),
        push("btcusdt"),
        push("BTC-USDT.depth.size_150.high_freq", version=5, event="update"),  # of contracts
        {**differences(), "ch": "index.btcusdt.mbp.150"},
        '{"ch":"market.a.mbp.150","ch":"market.b.mbp.150","ts":1,"tick":{"seqNum":2,"prevSeqNum":1}}',
        '{"ch":"market.a.bbo","ch":"market.b.mbp.150","ts":1,"tick":{}}',
        push("btcusdt.trade.detail", data=[{"id": 1, "ts": 8, "price": 1, "amount": 1, "direction": "up"}]),
        push("btcusdt.trade.detail", data=[{"id": 10**25, "ts": 8, "price": 1, "amount": 1, "direction": "buy"}]),
        {"rep": "market.btcusdt.mbp.150", "id": "4", "status": "ok", "ts": 6, "data": {"bids": []}},
        {"op": "surprise"},
        {"op": "ping"},
        {"action": "ping"},
        {"status": "ok"},
        {"id": "3", "subbed": "market.btcusdt.mbp.150"},
    ],
    ids=lambda frame: str(frame)[:70],
)
def test_a_surprise_is_malformed(frame):
    malformed(frame)


@pytest.mark.parametrize(
    "frame",
    [
        contract("replace"),
        without(contract(), "version"),
        without(contract(), "event"),
        push("BTC-USDT.depth.step0", mrid=5, event="snapshot", bids=[], asks=[]),
        push("BTC-USDT.mbp.150", seqNum=2, prevSeqNum=1),
    ],
    ids=lambda frame: str(frame)[:70],
)
def test_a_surprise_of_contracts_is_malformed(frame):
    malformed(frame, FUTURES)


def test_spot_has_two_sockets_and_contracts_one():
    feed, market = "wss://api.huobi.pro/feed", "wss://api.huobi.pro/ws"
    where = {depth: HTX.ws_endpoint(SPOT, HTX.category(SPOT, book("btcusdt", depth))) for depth in HTX.depths(SPOT)}
    assert where == {20: market, 50: feed, 0: feed}
    assert HTX.ws_endpoint(SPOT, HTX.category(SPOT, trades("btcusdt"))) == market
    topics = [trades("BTC-USDT"), *(book("BTC-USDT", depth) for depth in HTX.depths(FUTURES))]
    assert {HTX.ws_endpoint(FUTURES, HTX.category(FUTURES, topic)) for topic in topics} == {
        "wss://api.hbdm.com/linear-swap-ws"
    }
    assert HTX.token_request(SPOT, "feed") is None


def test_depths_and_how_their_books_continue():
    assert [HTX.stream(SPOT, book("BTCUSDT", depth)) for depth in (20, 50, 0)] == [
        "market.btcusdt.mbp.refresh.20",
        "market.btcusdt.mbp.150",
        "market.btcusdt.mbp.400",
    ]
    assert [HTX.stream(FUTURES, book("btc-usdt", depth)) for depth in (20, 50, 0)] == [
        "market.BTC-USDT.depth.size_20.high_freq",
        "market.BTC-USDT.depth.size_150.high_freq",
        "market.BTC-USDT.depth.size_150.high_freq",
    ]
    assert [type(HTX.rule(SPOT, depth)) for depth in (20, 50, 0)] == [WholeBooks, PreviousSequence, PreviousSequence]
    assert [HTX.rule(SPOT, depth).keep for depth in (20, 50, 0)] == [None, 150, 400]
    assert {type(HTX.rule(FUTURES, depth)) for depth in (20, 50, 0)} == {ExactlyPlusOne}
    assert [HTX.resync(SPOT, depth) for depth in (20, 50, 0)] == [Resync.RESUBSCRIBE, Resync.SOCKET, Resync.SOCKET]
    assert HTX.resync(FUTURES, 0) is Resync.RESUBSCRIBE


def test_one_topic_per_frame_and_a_contract_repeats_its_data_type():
    first, second = HTX.subscribe(SPOT, [book("btcusdt", 50), trades("btcusdt")], 3)
    assert json.loads(first.frame) == {"sub": "market.btcusdt.mbp.150", "id": "3"}
    assert json.loads(second.frame) == {"sub": "market.btcusdt.trade.detail", "id": "4"}
    for make, verb in ((HTX.subscribe, "sub"), (HTX.unsubscribe, "unsub")):
        [deep, tape] = make(FUTURES, [book("BTC-USDT", 20), trades("BTC-USDT")], 5)
        channel = "market.BTC-USDT.depth.size_20.high_freq"
        assert json.loads(deep.frame) == {verb: channel, "id": "5", "data_type": "incremental"}
        assert json.loads(tape.frame) == {verb: "market.BTC-USDT.trade.detail", "id": "6"}


def test_a_snapshot_of_differences_is_asked_for_by_their_own_name():
    assert json.loads(HTX.snapshot_command(SPOT, book("btcusdt", 0), 9) or "") == {
        "req": "market.btcusdt.mbp.400",
        "id": "9",
    }
    for market, topic in ((SPOT, book("btcusdt", 20)), (SPOT, trades("btcusdt")), (FUTURES, book("BTC-USDT", 0))):
        assert HTX.snapshot_command(market, topic, 9) is None


def test_subscribes_that_a_pause_of_the_network_holds_up_arrive_together_and_within_the_limit():
    limits, (most, window_s) = HTX.limits(MarketType.FUTURES), SUBSCRIBES
    assert limits.commands_in_flight is not None
    assert limits.commands_in_flight + limits.commands.count / limits.commands.per_s * window_s <= most
