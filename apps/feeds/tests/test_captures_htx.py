"""HTX as recorded: whole final books, and every other public frame and answer parsed to the values it holds."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.book.builder import BookBuilder
from apps.feeds.drivers.base import Ack, Closing, Event, Ignored, Ping, Topic, TopicKind
from apps.feeds.drivers.htx.driver import Htx
from apps.feeds.errors import Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, BookState, InstrumentStatus, Levels, PublicTrade, Side
from apps.feeds.replay import Replay, SymbolReport, frames
from apps.feeds.tests.captures import FUTURES, SPOT, Model, lines

pytestmark = pytest.mark.captures
HTX = Htx()

STEP_FILES = [
    (SPOT, "spot_depth_step0_2021-04"),
    (FUTURES, "linear_depth_step0_trades_2022-02"),
    (FUTURES, "inverse_depth_step0_trades_2022-02"),
]


def replayed(captures: Path, market: Any, file: str) -> dict[str, SymbolReport]:
    replay = Replay(HTX, market, {})
    for frame in frames(lines(captures, "htx", file), base64=file.endswith(".b64.jsonl")):
        replay.play(frame)
    assert replay.malformed == []
    return {report.symbol: report for report in replay.finish()}


def rows(captures: Path, file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(captures, "htx", file)]


def parsed(captures: Path, market: Any, file: str) -> list[list[Event]]:
    return [HTX.parse(market, line, 7) for line in lines(captures, "htx", file)]


def levels(told: list[list[str]]) -> Levels:
    return [(float(price), float(amount)) for price, amount in told]


def last_step(told: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last whole book of each symbol as the recording spells it."""
    return {row["ch"].split(".")[1]: row["tick"] for row in told if ".depth.step0" in row.get("ch", "")}


def test_derived_spot_differences_end_in_the_expected_book(captures: Path) -> None:
    expected = json.loads((captures / "htx" / "derived_spot_mbp150_dogeeth.expected.json").read_bytes())
    report = replayed(captures, SPOT, "derived_spot_mbp150_dogeeth.jsonl")["dogeeth"]
    assert (report.state, report.seq, report.gaps) == (BookState.LIVE, expected["seqNum"], 0)
    assert (report.bids, report.asks) == (levels(expected["bids"]), levels(expected["asks"]))
    assert (report.applied, report.dropped) == (27, 2), "two early pushes were in the lagging snapshot"


def test_derived_contract_increments_end_in_the_expected_book(captures: Path) -> None:
    file = "derived_linear_size150_incremental_SNX-USDT"
    expected = json.loads((captures / "htx" / f"{file}.expected.json").read_bytes())
    report = replayed(captures, FUTURES, f"{file}.jsonl")["SNX-USDT"]
    assert (report.state, report.seq, report.gaps) == (BookState.LIVE, expected["version"], 0)
    assert (report.bids, report.asks) == (levels(expected["bids"]), levels(expected["asks"]))
    assert report.applied == 196


@pytest.mark.parametrize(("market", "file"), STEP_FILES)
def test_whole_books_end_as_the_last_of_each_symbol(captures: Path, market: Any, file: str) -> None:
    reports = replayed(captures, market, f"{file}.jsonl")
    last = last_step(rows(captures, f"{file}.jsonl"))
    assert reports.keys() == last.keys()
    for symbol, tick in last.items():
        report = reports[symbol]
        assert (report.seq, report.gaps) == (tick["version" if market is SPOT else "mrid"], 0)
        model = Model()
        model.set(tick["bids"], tick["asks"], whole=True)
        assert (report.bids, report.asks) == model.levels()


@pytest.mark.parametrize(("market", "file"), STEP_FILES)
def test_the_packed_frames_say_what_the_texts_say(captures: Path, market: Any, file: str) -> None:
    packed = list(frames(lines(captures, "htx", f"{file}.raw25.b64.jsonl"), base64=True))
    texts = lines(captures, "htx", f"{file}.jsonl")[: len(packed)]
    assert len(packed) == 25
    assert [HTX.parse(market, frame, 7) for frame in packed if isinstance(frame, bytes)] == [
        HTX.parse(market, text, 7) for text in texts
    ]


