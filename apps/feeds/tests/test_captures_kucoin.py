"""Every public frame and REST answer of KuCoin that was recorded: books whole, all else to its values."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers.base import Ack, Closing, Event, Ignored, Pong, Welcome
from apps.feeds.drivers.kucoin.driver import Kucoin
from apps.feeds.drivers.kucoin.facts import Generation
from apps.feeds.errors import Refused
from apps.feeds.market import BookDelta, BookSnapshot, BookState, MarketType, PublicTrade, Side
from apps.feeds.replay import Replay, SymbolReport, frames
from apps.feeds.tests.captures import FUTURES, SPOT, Model, lines

pytestmark = pytest.mark.captures

KUCOIN = Kucoin()
SPOT_SYMBOLS = ["BCHSV-USDT", "ANKR-BTC", "FET-BTC", "CAPP-BTC", "DAPPT-BTC", "COV-BTC", "EQZ-BTC"]
DERIVED = [
    ("derived_obu_10ms_BCHSV-USDT", SPOT),
    ("derived_obu_10ms_gap_ANKR-BTC", SPOT),
    ("derived_futures_level2_BSVUSDTM", FUTURES),
    ("derived_futures_level2_gap_FETUSDTM", FUTURES),
]


def replayed(captures: Path, name: str, market: MarketType, stop: int | None = None) -> SymbolReport:
    """By the driver as it is registered: whose sockets the frames came from is for it to see."""
    symbol, rest = name.rsplit("_", 1)[1], captures / "kucoin" / f"{name}.rest.jsonl"
    replay = Replay(KUCOIN, market, {symbol: [rest.read_bytes()]} if rest.exists() else {})
    for frame in frames(lines(captures, "kucoin", f"{name}.jsonl")[:stop], base64=False):
        replay.play(frame)
    assert replay.malformed == []
    [report] = replay.finish()
    return report


def expected(captures: Path, file: str, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in map(json.loads, lines(captures, "kucoin", file))}


def numbers(levels: list[list[Any]]) -> list[tuple[float, float]]:
    return [(float(price), float(amount)) for price, amount in levels]


def plain_book(captures: Path, name: str) -> Model:
    """Read with no rule but: what is older than the snapshot is in it, and price 0 is no level."""
    model, floor = Model(), 0
    rest = captures / "kucoin" / f"{name}.rest.jsonl"
    if rest.exists():
        data = json.loads(rest.read_bytes())["data"]
        floor = int(data["sequence"])
        model.set(*(decimals(data[side]) for side in ("bids", "asks")), whole=True)
    for frame in map(json.loads, lines(captures, "kucoin", f"{name}.jsonl")):
        if "T" in frame:
            model.set(frame["d"]["b"], frame["d"]["a"], whole=frame["t"] == "snapshot")
        elif "change" in frame["data"]:
            price, side, amount = frame["data"]["change"].split(",")
            level = decimals([[price, amount]]) if frame["data"]["sequence"] > floor else []
            model.set(level if side == "buy" else [], level if side == "sell" else [], whole=False)
        else:
            sides = (frame["data"]["changes"][side] for side in ("bids", "asks"))
            model.set(*([row for row in rows if row[0] != "0" and int(row[2]) > floor] for rows in sides), whole=False)
    return model


def decimals(levels: list[list[Any]]) -> list[list[str]]:
    """Spelt one way: snapshots of futures write 7.7e-06 where the stream writes 0.0000077."""
    return [[f"{Decimal(str(price)).normalize():f}", str(amount)] for price, amount in levels]


@pytest.mark.parametrize("symbol", SPOT_SYMBOLS)
def test_a_classic_recording_ends_in_the_expected_book(captures: Path, symbol: str) -> None:
    want = expected(captures, "expected_final_books_spot_2021.jsonl", "symbol")[symbol]
    name = f"spot_level2_2021_{symbol}"
    report = replayed(captures, name, SPOT)
    assert (report.state, report.gaps, report.resyncs) == (BookState.LIVE, 0, 0)
    assert (report.seq, report.applied) == (int(want["last_sequence"]), want["applied"])
    assert report.dropped == want["stream_messages"] - want["applied"], "the stale ones"
    assert (report.bids_count, report.asks_count) == (want["n_bids"], want["n_asks"])
    assert (report.bids[:10], report.asks[:10]) == (numbers(want["bids"]), numbers(want["asks"]))
    assert (report.bids, report.asks) == plain_book(captures, name).levels()


@pytest.mark.parametrize(("name", "market"), DERIVED)
def test_a_derived_recording_ends_in_the_expected_book_or_in_its_gap(
    captures: Path, name: str, market: MarketType
) -> None:
    want = expected(captures, "expected_derived_books.jsonl", "file")[f"{name}.jsonl"]
    report = replayed(captures, name, market)
    gap_at = want.get("gap_before_message_index")
    if gap_at is None:
        assert (report.state, report.gaps) == (BookState.LIVE, 0)
        assert report.seq == want.get("last_C", want.get("last_sequence"))
        assert (report.bids_count, report.asks_count) == (want["n_bids"], want["n_asks"])
        assert (report.bids[:10], report.asks[:10]) == (numbers(want["bids"]), numbers(want["asks"]))
        assert (report.bids, report.asks) == plain_book(captures, name).levels()
    else:
        assert (report.state, report.gaps, report.bids) == (BookState.SYNCING, 1, [])
        assert replayed(captures, name, market, gap_at).state is BookState.LIVE
        assert replayed(captures, name, market, gap_at + 1).gaps == 1


@pytest.mark.parametrize("generation", Generation)
def test_either_generation_understands_the_frames_of_both(captures: Path, generation: Generation) -> None:
    driver = Kucoin(generation)
    for file in ("derived_obu_10ms_BCHSV-USDT.jsonl", "spot_level2_2021_BCHSV-USDT.jsonl"):
        for line in lines(captures, "kucoin", file)[:50]:
            assert driver.parse(SPOT, line, 7) == KUCOIN.parse(SPOT, line, 7)


def parsed(captures: Path, file: str, market: MarketType) -> list[Event]:
    return [event for line in lines(captures, "kucoin", file) for event in KUCOIN.parse(market, line, 7)]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def trade(symbol: str, trade_id: str, side: Side, price: float, amount: float, exchange_ms: int) -> PublicTrade:
    return PublicTrade(
        symbol=symbol,
        trade_id=trade_id,
        side=side,
        price=price,
        amount=amount,
        exchange_ms=exchange_ms,
        received_ns=7,
    )


def test_spot_frames(captures: Path) -> None:
    events = parsed(captures, "spot_public_frames.jsonl", SPOT)
    assert events[:6] == [
        Welcome(),
        Pong(),
        Ack(ok=True, request_id="1545910660739"),
        trade("BTC-USDT", "62fade002e113d292303a18b", Side.SELL, 24093.9, 0.00001255, 1660608000026),
        trade("XRP-USDT", "62fade212e113d325d5cf21d", Side.SELL, 0.37587, 66.5603, 1660608033110),
        Ignored(),
    ]
    level2 = [event for event in events if isinstance(event, BookDelta)]
    assert [(event.first_seq, event.seq, event.bids, event.asks) for event in level2] == [
        (1636276321877, 1636276321877, [], []),
        (1636276324353, 1636276324353, [(24081.2, 0.00265)], []),
        (1636276324355, 1636276324355, [], []),
        (14701689783, 14701689783, [], [(67993.3, 1.21427407)]),
    ]
    assert events[9] == trade("BTC-USDT", "11067996711960577", Side.BUY, 67523.0, 0.003, 1729843222921)
    assert kinds(events[11:]) == ["Ignored", "Ignored", "BookSnapshot", "Ignored"]
    fifty = events[13]
    assert isinstance(fifty, BookSnapshot)
    assert (fifty.seq, fifty.bids[0], fifty.asks[0]) == (1733124805073, (95964.2, 1.35483359), (95964.3, 0.08168874))


def test_futures_frames(captures: Path) -> None:
    events = parsed(captures, "futures_public_frames.jsonl", FUTURES)
    assert [event for event in events if not isinstance(event, Ignored)] == [
        trade("SOLUSDTM", "1701197946092", Side.SELL, 93.624, 10.0, 1705708799998),
        level("MYROUSDTM", 1705386314549, [], [(0.21506, 0.0)], 1705708800010),
        trade("XBTUSDTM", "1794100537695", Side.BUY, 90503.9, 2.0, 1731898619520),
        level("XBTUSDTM", 1709400450243, [], [(90631.2, 2.0)], 1731897467182),
        BookSnapshot(
            symbol="XBTUSDTM",
            seq=1709294490099,
            bids=[(89778.6, 1534.0), (89778.2, 54.0)],
            asks=[(89778.7, 854.0), (89779.2, 4.0)],
            exchange_ms=1731680249700,
            received_ns=7,
        ),
        Welcome(),
        level("XBTUSDTM", 1747821025244, [(83614.0, 12.0)], [], 1790113097240),
        BookSnapshot(
            symbol="ETHUSDTM",
            seq=1736604716188,
            bids=[(2749.68, 241.0), (2749.61, 45.0)],
            asks=[(2749.69, 44.0), (2749.7, 102.0)],
            exchange_ms=1790114460610,
            received_ns=7,
        ),
        Pong(),
    ]


def level(symbol: str, seq: int, bids: Any, asks: Any, exchange_ms: int) -> BookDelta:
    return BookDelta(
        symbol=symbol, first_seq=seq, seq=seq, bids=bids, asks=asks, exchange_ms=exchange_ms, received_ns=7
    )


def test_unified_frames(captures: Path) -> None:
    events = parsed(captures, "uta_public_frames.jsonl", SPOT)
    assert [event for event in events if not isinstance(event, Ignored)] == [
        Welcome(),
        Ack(ok=True, request_id="p1"),
        BookSnapshot(
            symbol="ETHUSDTM",
            seq=1736604716203,
            bids=[(2749.68, 277.0), (2749.61, 45.0)],
            asks=[(2749.69, 96.0), (2749.7, 102.0)],
            exchange_ms=1790114460661,
            received_ns=7,
        ),
        BookDelta(
            symbol="XBTUSDTM",
            first_seq=1747821262584,
            seq=1747821262585,
            bids=[(85973.3, 16236.0), (85887.1, 98.0)],
            asks=[],
            exchange_ms=1790114459839,
            received_ns=7,
        ),
        Pong(),
        trade("BTC-USDT", "24021490985222144", Side.SELL, 78313.6, 0.00001374, 1787348155897),
        BookSnapshot(
            symbol="ETH-USDT",
            seq=25984468414,
            bids=[(90701.1, 0.13918404)],
            asks=[(90701.2, 0.5771583)],
            exchange_ms=1768217874986,
            received_ns=7,
        ),
    ]
    assert kinds(events).count("Ignored") == 4


def test_trades_and_tickers_of_2021(captures: Path) -> None:
    trades = parsed(captures, "spot_trades_2021.jsonl", SPOT)
    rows = [json.loads(line)["data"] for line in lines(captures, "kucoin", "spot_trades_2021.jsonl")]
    assert trades == [
        trade(
            row["symbol"],
            row["tradeId"],
            Side(row["side"]),
            float(row["price"]),
            float(row["size"]),
            int(row["time"][:13]),
        )
        for row in rows
    ]
    assert len(trades) == 18
    assert set(kinds(parsed(captures, "spot_ticker_2021.jsonl", SPOT))) == {"Ignored"}


def test_answers_to_subscribes_of_2021(captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "kucoin", "spot_subscribe_acks_2021.jsonl")]
    incoming = [row for row in rows if row["type"] != "subscribe"]
    events = [event for row in incoming for event in KUCOIN.parse(SPOT, json.dumps(row), 7)]
    assert events == [Welcome()] + [Ack(ok=True, request_id="1")] * 13


def test_refusals(captures: Path) -> None:
    assert parsed(captures, "ws_errors.jsonl", SPOT) == [
        Ack(ok=False, request_id="p28", code="404", text="topic does not exist", whole_frame=True),
        Closing("ping timeout"),
        Closing("token is expired"),
        Closing("exceed max permits per 10 seconds"),
        Ack(ok=False, request_id="1", code="415", text="type is not supported", whole_frame=True),
        Ack(ok=False, request_id="p18", text="invalid request data"),
        Ack(
            ok=False,
            request_id="p20",
            text='topic Obu type = "public_spot" not allowed in current environment',
        ),
        Ack(ok=False, request_id="p22", text="symbols are not supported for topic obu"),
    ]


def answers(captures: Path, file: str) -> dict[str, Any]:
    """Answers by request; of one that was recorded twice the last."""
    return {row["request"]: row["response"] for row in map(json.loads, lines(captures, "kucoin", file))}


def test_rest_books(captures: Path) -> None:
    spot, futures = answers(captures, "rest_spot.jsonl"), answers(captures, "rest_futures.jsonl")
    for request in ("GET /api/v1/market/orderbook/level2_20", "GET /api/v3/market/orderbook/level2"):
        book = KUCOIN.parse_snapshot(SPOT, "BTC-USDT", json.dumps(spot[request]).encode(), 7)
        assert (book.seq, book.bids, book.asks, book.exchange_ms) == (
            14610502970,
            [(66976.4, 0.69109872), (66976.3, 0.14377)],
            [(66976.5, 0.05408199), (66976.8, 0.0005)],
            1729176273859,
        )
    for request in ("GET /api/v1/level2/depth{size}", "GET /api/v1/level2/snapshot"):
        book = KUCOIN.parse_snapshot(FUTURES, "XBTUSDM", json.dumps(futures[request]).encode(), 7)
        assert (book.seq, book.bids[1], book.asks[0], book.exchange_ms) == (
            1697895963339,
            (66964.8, 25596.0),
            (66968.1, 13501.0),
            1729168101216,
        )
    unified = answers(captures, "rest_uta.jsonl")["GET /api/ua/v1/market/orderbook"]
    book = KUCOIN.parse_snapshot(SPOT, "BTC-USDT", json.dumps(unified).encode(), 7)
    assert (book.seq, book.bids[0], book.asks[2], book.exchange_ms) == (
        20133903260,
        (104563.8, 1.1641935),
        (104564.1, 0.00098414),
        None,
    )


def test_tokens(captures: Path) -> None:
    spot = answers(captures, "rest_spot.jsonl")["POST /api/v1/bullet-public"]
    futures = answers(captures, "rest_futures.jsonl")["POST /api/v1/bullet-public (futures host)"]
    for market, told in ((SPOT, spot), (FUTURES, futures)):
        url = KUCOIN.ws_endpoint(market, Generation.CLASSIC, json.dumps(told).encode())
        assert url == f"wss://ws-api-{market}.kucoin.com/?token=TOKEN_PLACEHOLDER&connectId=ct"


def test_market_lists_of_2024_and_2025(captures: Path) -> None:
    """Recorded singly: a list of one is made of each."""
    row = answers(captures, "rest_spot.jsonl")["GET /api/v2/symbols/{symbol}"]
    [spot] = KUCOIN.parse_instruments(SPOT, json.dumps(row | {"data": [row["data"]]}).encode()).instruments
    row = answers(captures, "rest_futures.jsonl")["GET /api/v1/contracts/{symbol}"]
    content = json.dumps(row | {"data": [row["data"]]}).encode()
    [futures] = KUCOIN.parse_instruments(FUTURES, content).instruments
    assert (spot.pair, spot.tick, spot.lot, spot.min_amount, spot.min_notional) == (
        "BTC/USDT",
        Decimal("0.1"),
        Decimal("0.00000001"),
        Decimal("0.00001"),
        Decimal("0.1"),
    )
    assert (futures.pair, futures.tick, futures.lot, futures.contract_size) == (
        "BTC/USDT",
        Decimal("0.1"),
        1,
        Decimal("0.001"),
    )
    assert KUCOIN.parse_volumes(FUTURES, content) == {"XBTUSDTM": 1034643198.3265533}


def test_unified_market_lists(captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "kucoin", "rest_uta.jsonl")]
    coins, contracts = (json.dumps(row["response"]).encode() for row in rows if "instrument" in row["request"])
    [spot] = KUCOIN.parse_instruments(SPOT, coins).instruments
    [futures] = KUCOIN.parse_instruments(FUTURES, contracts).instruments
    assert (spot.pair, spot.tick, spot.lot, spot.min_notional) == (
        "BTC/USDT",
        Decimal("0.1"),
        Decimal("0.00000001"),
        Decimal("0.1"),
    )
    assert (futures.pair, futures.symbol, futures.contract_size) == ("BTC/USDT", "XBTUSDTM", Decimal("0.001"))


def test_the_market_list_of_2021(captures: Path) -> None:
    [content] = lines(captures, "kucoin", "rest_symbols_2021.jsonl")
    pairs = {row.symbol: row.pair for row in KUCOIN.parse_instruments(SPOT, content).instruments}
    assert pairs["BCHSV-USDT"] == "BSV/USDT", "the symbol outlived the name"
    assert pairs["SNX-BTC"] == "SNX/BTC"


def test_rest_errors(captures: Path) -> None:
    for content in lines(captures, "kucoin", "rest_errors.jsonl"):
        told = json.loads(content)
        busy = told["code"] == "429000"
        assert KUCOIN.retry_after(200, {}, content) == (3.0 if busy else None)
        with pytest.raises(Refused) as refused:
            KUCOIN.parse_instruments(SPOT, content)
        assert refused.value.code == told["code"]
