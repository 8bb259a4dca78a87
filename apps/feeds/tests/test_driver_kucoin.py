"""KuCoin by its unified push and by REST: hand-written frames, each with one thing to say."""

import json
from decimal import Decimal

import pytest

from apps.feeds.book.builder import BookBuilder, Changed, Dropped, NeedSnapshot
from apps.feeds.book.continuity import PushedRange, WholeBooks
from apps.feeds.drivers.base import Ack, Event, Ignored, Pong, Resync, Topic, TopicKind, Welcome
from apps.feeds.drivers.kucoin.driver import Kucoin
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, InstrumentStatus, MarketType, PublicTrade, Side
from apps.feeds.tests.driver_checks import BAD_LEVELS, NOT_FRAMES

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KUCOIN = Kucoin()
UNIFIED_LISTS = Kucoin(catalogue=Generation.UNIFIED)
BTC = "BTC-USDT"
BOOK = Topic(kind=TopicKind.BOOK, symbol=BTC, depth=20)
FULL = Topic(kind=TopicKind.BOOK, symbol=BTC, depth=0)
TRADES = Topic(kind=TopicKind.TRADES, symbol=BTC)


def parse(frame, market: MarketType = SPOT) -> list[Event]:
    return KUCOIN.parse(market, frame if isinstance(frame, str | bytes) else json.dumps(frame), 7)


def malformed(frame) -> MalformedFrame:
    with pytest.raises(MalformedFrame) as caught:
        parse(frame)
    return caught.value


def obu(kind="delta", depth="increment@10ms", product="SPOT", **changes):
    data = {"a": [["101", "0"]], "b": [["100.0", "1.5"]], "C": 12, "s": BTC, "M": 1790113097768000000, "O": 11}
    frame = {"T": f"obu.{product}", "dp": depth, "t": kind, "P": 1790113097769363986, "d": data | changes}
    return {key: value for key, value in frame.items() if value is not None}


def trade(**changes):
    data = {"E": 9, "M": 1787348155897000000, "S": "sell", "p": "100.5", "q": "2", "s": BTC, "ti": "240"} | changes
    return {"T": "trade.SPOT", "P": 1787348155899171700, "d": data}


def without(frame, key):
    return frame | {"d": {name: value for name, value in frame["d"].items() if name != key}}


def test_a_delta_covers_a_range_of_updates():
    assert parse(obu()) == [
        BookDelta(
            symbol=BTC,
            first_seq=11,
            seq=12,
            bids=[(100.0, 1.5)],
            asks=[(101.0, 0.0)],
            exchange_ms=1790113097768,
            received_ns=7,
        )
    ]


def test_frames_are_binary():
    assert parse(json.dumps(obu()).encode()) == parse(obu())


@pytest.mark.parametrize(("kind", "depth"), [("snapshot", "increment@10ms"), ("snapshot", "50"), (None, "50")], ids=str)
def test_a_snapshot_says_so_or_is_of_a_channel_of_whole_books(kind, depth):
    [event] = parse(obu(kind, depth, O=12))
    assert isinstance(event, BookSnapshot)
    assert (event.seq, event.bids, event.from_rest) == (12, [(100.0, 1.5)], False)


def test_a_whole_book_needs_no_first_update_nor_a_time():
    [event] = parse(without(without(obu("snapshot", "50"), "O"), "M"))
    assert isinstance(event, BookSnapshot)
    assert (event.seq, event.exchange_ms) == (12, None)


def events(*frames) -> list[BookSnapshot | BookDelta]:
    parsed = [event for frame in frames for event in parse(frame)]
    return [event for event in parsed if isinstance(event, BookSnapshot | BookDelta)]


def test_a_book_waits_for_its_snapshot_follows_its_deltas_and_finds_the_gap():
    builder = BookBuilder(BTC, KUCOIN.rule(SPOT, 0))
    early, snapshot, again, old, lost = events(
        obu(O=9, C=10), obu("snapshot", O=10, C=10, a=[["101", "1"]]), obu(), obu(O=10, C=11), obu(O=14, C=14)
    )
    outcomes = [type(builder.apply(event)) for event in (early, snapshot, again, again, old)]
    assert outcomes == [Dropped, Changed, Changed, Dropped, Dropped]
    assert builder.apply(lost) == NeedSnapshot(reason="gap: had 12, got 14", gap=True)
    assert builder.book is None
    assert KUCOIN.resync(SPOT, 0) is Resync.RESUBSCRIBE