@pytest.mark.parametrize(("market", "file"), STEP_FILES)
def test_trades_acknowledgements_and_pings_among_the_books(captures: Path, market: Any, file: str) -> None:
    told = rows(captures, f"{file}.jsonl")
    events = [event for one in parsed(captures, market, f"{file}.jsonl") for event in one]
    trades = [event for event in events if isinstance(event, PublicTrade)]
    expected = [
        (
            row["ch"].split(".")[1],
            str(one["tradeId" if market is SPOT else "id"]),
            one["price"],
            one["amount"],
            one["ts"],
        )
        for row in told
        if row.get("ch", "").endswith("trade.detail")
        for one in row["tick"]["data"]
    ]
    assert [(one.symbol, one.trade_id, one.price, one.amount, one.exchange_ms) for one in trades] == expected
    assert trades
    acks = [event for event in events if isinstance(event, Ack)]
    assert acks == [Ack(ok=True, request_id=str(row["id"]), topics=(row["subbed"],)) for row in told if "subbed" in row]
    pings = [json.loads(event.reply)["pong"] for event in events if isinstance(event, Ping)]
    answered = [row["pong"] for row in rows(captures, f"{file}.client.jsonl") if "pong" in row]
    assert pings[: len(answered)] == answered[: len(pings)]  # a recording may end before its client
    assert pings


@pytest.mark.parametrize(
    ("file", "symbol", "live_at", "sides"),
    [
        ("spot_mbp150_btcusdt_2020-07.jsonl", "btcusdt", 109409288226, (8, 11)),
        ("spot_mbp150_aidogeusdt_2023-08.jsonl", "aidogeusdt", 155247337, (5, 3)),
    ],
)
def test_a_snapshot_that_lags_is_joined_and_the_gap_behind_it_is_found(
    captures: Path, file: str, symbol: str, live_at: int, sides: tuple[int, int]
) -> None:
    builder = BookBuilder(symbol, HTX.rule(SPOT, 50))
    shapes = {}
    for events in parsed(captures, SPOT, file):
        for event in events:
            if isinstance(event, BookSnapshot | BookDelta):
                builder.apply(event)
            if builder.book is not None:
                shapes[builder.seq] = (builder.book.bids_count, builder.book.asks_count)
    assert shapes == {live_at: sides}
    report = replayed(captures, SPOT, file)[symbol]
    assert (report.state, report.gaps, report.bids, report.asks) == (BookState.SYNCING, 1, [], [])


def test_spot_trades_of_2026(captures: Path) -> None:
    [[ack], [first], [ping], [second]] = parsed(captures, SPOT, "spot_trades_2026-08.jsonl")
    assert ack == Ack(ok=True, request_id="1", topics=("market.btcusdt.trade.detail",))
    assert ping == Ping('{"pong":1786563031344}')
    assert first == PublicTrade(
        symbol="btcusdt",
        trade_id="103627281663",
        side=Side.SELL,
        price=63349.89,
        amount=0.00556,
        exchange_ms=1786563016023,
        received_ns=7,
    )
    assert isinstance(second, PublicTrade)
    assert (second.trade_id, second.amount) == ("103627281664", 0.004682)


def test_odd_frames_of_linear_swaps(captures: Path) -> None:
    events = parsed(captures, FUTURES, "linear_misc_tardis_2020-2022.jsonl")
    [ack], [funding], [buy], [other_buy], [update] = events[:5]
    assert ack == Ack(ok=True, request_id="3", topics=("market.BTC-USDT.depth.size_150.high_freq",))
    assert funding == Ignored()
    assert [(one.trade_id, one.amount, one.side) for one in (buy, other_buy) if isinstance(one, PublicTrade)] == [
        ("2918913650000", 6.0, Side.BUY),
        ("2918924670000", 30.0, Side.BUY),
    ]
    assert update == BookDelta(
        symbol="ETC-USDT",
        seq=27290512,
        bids=[],
        asks=[(6.7918, 118.0), (6.7941, 0.0)],
        exchange_ms=1606780833036,
        received_ns=7,
    )
    assert events[5:9] == [[Ignored()]] * 4
    [nobodys] = events[9]
    assert isinstance(nobodys, PublicTrade)
    assert (nobodys.side, nobodys.price, nobodys.amount) == (Side.UNKNOWN, 19425.0, 2.0)


def test_odd_frames_of_coin_margined_swaps(captures: Path) -> None:
    [ignored], [ack], [sell], [last], [update], [basis], [empty], [gap] = parsed(
        captures, FUTURES, "inverse_misc_tardis_2020.jsonl"
    )
    assert [ignored, basis] == [Ignored(), Ignored()]
    assert ack == Ack(ok=True, request_id="1", topics=("market.ZEC-USD.trade.detail",))
    assert isinstance(sell, PublicTrade)
    assert isinstance(last, PublicTrade)
    assert (sell.amount, last.amount, last.price) == (8.0, 80.0, 177.3)
    assert isinstance(update, BookDelta)
    assert (update.symbol, update.seq, update.bids) == ("BCH-USD", 164176090, [(239.34, 1021.0)])
    assert isinstance(empty, BookSnapshot)
    assert (empty.symbol, empty.seq, empty.bids, empty.asks, empty.restarts) == ("BCH_NQ", 5, [], [], True)
    assert isinstance(gap, BookDelta)
    assert gap.seq == 8


