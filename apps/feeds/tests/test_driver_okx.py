"""OKX: hand-written frames, each with one thing to say."""

import json
from decimal import Decimal

import pytest

from apps.feeds.book.continuity import Chain
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Ack, Closing, Ignored, Pong, Resync, Topic, TopicKind
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, InstrumentStatus, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES, malformed, parse

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
OKX = registry.driver("okx")
SWAP = "BTC-USDT-SWAP"
TRADES = Topic(kind=TopicKind.TRADES, symbol=SWAP)


def row(**changes):
    return {
        "bids": [["100.0", "1", "0", "3"]],
        "asks": [["101", "0", "0", "0"]],
        "ts": "9",
        "checksum": 0,
        "seqId": 7,
        "prevSeqId": 5,
    } | changes


def books(*rows, action="update", **arg):
    return {"arg": {"channel": "books", "instId": SWAP} | arg, "action": action, "data": list(rows)}


def without(frame_row, *keys):
    return {key: value for key, value in frame_row.items() if key not in keys}


def trade(**changes):
    data = {"instId": SWAP, "tradeId": "3", "px": "100.5", "sz": "2", "side": "sell", "ts": "8", "count": "1"}
    return {"arg": {"channel": "trades", "instId": SWAP}, "data": [data | changes]}


def test_an_update_whose_checksum_is_the_constant_zero():
    assert parse("okx", books(row())) == [
        BookDelta(
            symbol=SWAP,
            seq=7,
            prev_seq=5,
            bids=[(100.0, 1.0)],
            asks=[(101.0, 0.0)],
            exchange_ms=9,
            received_ns=7,
        )
    ]


def test_a_snapshot_has_no_previous():
    [event] = parse("okx", books(row(prevSeqId=-1), action="snapshot"))
    assert isinstance(event, BookSnapshot)
    assert (event.seq, event.prev_seq) == (7, None)


def test_rows_of_a_frame_keep_their_order_and_levels_may_have_two_items_or_more():
    first, second = parse("okx", books(row(), row(seqId=9, prevSeqId=7, bids=[["99", "2"]])))
    assert isinstance(first, BookDelta)
    assert isinstance(second, BookDelta)
    assert (first.seq, second.seq, second.bids) == (7, 9, [(99.0, 2.0)])


def test_an_old_frame_with_a_checksum_keeps_the_wires_own_strings():
    [event] = parse("okx", books(without(row(checksum=-123), "seqId", "prevSeqId")))
    assert isinstance(event, BookDelta)
    assert (event.seq, event.checksum) == (None, -123)
    assert (event.raw_bids, event.raw_asks) == ([("100.0", "1")], [("101", "0")])


def test_keys_may_come_in_any_order():
    assert parse("okx", dict(reversed(books(row()).items()))) == parse("okx", books(row()))
    assert parse("okx", json.dumps(books(row())).encode()) == parse("okx", books(row()))


def test_a_trade_counts_contracts_and_names_the_takers_side():
    assert parse("okx", trade()) == [
        PublicTrade(symbol=SWAP, trade_id="3", side=Side.SELL, price=100.5, amount=2.0, exchange_ms=8, received_ns=7)
    ]


def test_documented_channels_that_are_not_ours_are_ignored():
    for channel in ("books5", "bbo-tbt", "books-l2-tbt", "tickers", "funding-rate"):
        assert parse("okx", {"arg": {"channel": channel, "instId": SWAP}, "data": [{}]}) == [Ignored()]


def test_pong_is_text():
    assert parse("okx", "pong") == [Pong()]
    assert OKX.heartbeat(SPOT).send == "ping"


def test_an_acknowledgement_names_its_arg():
    arg = {"channel": "books", "instId": SWAP}
    assert parse("okx", {"id": "4", "event": "subscribe", "arg": arg, "connId": "c"}) == [
        Ack(ok=True, request_id="4", topics=(OKX.stream(FUTURES, Topic(kind=TopicKind.BOOK, symbol=SWAP)),))
    ]
    assert parse("okx", {"event": "unsubscribe", "arg": arg}) == [Ack(ok=True, topics=(f"books:{SWAP}",))]


