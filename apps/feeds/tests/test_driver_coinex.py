"""CoinEx: hand-written frames, each with one thing to say."""

import gzip
import json
import zlib
from decimal import Decimal

import pytest

from apps.feeds.book.builder import BookBuilder, Changed, NeedSnapshot
from apps.feeds.book.checksum import SideAfterSide
from apps.feeds.book.continuity import ChecksumOnly
from apps.feeds.drivers.base import Ack, Event, Ignored, Pong, Resync, Topic, TopicKind
from apps.feeds.drivers.coinex.driver import CoinEx
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, InstrumentStatus, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
COINEX = CoinEx()
BTC = "BTCUSDT"
BOOK = Topic(kind=TopicKind.BOOK, symbol=BTC, depth=20)
TRADES = Topic(kind=TopicKind.TRADES, symbol=BTC)


def parse(frame) -> list[Event]:
    return COINEX.parse(SPOT, frame if isinstance(frame, str | bytes) else json.dumps(frame), 7)


def malformed(frame) -> MalformedFrame:
    with pytest.raises(MalformedFrame) as caught:
        parse(frame)
    return caught.value


def proof(bids, asks) -> int:
    levels = SideAfterSide()
    levels.update([tuple(level) for level in bids], [tuple(level) for level in asks])
    return levels.crc32()


BIDS, ASKS = [["100.0", "1"], ["99", "2"]], [["101", "0.50"]]


def depth(*, full=True, market=BTC, **changes):
    told = {"asks": ASKS, "bids": BIDS, "last": "100", "updated_at": 9, "checksum": proof(BIDS, ASKS)} | changes
    return {"method": "depth.update", "data": {"market": market, "is_full": full, "depth": told}, "id": None}


def without(frame, *keys):
    told = {key: value for key, value in frame["data"]["depth"].items() if key not in keys}
    return frame | {"data": frame["data"] | {"depth": told}}


def deals(*rows, market=BTC):
    return {"method": "deals.update", "data": {"market": market, "deal_list": list(rows)}, "id": None}


def deal(**changes):
    return {"deal_id": 3, "created_at": 8, "side": "buy", "price": "100.5", "amount": "2"} | changes


def test_a_full_push_is_a_snapshot_with_the_wires_own_strings():
    assert parse(depth()) == [
        BookSnapshot(
            symbol=BTC,
            seq=None,
            bids=[(100.0, 1.0), (99.0, 2.0)],
            asks=[(101.0, 0.5)],
            exchange_ms=9,
            received_ns=7,
            checksum=proof(BIDS, ASKS),
            raw_bids=[("100.0", "1"), ("99", "2")],
            raw_asks=[("101", "0.50")],
        )
    ]


def test_another_push_is_a_difference_and_may_leave_a_side_out():
    [event] = parse(without(depth(full=False, checksum=5), "asks"))
    assert isinstance(event, BookDelta)
    assert (event.asks, event.raw_asks, event.checksum) == ([], [], 5)
    assert (event.bids, event.raw_bids) == ([(100.0, 1.0), (99.0, 2.0)], [("100.0", "1"), ("99", "2")])


@pytest.mark.parametrize("told", [2**32 - 1, str(2**32 - 1), -1, "-1"])
def test_a_checksum_may_be_signed_or_not_number_or_text(told):
    [event] = parse(depth(checksum=told))
    assert isinstance(event, BookSnapshot)
    assert event.checksum == 2**32 - 1


def test_a_book_follows_pushes_and_drops_out_when_one_was_lost():
    builder = BookBuilder(BTC, COINEX.rule(SPOT, 20))
    assert isinstance(builder.apply(only(depth())), Changed)
    bids = [["100.0", "3"], ["99", "2"]]
    push = only(depth(full=False, bids=bids[:1], asks=[], checksum=proof(bids, ASKS)))
    assert isinstance(builder.apply(push), Changed)
    assert isinstance(builder.apply(push), Changed), "the same push again changes nothing"
    lost = only(depth(full=False, bids=[["98", "1"]], asks=[], checksum=1))
    assert builder.apply(lost) == NeedSnapshot(reason="checksum", gap=True)
    assert builder.book is None
    assert COINEX.resync(SPOT, 20) is Resync.RESUBSCRIBE


def test_levels_of_amount_zero_in_a_full_push_are_not_in_the_book_nor_in_its_checksum():
    builder = BookBuilder(BTC, COINEX.rule(SPOT, 20))
    zeros = [["98", "0"], ["97", "0.0000"], *BIDS]
    assert isinstance(builder.apply(only(depth(bids=zeros))), Changed)
    assert builder.book is not None
    assert builder.book.top(0)[0] == [(100.0, 1.0), (99.0, 2.0)]


def only(frame) -> BookSnapshot | BookDelta:
    [event] = parse(frame)
    assert isinstance(event, BookSnapshot | BookDelta)
    return event