def test_what_fell_out_of_the_best_500_is_not_kept():
    builder = BookBuilder(BTC, KUCOIN.rule(SPOT, 0))
    bids = [[str(price), "1"] for price in range(501, 1, -1)]
    snapshot, above = events(obu("snapshot", O=10, C=10, b=bids, a=[]), obu(O=11, C=11, b=[["502", "1"]], a=[]))
    builder.apply(snapshot)
    builder.apply(above)
    assert builder.book is not None
    assert (builder.book.bids_count, builder.book.top(0)[0][-1]) == (500, (3.0, 1.0))


@pytest.mark.parametrize("side", ["sell", "SELL"])
def test_a_trade_names_the_takers_side_in_either_case(side):
    assert parse(trade(S=side)) == [
        PublicTrade(
            symbol=BTC,
            trade_id="240",
            side=Side.SELL,
            price=100.5,
            amount=2.0,
            exchange_ms=1787348155897,
            received_ns=7,
        )
    ]


def test_ids_beyond_the_reach_of_floats_stay_whole():
    [event] = parse(trade(ti=24021490985222145))
    assert isinstance(event, PublicTrade)
    assert event.trade_id == "24021490985222145"


@pytest.mark.parametrize("depth", ["1", "5", "increment"])
def test_other_depths_are_ignored(depth):
    assert parse(obu(depth=depth)) == [Ignored()]


@pytest.mark.parametrize("channel", ["ticker.SPOT", "mark-price", "funding-fee", "kline.FUTURES"])
def test_documented_channels_that_are_not_ours_are_ignored(channel):
    assert parse({"T": channel, "P": 1, "d": {}}) == [Ignored()]


def test_commands_wait_for_the_welcome():
    assert parse({"sessionId": "e8e46556", "message": "welcome", "pingInterval": 18000}) == [Welcome()]
    assert KUCOIN.limits(SPOT).greeted


def test_answers():
    assert parse({"id": "p1", "result": True}) == [Ack(ok=True, request_id="p1")]
    for key in ("message", "reason"):
        assert parse({"id": "p1", "result": False, key: "invalid"}) == [Ack(ok=False, request_id="p1", text="invalid")]
    assert parse({"result": False, "reason": "invalid"}) == [Ack(ok=False, text="invalid")]


def test_the_server_answers_our_ping():
    assert parse({"type": "pong", "id": "p32", "ts": 1790113111261396000}) == [Pong()]
    heartbeat = KUCOIN.heartbeat(SPOT)
    assert isinstance(heartbeat.send, str)
    assert (json.loads(heartbeat.send)["type"], heartbeat.every_s) == ("ping", 18.0)


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_an_impossible_level_is_malformed_and_names_its_symbol(level):
    assert malformed(obu(b=[level])).symbol == BTC


@pytest.mark.parametrize("frame", NOT_FRAMES)
def test_what_is_no_frame_is_malformed(frame):
    malformed(frame)


@pytest.mark.parametrize(
    "frame",
    [
        obu("surprise"),
        obu(None),
        obu("delta", "50"),
        obu("snapshot", "20"),
        obu(O=13),
        without(obu(), "O"),
        without(obu(), "C"),
        without(obu(), "a"),
        obu(C=-1),
        obu(s=""),
        obu(product="OPTIONS"),
        {"T": "surprise.SPOT", "d": {}},
        {"T": "obu.SPOT", "dp": "50", "t": "snapshot"},
        trade(S="Sell"),
        trade(p="0"),
        trade(q="-1"),
        without(trade(), "M"),
        {"message": "goodbye"},
        {"type": "surprise"},
        {"id": "1"},
    ],
    ids=lambda frame: str(frame)[:80],
)
def test_a_surprise_is_malformed(frame):
    malformed(frame)


def test_an_error_does_not_carry_the_frame():
    assert len(str(malformed(obu("x" * 9_000, "y" * 9_000)))) < 200


def test_depths():
    assert list(KUCOIN.depths(SPOT)) == [20, 50, 0]
    assert isinstance(KUCOIN.rule(SPOT, 20), WholeBooks)
    assert isinstance(KUCOIN.rule(FUTURES, 0), PushedRange)
    assert KUCOIN.stream(SPOT, BOOK) == "obu:BTC-USDT:50", "there are no 20 levels"


def test_a_frame_has_one_topic():
    books, full, trades = KUCOIN.subscribe(SPOT, [BOOK, FULL, TRADES], 3)
    product = {"tradeType": "SPOT", "symbol": BTC}
    assert json.loads(books.frame) == {"id": "3", "action": "SUBSCRIBE", "channel": "obu", "depth": "50"} | product
    assert json.loads(full.frame)["depth"] == "increment@10ms"
    assert json.loads(trades.frame) == {"id": "5", "action": "SUBSCRIBE", "channel": "trade"} | product
    assert (full.request_id, full.topics) == ("4", (FULL,))
    [gone] = KUCOIN.unsubscribe(FUTURES, [FULL], 6)
    assert json.loads(gone.frame)["action"] == "UNSUBSCRIBE"
    assert json.loads(gone.frame)["tradeType"] == "FUTURES"