@pytest.mark.parametrize(
    "text",
    [
        "channel:trades,instId:BTC-USDT-SWAP doesn't exist",
        "Wrong URL or channel:trades,instId:BTC-USDT-SWAP doesn't exist. Please use the correct URL.",
    ],
)
def test_a_refusal_is_of_one_arg_named_in_free_text(text):
    assert parse("okx", {"event": "error", "msg": text, "code": "60018"}) == [
        Ack(ok=False, topics=(OKX.stream(FUTURES, TRADES),), code="60018", text=text)
    ]


def test_a_refusal_may_name_nothing():
    assert parse("okx", {"event": "error", "msg": "Requests too frequent.", "code": "60014"}) == [
        Ack(ok=False, code="60014", text="Requests too frequent.")
    ]


def test_notices():
    assert parse("okx", {"event": "notice", "code": "64008", "msg": "soon"}) == [Closing("soon")]
    assert parse("okx", {"event": "notice", "code": "64000", "msg": "other"}) == [Ignored()]
    assert parse("okx", {"event": "channel-conn-count", "channel": "orders", "connCount": "2"}) == [Ignored()]
    assert parse("okx", {"id": "1512", "op": "batch-orders", "data": [], "code": "0"}) == [Ignored()]


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed("okx", books(row(bids=[level]))).symbol == SWAP


@pytest.mark.parametrize("frame", [one for one in NOT_FRAMES if one != "pong"])
def test_what_is_no_frame_is_malformed(frame):
    malformed("okx", frame)


@pytest.mark.parametrize(
    "frame",
    [
        books(row(), action="replace"),
        books(row(), instId=""),
        books(without(row(), "seqId", "prevSeqId")),  # nothing proves its place
        books(without(row(), "prevSeqId")),
        books(row(seqId=-5)),
        books(row(ts="x")),
        books(row(checksum=2**31)),
        books(row(checksum=5, bids=[[100.0, 1]])),  # a checksum needs the strings
        {"arg": {"channel": "surprise", "instId": SWAP}, "data": []},
        {"arg": {"instId": SWAP}, "data": []},
        {"event": "surprise"},
        {"event": "subscribe"},
        trade(side="Buy"),
        trade(px="-1"),
        trade(instId="ETH-USDT-SWAP"),
        '{"arg":{"channel":"books5","instId":"A"},"arg":{"channel":"books","instId":"A"},"data":[]}',
        '{"arg":{"channel":"trades","instId":"A"},"arg":{"channel":"books","instId":"A"},"data":[]}',
    ],
    ids=lambda frame: str(frame)[:60],
)
def test_a_surprise_is_malformed(frame):
    malformed("okx", frame)


def test_every_depth_is_cut_from_the_same_channel():
    topics = [Topic(kind=TopicKind.BOOK, symbol="BTC-USDT", depth=depth) for depth in (20, 50, 0)]
    assert {OKX.stream(SPOT, topic) for topic in topics} == {"books:BTC-USDT"}
    assert OKX.ws_endpoint(SPOT, OKX.category(SPOT, topics[0])) == "wss://ws.okx.com:8443/ws/v5/public"
    assert isinstance(OKX.rule(SPOT, 20), Chain)
    assert OKX.resync(SPOT, 20) is Resync.RESUBSCRIBE


def test_commands():
    [subscribe] = OKX.subscribe(FUTURES, [TRADES, Topic(kind=TopicKind.BOOK, symbol=SWAP, depth=20)], 3)
    assert json.loads(subscribe.frame) == {
        "id": "3",
        "op": "subscribe",
        "args": [{"channel": "trades", "instId": SWAP}, {"channel": "books", "instId": SWAP}],
    }
    [unsubscribe] = OKX.unsubscribe(FUTURES, [TRADES], 4)
    assert json.loads(unsubscribe.frame)["op"] == "unsubscribe"