def test_trades_are_pushed_newest_first_and_given_oldest_first():
    assert parse(deals(deal(deal_id=5, side="sell"), deal())) == [
        PublicTrade(symbol=BTC, trade_id="3", side=Side.BUY, price=100.5, amount=2.0, exchange_ms=8, received_ns=7),
        PublicTrade(symbol=BTC, trade_id="5", side=Side.SELL, price=100.5, amount=2.0, exchange_ms=8, received_ns=7),
    ]


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate, bytes])
def test_frames_come_packed_in_any_way_or_plain(pack):
    assert parse(pack(json.dumps(depth()).encode())) == parse(depth())


@pytest.mark.parametrize(
    "frame",
    [
        gzip.compress(b" " * 5_000_000, mtime=0),
        zlib.compress(b"[" * 5_000_000),
        gzip.compress(b"{}", mtime=0)[:-9],
        gzip.compress(b"{}", mtime=0) + b"tail",
        b"\x1f\x8b\x08",
        b"\x00\x01\x02",
        b"",
    ],
    ids=["gzip bomb", "zlib bomb", "cut off", "tail", "head only", "noise", "empty"],
)
def test_what_cannot_be_unpacked_within_bounds_is_malformed(frame):
    malformed(frame)


def test_acknowledgements_and_refusals_carry_the_id():
    assert parse({"id": 1, "message": "OK", "code": 0}) == [Ack(ok=True, request_id="1")]
    assert parse({"id": 1, "message": "OK", "code": 0, "data": None}) == [Ack(ok=True, request_id="1")]
    assert parse({"id": 1, "code": 20001, "message": "invalid argument"}) == [
        Ack(ok=False, request_id="1", code="20001", text="invalid argument", whole_frame=True)
    ]


@pytest.mark.parametrize("code", [23001, 23002, 24002, 33002])
def test_later_is_no_answer_so_that_the_command_is_sent_again(code):
    assert parse({"id": 1, "code": code, "message": "too frequent"}) == [Ignored()]


def test_the_server_answers_our_ping():
    assert parse({"id": 0, "code": 0, "data": {"result": "pong"}, "message": "OK"}) == [Pong()]
    send = COINEX.heartbeat(SPOT).send
    assert isinstance(send, str)
    assert json.loads(send) == {"method": "server.ping", "params": {}, "id": 0}


@pytest.mark.parametrize("method", ["bbo.update", "state.update", "index.update", "notice.update", "order.update"])
def test_documented_pushes_that_are_not_ours_are_ignored(method):
    assert parse({"method": method, "data": {}, "id": None}) == [Ignored()]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed(depth(bids=[level])).symbol == BTC


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed(frame)


@pytest.mark.parametrize(
    "frame",
    [
        without(depth(), "checksum"),
        depth(checksum=None),
        depth(checksum=2**32),
        depth(checksum="x"),
        depth(bids=[[100.0, 1]]),  # a checksum needs the strings
        depth(updated_at="x"),
        depth(market=""),
        {"method": "depth.update", "data": None, "id": None},
        {"method": "depth.update", "id": None},
        {"method": "surprise.update", "data": {}},
        {"id": 1, "message": "OK"},
        {"code": 0},
        {"id": "x", "code": 0},
        deals(deal(side="BUY")),
        deals(deal(price="0")),
        deals(deal(amount="0")),
        deals(deal(deal_id=-1)),
        deals(market=None),
    ],
    ids=lambda frame: str(frame)[:60],
)
def test_a_surprise_is_malformed(frame):
    malformed(frame)


def test_depths():
    assert list(COINEX.depths(SPOT)) == [20, 50, 0]
    kept = [COINEX.rule(FUTURES, depth) for depth in (20, 50, 0)]
    assert all(isinstance(rule, ChecksumOnly) for rule in kept)
    assert [rule.keep for rule in kept] == [20, 50, 50], "full is the most that is offered"


def test_a_subscription_to_books_names_depth_and_step_and_each_channel_has_frames_of_its_own():
    full = Topic(kind=TopicKind.BOOK, symbol="ETHUSDT", depth=0)
    books, trades = COINEX.subscribe(SPOT, [TRADES, BOOK, full], 3)
    assert json.loads(books.frame) == {
        "method": "depth.subscribe",
        "params": {"market_list": [[BTC, 20, "0", False], ["ETHUSDT", 50, "0", False]]},
        "id": 3,
    }
    assert (books.request_id, books.topics) == ("3", (BOOK, full))
    assert json.loads(trades.frame) == {"method": "deals.subscribe", "params": {"market_list": [BTC]}, "id": 4}


def test_unsubscribing_names_markets_only():
    books, trades = COINEX.unsubscribe(SPOT, [BOOK, TRADES], 3)
    assert json.loads(books.frame) == {"method": "depth.unsubscribe", "params": {"market_list": [BTC]}, "id": 3}
    assert json.loads(trades.frame)["method"] == "deals.unsubscribe"


def test_a_frame_has_thirty_markets_at_most():
    topics = [Topic(kind=TopicKind.TRADES, symbol=f"C{n}USDT") for n in range(61)]
    commands = COINEX.subscribe(FUTURES, topics, 1)
    assert [len(command.topics) for command in commands] == [30, 30, 1]
    assert [command.request_id for command in commands] == ["1", "2", "3"]


