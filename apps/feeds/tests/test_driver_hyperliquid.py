"""Hyperliquid: hand-written frames, each with one thing to say."""

import json
from decimal import Decimal

import pytest

from apps.feeds.book.continuity import WholeBooks
from apps.feeds.drivers.base import Ack, Event, Ignored, Pong, Resync, Topic, TopicKind
from apps.feeds.drivers.hyperliquid.driver import Hyperliquid
from apps.feeds.errors import MalformedFrame, Refused
from apps.feeds.market import BookSnapshot, InstrumentStatus, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import NOT_FRAMES

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
DEX = Hyperliquid()
BOOK = Topic(kind=TopicKind.BOOK, symbol="kPEPE", depth=20)
TRADES = Topic(kind=TopicKind.TRADES, symbol="@107")


def parse(frame) -> list[Event]:
    return DEX.parse(FUTURES, frame if isinstance(frame, str | bytes) else json.dumps(frame), 7)


def level(price="100.0", size="1.5"):
    return {"px": price, "sz": size, "n": 3}


def book(**changes):
    data = {"coin": "BTC", "time": 9, "levels": [[level(), level("99")], [level("101", "2")]]}
    return {"channel": "l2Book", "data": data | changes}


def trade(**changes):
    row = {"coin": "@107", "side": "A", "px": "35.5", "sz": "2", "time": 8, "hash": "0x00", "tid": 1045359869404765}
    return {"channel": "trades", "data": [row | {"users": ["0x1", "0x2"]} | changes]}


def error(text):
    return {"channel": "error", "data": text}


def test_every_book_is_whole_and_its_time_stands_for_a_sequence():
    assert parse(book()) == [
        BookSnapshot(
            symbol="BTC",
            seq=9,
            bids=[(100.0, 1.5), (99.0, 1.5)],
            asks=[(101.0, 2.0)],
            exchange_ms=9,
            received_ns=7,
        )
    ]


def test_a_fast_book_is_told_by_its_window():
    [event] = parse(book(fast=True))
    assert isinstance(event, BookSnapshot)
    assert event.window == 5


@pytest.mark.parametrize("changes", [{"levels": [[], []]}, {"spread": "0.5"}])
def test_an_empty_market_and_levels_in_steps_are_no_book(changes):
    assert parse(book(**changes)) == [Ignored()]


def test_a_side_alone_is_a_book():
    [event] = parse(book(levels=[[], [level()]]))
    assert isinstance(event, BookSnapshot)
    assert (event.bids, event.asks) == ([], [(100.0, 1.5)])


def test_prints_carry_the_takers_side_and_their_own_ids():
    assert parse(trade()) == [
        PublicTrade(
            symbol="@107",
            trade_id="1045359869404765",
            side=Side.SELL,
            price=35.5,
            amount=2.0,
            exchange_ms=8,
            received_ns=7,
        )
    ]
    [event] = parse(trade(side="B"))
    assert isinstance(event, PublicTrade)
    assert event.side is Side.BUY


def test_commands_name_one_stream_each():
    first, second = DEX.subscribe(SPOT, [BOOK, TRADES], 4)
    assert json.loads(first.frame) == {"method": "subscribe", "subscription": {"type": "l2Book", "coin": "kPEPE"}}
    assert json.loads(second.frame) == {"method": "subscribe", "subscription": {"type": "trades", "coin": "@107"}}
    assert [(one.request_id, one.topics) for one in (first, second)] == [("4", (BOOK,)), ("5", (TRADES,))]
    [gone] = DEX.unsubscribe(SPOT, [BOOK], 6)
    assert json.loads(gone.frame) == {"method": "unsubscribe", "subscription": {"type": "l2Book", "coin": "kPEPE"}}


@pytest.mark.parametrize("method", ["subscribe", "unsubscribe"])
def test_an_answer_is_matched_by_type_and_coin_whatever_it_adds(method):
    subscription = {"type": "l2Book", "coin": "kPEPE", "nSigFigs": None, "mantissa": None, "fast": False}
    [ack] = parse({"channel": "subscriptionResponse", "data": {"method": method, "subscription": subscription}})
    assert ack == Ack(ok=True, topics=(DEX.stream(SPOT, BOOK),))