def test_acknowledgements_refusals_and_pings(captures: Path) -> None:
    events = [event for [event] in parsed(captures, SPOT, "acks_errors_pings.jsonl")]
    assert events == [
        Ack(ok=True, request_id="1583414227", topics=("market.btcusdt.mbp.150",)),
        Ack(ok=True, request_id="2", topics=("market.BTC-USDT-251003.detail",)),
        Ack(ok=False, request_id="2", code="bad-request", text="invalid mbp.150.symbol linkusdt"),
        *[Ignored()] * 5,
        Ping('{"action":"pong","data":{"ts":1575537778295}}'),
        Ping('{"op":"pong","ts":"1492420473058"}'),
        Ping('{"pong":1786563068868}'),
        Closing("close"),
        *[Ignored()] * 3,
    ]


def test_our_commands_are_those_of_the_recorded_client(captures: Path) -> None:
    sent = [row for row in rows(captures, "spot_depth_step0_2021-04.client.jsonl") if "sub" in row]
    for row in sent:
        number, (_, symbol, channel) = row["id"], row["sub"].split(".", 2)
        if channel == "trade.detail":
            [command] = HTX.subscribe(SPOT, [Topic(kind=TopicKind.TRADES, symbol=symbol)], number)
            assert json.loads(command.frame) == {"sub": row["sub"], "id": str(number)}
    assert sent


def test_market_lists(captures: Path) -> None:
    [content] = lines(captures, "htx", "rest_spot_common_symbols_trimmed_2021.json")
    told = {row["symbol"]: row for row in json.loads(content)["data"]}
    spot = HTX.parse_instruments(SPOT, content).instruments
    assert {row.symbol for row in spot} == told.keys()
    for row in spot:
        source = told[row.symbol]
        assert row.pair == f"{source['base-currency']}/{source['quote-currency']}".upper()
        assert (row.tick.as_tuple().exponent, row.lot.as_tuple().exponent) == (
            -source["price-precision"],
            -source["amount-precision"],
        )
        assert row.min_notional == Decimal(str(source["min-order-value"]))
        open_ = (source["state"], source["api-trading"]) == ("online", "enabled")
        assert (row.status is InstrumentStatus.TRADING) == open_
    [content] = lines(captures, "htx", "rest_linear_swap_contract_info_trimmed_2022.json")
    linear = {row.symbol: row for row in HTX.parse_instruments(FUTURES, content).instruments}
    sizes = {symbol: row.contract_size for symbol, row in linear.items()}
    assert sizes["BTC-USDT"] == Decimal("0.001")
    assert sizes["ETH-USDT"] == Decimal("0.01")
    assert sizes["SHIB-USDT"] == Decimal(1000)
    assert (linear["SHIB-USDT"].tick, linear["SHIB-USDT"].pair) == (Decimal("1E-8"), "SHIB/USDT")
    [content] = lines(captures, "htx", "rest_inverse_swap_contract_info_trimmed_2022.json")
    assert HTX.parse_instruments(FUTURES, content).instruments == []


def test_a_book_by_rest(captures: Path) -> None:
    [body] = [row["_body"] for row in rows(captures, "rest_spot.jsonl") if row["_case"] == "depth_step0"]
    book = HTX.parse_snapshot(SPOT, "btcusdt", json.dumps(body).encode(), 7)
    assert (book.seq, book.bids[0], book.asks[2], book.from_rest) == (
        104999698781,
        (9100.29, 0.2),
        (9101.03, 0.012121),
        True,
    )


def test_rest_errors(captures: Path) -> None:
    fates = []
    for line in lines(captures, "htx", "rest_errors.jsonl"):
        with pytest.raises((Refused, Retryable)) as caught:
            HTX.parse_volumes(SPOT, line)
        fates.append((HTX.retry_after(200, {}, line), getattr(caught.value, "code", "again")))
    assert fates == [
        (None, "order-limitorder-amount-min-error"),
        (None, "api-signature-not-valid"),
        (None, "403"),
        (None, "1047"),
        (None, "1051"),
        (None, "1017"),
        (None, "1013"),
        (None, "order-orderstate-error"),
        (None, "again"),
        (1.0, "invalid-parameter"),
        (1.0, "base-request-exceed-frequency-limit"),
        (None, "again"),
    ]


def test_numbers_of_whole_books_rise(captures: Path) -> None:
    for market, file in STEP_FILES:
        numbers: dict[str, list[int]] = {}
        for events in parsed(captures, market, f"{file}.jsonl"):
            for event in events:
                if isinstance(event, BookSnapshot) and event.seq is not None:
                    numbers.setdefault(event.symbol, []).append(event.seq)
        assert all(earlier <= later for told in numbers.values() for earlier, later in pairwise(told))