def test_no_token_is_needed():
    category = KUCOIN.category(SPOT, BOOK)
    assert KUCOIN.token_request(SPOT, category) is None
    assert KUCOIN.ws_endpoint(SPOT, category) == "wss://x-push-spot.kucoin.com"
    assert KUCOIN.ws_endpoint(FUTURES, category) == "wss://x-push-futures.kucoin.com"
    assert KUCOIN.snapshot_command(SPOT, BOOK, 1) is None


def answer(data, code="200000"):
    return json.dumps({"code": code, "msg": "text", "data": data}).encode()


def test_a_rest_book():
    url = KUCOIN.snapshot_request(FUTURES, "XBTUSDTM", 50).url
    assert url == "https://api.kucoin.com/api/ua/v2/market/orderbook?tradeType=FUTURES&limit=50&symbol=XBTUSDTM"
    book = {"tradeType": "SPOT", "symbol": BTC, "sequence": "12", "bids": [["1", "2"]], "asks": []}
    assert KUCOIN.parse_snapshot(SPOT, BTC, answer(book), 7) == BookSnapshot(
        symbol=BTC, seq=12, bids=[(1.0, 2.0)], asks=[], received_ns=7, from_rest=True
    )


@pytest.mark.parametrize(
    "data", [None, {}, {"symbol": "ETH-USDT", "sequence": "1", "bids": [], "asks": []}], ids=["null", "empty", "other"]
)
def test_an_answer_that_is_not_the_book_asked_for_is_malformed(data):
    with pytest.raises(MalformedFrame):
        KUCOIN.parse_snapshot(SPOT, BTC, answer(data), 7)


def test_rest_errors_are_told_by_the_code():
    with pytest.raises(Refused) as refused:
        KUCOIN.parse_snapshot(SPOT, BTC, answer(None, "400003"), 7)
    assert refused.value.code == "400003"
    with pytest.raises(Retryable):
        KUCOIN.parse_instruments(SPOT, answer(None, "500000"))


def spot(**changes):
    return {
        "symbol": "BCHSV-USDT",
        "name": "BSV-USDT",
        "baseCurrency": "BSV",
        "quoteCurrency": "USDT",
        "baseMinSize": "0.001",
        "baseIncrement": "0.00000001",
        "priceIncrement": "0.001",
        "minFunds": "0.1",
        "enableTrading": True,
    } | changes


def contract(**changes):
    return {
        "symbol": "XBTUSDTM",
        "type": "FFWCSX",
        "baseCurrency": "XBT",
        "quoteCurrency": "USDT",
        "settleCurrency": "USDT",
        "multiplier": 0.001,
        "lotSize": 1,
        "tickSize": 0.1,
        "isInverse": False,
        "status": "Open",
    } | changes


def test_a_renamed_coin_keeps_its_symbol():
    assert KUCOIN.instruments_request(SPOT).url == "https://api.kucoin.com/api/v2/symbols"
    [pair] = KUCOIN.parse_instruments(SPOT, answer([spot()])).instruments
    assert (pair.pair, pair.symbol, pair.settle) == ("BSV/USDT", "BCHSV-USDT", "USDT")
    assert (pair.tick, pair.lot) == (Decimal("0.001"), Decimal("0.00000001"))
    assert (pair.min_amount, pair.min_notional) == (Decimal("0.001"), Decimal("0.1"))


def test_bitcoin_has_another_name_on_futures_and_contracts_are_parts_of_a_coin():
    assert KUCOIN.instruments_request(FUTURES).url == "https://api-futures.kucoin.com/api/v1/contracts/active"
    [perpetual] = KUCOIN.parse_instruments(FUTURES, answer([contract()])).instruments
    assert (perpetual.pair, perpetual.symbol, perpetual.base) == ("BTC/USDT", "XBTUSDTM", "BTC")
    assert (perpetual.contract_size, perpetual.lot, perpetual.tick) == (Decimal("0.001"), 1, Decimal("0.1"))
    [dollars] = KUCOIN.parse_instruments(FUTURES, answer([contract(settleCurrency="USDC")])).instruments
    assert dollars.pair == "BTC/USDC"


def test_a_step_may_be_written_with_an_exponent():
    [perpetual] = KUCOIN.parse_instruments(FUTURES, answer([contract(tickSize=1e-07)])).instruments
    assert perpetual.tick == Decimal("0.0000001")