def test_the_markets_have_sockets_and_paths_of_their_own_for_the_same_symbol():
    category = COINEX.category(SPOT, BOOK)
    assert COINEX.token_request(SPOT, category) is None
    assert COINEX.ws_endpoint(SPOT, category) == "wss://socket.coinex.com/v2/spot"
    assert COINEX.ws_endpoint(FUTURES, category) == "wss://socket.coinex.com/v2/futures"
    assert COINEX.stream(SPOT, BOOK) != COINEX.stream(SPOT, TRADES)
    assert COINEX.snapshot_command(SPOT, BOOK, 1) is None


def answer(data, code=0):
    return json.dumps({"code": code, "data": data, "message": "text"}).encode()


def test_a_rest_book():
    url = COINEX.snapshot_request(FUTURES, BTC, 50).url
    assert url == "https://api.coinex.com/v2/futures/depth?market=BTCUSDT&limit=50&interval=0"
    book = COINEX.parse_snapshot(SPOT, BTC, answer(depth()["data"]), 7)
    assert (book.from_rest, book.checksum, book.bids) == (True, proof(BIDS, ASKS), [(100.0, 1.0), (99.0, 2.0)])


@pytest.mark.parametrize("data", [None, {}, depth(market="ETHUSDT")["data"], depth(full=False)["data"]])
def test_an_answer_that_is_not_the_book_asked_for_is_malformed(data):
    with pytest.raises(MalformedFrame):
        COINEX.parse_snapshot(SPOT, BTC, answer(data), 7)


def test_rest_errors():
    with pytest.raises(Refused) as refused:
        COINEX.parse_snapshot(SPOT, BTC, answer({}, 3639), 7)
    assert refused.value.code == "3639"
    with pytest.raises(Retryable):
        COINEX.parse_instruments(SPOT, answer({}, 3008))


def listing(**changes):
    return {
        "market": BTC,
        "base_ccy": "BTC",
        "quote_ccy": "USDT",
        "base_ccy_precision": 8,
        "quote_ccy_precision": 2,
        "min_amount": "0.0005",
        "status": "online",
        "is_api_trading_available": True,
        "delisted_at": 0,
    } | changes


def catalogue(market_type, **changes):
    return COINEX.parse_instruments(market_type, answer([listing(**changes)])).instruments


def test_steps_of_spot_come_from_precisions():
    assert COINEX.instruments_request(SPOT).url == "https://api.coinex.com/v2/spot/market"
    [pair] = catalogue(SPOT)
    assert (pair.pair, pair.symbol, pair.settle) == ("BTC/USDT", BTC, "USDT")
    assert (pair.tick, pair.lot, pair.min_amount) == (Decimal("0.01"), Decimal("0.00000001"), Decimal("0.0005"))
    assert (pair.contract_size, pair.inverse, pair.status) == (1, False, InstrumentStatus.TRADING)
    [whole_dollars] = catalogue(SPOT, quote_ccy_precision=0)
    assert whole_dollars.tick == 1


def test_contracts_have_a_tick_of_their_own_and_count_coins():
    [contract] = catalogue(FUTURES, contract_type="linear", tick_size="0.5")
    assert (contract.pair, contract.tick, contract.contract_size) == ("BTC/USDT", Decimal("0.5"), 1)
    assert catalogue(FUTURES, contract_type="inverse", quote_ccy="USD") == []


@pytest.mark.parametrize(
    "change",
    [{"status": "bidding"}, {"status": "counting_down"}, {"status": "surprise"}, {"is_api_trading_available": False}],
)
def test_only_what_is_online_and_open_to_programs_trades(change):
    [pair] = catalogue(SPOT, **change)
    assert pair.status is InstrumentStatus.SUSPENDED


@pytest.mark.parametrize("change", [{"base_ccy_precision": 31}, {"quote_ccy_precision": -1}, {"min_amount": "x"}])
def test_an_impossible_rule_is_malformed(change):
    with pytest.raises(MalformedFrame):
        catalogue(SPOT, **change)


def test_a_market_list_without_data_is_not_an_empty_market_list():
    with pytest.raises(MalformedFrame):
        COINEX.parse_instruments(SPOT, answer(None))


def test_volumes_are_values():
    rows = [{"market": BTC, "value": "12.5", "volume": "1"}, {"market": "NEWUSDT"}]
    assert COINEX.parse_volumes(SPOT, answer(rows)) == {BTC: 12.5}
    assert COINEX.volumes_request(FUTURES).url == "https://api.coinex.com/v2/futures/ticker"


@pytest.mark.parametrize(
    ("status", "headers", "body", "after_s"),
    [
        (200, {}, answer({}, 4213), 1.0),
        (200, {}, answer({}, 4123), 1.0),
        (200, {}, answer([]), None),
        (429, {}, b"", 5.0),
        (429, {"Retry-After": "7"}, b"", 7.0),
        (403, {}, b"<html>", 60.0),
        (502, {}, b"<html>", None),
    ],
)
def test_how_long_to_stay_away(status, headers, body, after_s):
    assert COINEX.retry_after(status, headers, body) == after_s