def answer(*data, code="0"):
    return json.dumps({"code": code, "msg": "text", "data": list(data)}).encode()


def test_a_rest_book():
    assert (
        OKX.snapshot_request(SPOT, "BTC-USDT", 20).url
        == "https://www.okx.com/api/v5/market/books?instId=BTC-USDT&sz=400"
    )
    book = {"bids": [["1", "2", "0", "1"]], "asks": [], "ts": "5", "seqId": 6}
    assert OKX.parse_snapshot(SPOT, "BTC-USDT", answer(book), 7) == BookSnapshot(
        symbol="BTC-USDT", seq=6, bids=[(1.0, 2.0)], asks=[], exchange_ms=5, received_ns=7, from_rest=True
    )
    with pytest.raises(MalformedFrame):
        OKX.parse_snapshot(SPOT, "BTC-USDT", answer(), 7)
    with pytest.raises(Refused) as refused:
        OKX.parse_snapshot(SPOT, "NOPE", answer(code="51001"), 7)
    assert refused.value.code == "51001"


def test_an_answer_of_a_busy_server_may_be_asked_again():
    with pytest.raises(Retryable):
        OKX.parse_instruments(SPOT, answer(code="50013"))


def listing(**changes):
    return {
        "instId": SWAP,
        "instType": "SWAP",
        "state": "live",
        "settleCcy": "USDT",
        "uly": "BTC-USDT",
        "tickSz": "0.1",
        "lotSz": "0.01",
        "minSz": "0.01",
        "ctType": "linear",
        "ctVal": "0.01",
        "ctMult": "10",
        "ctValCcy": "BTC",
    } | changes


def test_a_contract_is_worth_its_value_times_its_multiplier():
    [swap] = OKX.parse_instruments(FUTURES, answer(listing())).instruments
    assert (swap.pair, swap.settle, swap.contract_size, swap.inverse) == ("BTC/USDT", "USDT", Decimal("0.1"), False)
    [plain] = OKX.parse_instruments(FUTURES, answer(listing(ctMult="", settleCcy="USDC"))).instruments
    assert (plain.pair, plain.contract_size) == ("BTC/USDC", Decimal("0.01"))


@pytest.mark.parametrize(
    "change",
    [
        {"ctType": "inverse", "settleCcy": "BTC", "ctValCcy": "USD"},
        {"instType": "FUTURES"},
        {"settleCcy": "EUR"},
        {"ctValCcy": "USDT"},
        {"ctVal": ""},
        {"tickSz": ""},
    ],
)
def test_what_is_not_in_the_catalogue(change):
    assert OKX.parse_instruments(FUTURES, answer(listing(**change))).instruments == []


@pytest.mark.parametrize("state", ["suspend", "preopen", "test", "surprise"])
def test_only_live_instruments_trade(state):
    [swap] = OKX.parse_instruments(FUTURES, answer(listing(state=state))).instruments
    assert swap.status is InstrumentStatus.SUSPENDED


def test_volumes_of_contracts_are_turned_into_quote_currency():
    rows = [{"instId": SWAP, "last": "100", "volCcy24h": "3"}, {"instId": "ODD", "last": "", "volCcy24h": ""}]
    assert OKX.parse_volumes(FUTURES, answer(*rows)) == {SWAP: 300.0}
    assert OKX.parse_volumes(SPOT, answer(rows[0])) == {SWAP: 3.0}
    assert OKX.volumes_request(SPOT).url == "https://www.okx.com/api/v5/market/tickers?instType=SPOT"


@pytest.mark.parametrize(
    ("status", "body", "after_s"),
    [
        (429, b"", 2.0),
        (200, answer(code="50011"), 2.0),
        (403, b"", 60.0),
        (200, answer(), None),
        (502, b"<html>", None),
    ],
)
def test_how_long_to_stay_away(status, body, after_s):
    assert OKX.retry_after(status, {}, body) == after_s