@pytest.mark.parametrize(
    "change",
    [
        {"isInverse": True, "multiplier": -1, "settleCurrency": "XBT"},
        {"type": "FFICSX"},
        {"settleCurrency": "EUR"},
        {"settleCurrency": None},
        {"tickSize": None},
        {"multiplier": None},
    ],
)
def test_what_is_not_in_the_catalogue(change):
    assert KUCOIN.parse_instruments(FUTURES, answer([contract(**change)])).instruments == []


def test_a_pair_without_steps_is_not_in_the_catalogue():
    assert KUCOIN.parse_instruments(SPOT, answer([spot(priceIncrement="")])).instruments == []


def test_only_open_instruments_trade():
    [pair] = KUCOIN.parse_instruments(SPOT, answer([spot(enableTrading=False)])).instruments
    [silent] = KUCOIN.parse_instruments(SPOT, answer([spot(enableTrading=None)])).instruments
    [perpetual] = KUCOIN.parse_instruments(FUTURES, answer([contract(status="Paused")])).instruments
    assert {one.status for one in (pair, silent, perpetual)} == {InstrumentStatus.SUSPENDED}


def test_unified_lists_say_the_same_in_other_words():
    coin = {
        "symbol": BTC, "baseCurrency": "BTC", "quoteCurrency": "USDT", "tickSize": "0.1", "baseOrderStep": "0.001",
        "minBaseOrderSize": "0.01", "minQuoteOrderSize": "5", "tradingStatus": "1",
    }  # fmt: skip
    url = UNIFIED_LISTS.instruments_request(SPOT).url
    assert url == "https://api.kucoin.com/api/ua/v2/market/instrument?tradeType=SPOT"
    [pair] = UNIFIED_LISTS.parse_instruments(SPOT, answer({"tradeType": "SPOT", "list": [coin]})).instruments
    assert (pair.tick, pair.lot, pair.min_amount, pair.min_notional) == (
        Decimal("0.1"),
        Decimal("0.001"),
        Decimal("0.01"),
        Decimal(5),
    )
    assert pair.status is InstrumentStatus.TRADING
    halted = {"tradeType": "SPOT", "list": [coin | {"tradingStatus": "2"}]}
    [pair] = UNIFIED_LISTS.parse_instruments(SPOT, answer(halted)).instruments
    assert pair.status is InstrumentStatus.SUSPENDED


def test_volumes_are_in_quote_currency():
    assert KUCOIN.volumes_request(SPOT).url == "https://api.kucoin.com/api/v1/market/allTickers"
    assert KUCOIN.volumes_request(FUTURES).url == KUCOIN.instruments_request(FUTURES).url
    told = answer({"time": 1, "ticker": [{"symbol": BTC, "volValue": "12.5"}, {"symbol": "NEW-USDT"}]})
    assert KUCOIN.parse_volumes(SPOT, told) == {BTC: 12.5}
    assert KUCOIN.parse_volumes(FUTURES, answer([contract(turnoverOf24h=2.5)])) == {"XBTUSDTM": 2.5}
    assert UNIFIED_LISTS.volumes_request(FUTURES).url.endswith("/market/ticker?tradeType=FUTURES")
    told = answer({"tradeType": "SPOT", "list": [{"symbol": BTC, "quoteVolume": "3"}]})
    assert UNIFIED_LISTS.parse_volumes(SPOT, told) == {BTC: 3.0}


@pytest.mark.parametrize(
    "read", [UNIFIED_LISTS.parse_instruments, UNIFIED_LISTS.parse_volumes], ids=["list", "volumes"]
)
def test_an_answer_without_its_list_is_malformed(read):
    with pytest.raises(MalformedFrame):
        read(SPOT, answer({"tradeType": "SPOT"}))


@pytest.mark.parametrize(
    ("status", "headers", "body", "after_s"),
    [
        (429, {"gw-ratelimit-reset": "1500"}, answer(None, "429000"), 1.5),
        (429, {"GW-RateLimit-Reset": "x"}, b"", 3.0),
        (200, {}, answer(None, "429000"), 3.0),
        (400, {"Gw-Ratelimit-Reset": "20"}, answer(None, "200002"), 0.02),
        (429, {}, b"<html>error code: 1015</html>", 30.0),
        (403, {}, b"<html>", 30.0),
        (403, {}, answer(None, "400006"), None),
        (200, {}, answer([]), None),
        (502, {}, b"<html>", None),
    ],
)
def test_how_long_to_stay_away(status, headers, body, after_s):
    assert KUCOIN.retry_after(status, headers, body) == after_s