def test_what_runs_already_is_said_so():
    [ack] = parse(error('Already subscribed: {"type":"trades","coin":"@107","fast":false}'))
    assert isinstance(ack, Ack)
    assert (ack.ok, ack.already, ack.topics) == (False, True, (DEX.stream(SPOT, TRADES),))


def test_what_is_gone_already_counts_as_unsubscribed():
    assert parse(error('Already unsubscribed: {"type":"trades","coin":"@107"}')) == [
        Ack(ok=True, topics=(DEX.stream(SPOT, TRADES),))
    ]


def test_a_command_that_is_not_understood_is_refused_by_the_topic_it_repeats():
    frame = DEX.subscribe(SPOT, [BOOK], 1)[0].frame
    text = f"Error parsing JSON into valid websocket request: {frame}"
    assert parse(error(text)) == [Ack(ok=False, topics=(DEX.stream(SPOT, BOOK),), code="not understood", text=text)]
    others = 'Error parsing JSON into valid websocket request: {"method":"subscribe","subscription":{"coin":["A"]}}'
    assert parse(error(others)) == [Ignored()]


def test_heartbeats_and_greetings():
    assert parse({"channel": "pong"}) == [Pong()]
    assert parse("Websocket connection established.") == [Ignored()]
    assert DEX.heartbeat(SPOT).send == '{"method":"ping"}'


@pytest.mark.parametrize("channel", ["bbo", "activeAssetCtx", "candle", "post", "userFills"])
def test_documented_frames_that_carry_nothing_for_us(channel):
    assert parse({"channel": channel, "data": {}}) == [Ignored()]


@pytest.mark.parametrize(
    "frame", [*NOT_FRAMES, {"channel": "l3Book", "data": {}}, error("Server on fire"), error(None)]
)
def test_what_is_not_documented_is_malformed(frame):
    with pytest.raises(MalformedFrame):
        parse(frame)


@pytest.mark.parametrize(
    "changes",
    [
        {"coin": ""},
        {"coin": None},
        {"time": -1},
        {"time": "soon"},
        {"levels": [[level()]]},
        {"levels": [[level()] * 10_001, []]},
        {"levels": [[level("0")], []]},
        {"levels": [[level("NaN")], []]},
        {"levels": [[level("1", "-1")], []]},
        {"levels": [[level("1", "1e400")], []]},
        {"levels": [[["1", "1"]], []]},
        {"levels": None},
    ],
)
def test_a_book_with_anything_wrong_in_it_is_malformed(changes):
    with pytest.raises(MalformedFrame):
        parse(book(**changes))


@pytest.mark.parametrize(
    "changes", [{"side": "S"}, {"px": "0"}, {"sz": "0"}, {"tid": "x"}, {"tid": 2**63}, {"coin": 1}]
)
def test_a_print_with_anything_wrong_in_it_is_malformed(changes):
    with pytest.raises(MalformedFrame):
        parse(trade(**changes))


# REST


def test_every_question_is_a_post_that_says_what_it_is_in_json():
    asked = DEX.snapshot_request(SPOT, "@107", 20)
    assert (asked.method, asked.url, asked.weight) == ("POST", "https://api.hyperliquid.xyz/info", 2)
    assert asked.headers == {"Content-Type": "application/json"}
    assert json.loads(asked.body) == {"type": "l2Book", "coin": "@107"}
    assert json.loads(DEX.instruments_request(FUTURES).body) == {"type": "meta"}
    assert json.loads(DEX.volumes_request(SPOT).body) == {"type": "spotMetaAndAssetCtxs"}


def test_a_snapshot_is_the_book_of_the_coin_that_was_asked_for():
    answer = json.dumps(book()["data"]).encode()
    snapshot = DEX.parse_snapshot(FUTURES, "BTC", answer, 3)
    assert (snapshot.seq, snapshot.from_rest, snapshot.received_ns) == (9, True, 3)
    assert snapshot.bids[0] == (100.0, 1.5)
    with pytest.raises(MalformedFrame, match="'BTC' in answer to ETH"):
        DEX.parse_snapshot(FUTURES, "ETH", answer, 3)
    with pytest.raises(Refused, match="no such coin: NOPE"):
        DEX.parse_snapshot(FUTURES, "NOPE", b"null", 3)


def test_perpetuals_are_named_by_coin_and_settle_in_usdc():
    rows = [
        {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10, "marginTableId": 1},
        {"name": "MATIC", "szDecimals": 1, "maxLeverage": 20, "isDelisted": True},
    ]
    kilo, gone = DEX.parse_instruments(FUTURES, json.dumps({"universe": rows, "marginTables": []}).encode()).instruments
    assert (kilo.symbol, kilo.pair, kilo.settle) == ("kPEPE", "KPEPE/USDC", "USDC")
    assert (kilo.tick, kilo.lot, kilo.contract_size) == (Decimal("0.000001"), Decimal(1), Decimal(1))
    assert (kilo.min_notional, kilo.status) == (Decimal(10), InstrumentStatus.TRADING)
    assert (gone.tick, gone.lot, gone.status) == (Decimal("0.00001"), Decimal("0.1"), InstrumentStatus.DELISTED)


TOKENS = [
    {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0},
    {"name": "PURR", "szDecimals": 0, "weiDecimals": 5, "index": 1},
    {"name": "UBTC", "szDecimals": 5, "weiDecimals": 10, "index": 197},
    {"name": "PURR", "szDecimals": 2, "weiDecimals": 5, "index": 300},
]
PAIRS = [
    {"name": "@9", "tokens": [300, 0], "index": 9, "isCanonical": False},
    {"name": "PURR/USDC", "tokens": [1, 0], "index": 0, "isCanonical": True},
    {"name": "@142", "tokens": [197, 0], "index": 142, "isCanonical": False},
    {"name": "#7", "tokens": [1, 0], "index": 7, "isCanonical": False},
]


def spot_list(tokens=TOKENS, pairs=PAIRS) -> bytes:
    return json.dumps({"tokens": tokens, "universe": pairs}).encode()


def test_spot_pairs_are_named_by_their_tokens_and_asked_for_by_their_index():
    listed = {row.pair: row for row in DEX.parse_instruments(SPOT, spot_list()).instruments}
    assert {pair: row.symbol for pair, row in listed.items()} == {
        "PURR/USDC": "PURR/USDC",
        "PURR@9/USDC": "@9",
        "BTC/USDC": "@142",
    }
    assert (listed["BTC/USDC"].tick, listed["BTC/USDC"].lot) == (Decimal("0.001"), Decimal("0.00001"))


def test_a_pair_of_a_token_that_is_not_listed_is_malformed():
    with pytest.raises(MalformedFrame, match="no token 0"):
        DEX.parse_instruments(SPOT, spot_list(tokens=TOKENS[1:]))


def test_volumes_of_perpetuals_go_by_position_and_those_of_spot_by_name():
    universe = {"universe": [{"name": "BTC", "szDecimals": 5}, {"name": "ETH", "szDecimals": 4}]}
    futures = json.dumps([universe, [{"dayNtlVlm": "12.5"}, {"dayNtlVlm": None}]]).encode()
    assert DEX.parse_volumes(FUTURES, futures) == {"BTC": 12.5}
    spot = json.dumps([json.loads(spot_list()), [{"coin": "@142", "dayNtlVlm": "7"}]]).encode()
    assert DEX.parse_volumes(SPOT, spot) == {"@142": 7.0}
    with pytest.raises(MalformedFrame, match="2 markets and 1 contexts"):
        DEX.parse_volumes(FUTURES, json.dumps([universe, [{"dayNtlVlm": "12.5"}]]).encode())


def test_only_too_many_requests_keep_us_away():
    assert DEX.retry_after(429, {}, b"") == 10.0
    assert DEX.retry_after(500, {}, b"null") is None
    assert DEX.retry_after(422, {}, b"Failed to deserialize the JSON body into the target type") is None


# What the transport is told


def test_twenty_levels_are_all_there_is():
    assert list(DEX.depths(SPOT)) == list(DEX.depths(FUTURES)) == [20]
    assert isinstance(DEX.rule(SPOT, 20), WholeBooks)
    assert DEX.resync(SPOT, 20) is Resync.REST


@pytest.mark.parametrize("market", MarketType)
def test_ten_sockets_of_fifty_pairs_use_up_an_address(market):
    limits = DEX.limits(market)
    assert limits.connections is not None
    assert 2 * limits.connections * limits.pairs_per_connection <= 1000
    assert limits.connections * limits.commands.count <= 2000
    assert limits.closes_within_s is not None
    assert DEX.ws_endpoint(market, DEX.category(market, BOOK)) == "wss://api.hyperliquid.xyz/ws"
