"""MEXC by REST, both of its APIs: requests, answers, and when to stay away."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.mexc.driver import Mexc
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookSnapshot, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
MEXC = Mexc()


def body(content):
    return json.dumps(content).encode()


def wrapped(data):
    return body({"success": True, "code": 0, "data": data})


def test_a_spot_book():
    assert MEXC.snapshot_request(SPOT, "龙虾USDT", 50).url == (
        "https://api.mexc.com/api/v3/depth?symbol=%E9%BE%99%E8%99%BEUSDT&limit=1000"
    )
    content = body({"lastUpdateId": 6, "bids": [["375.80", "2"]], "asks": []})
    assert MEXC.parse_snapshot(SPOT, "X", content, 7) == BookSnapshot(
        symbol="X", seq=6, bids=[(375.8, 2.0)], asks=[], received_ns=7, from_rest=True
    )


def test_a_futures_book_counts_contracts():
    assert MEXC.snapshot_request(FUTURES, "BTC_USDT", 0).url == (
        "https://api.mexc.com/api/v1/contract/depth/BTC_USDT?limit=1000"
    )
    content = wrapped({"cts": None, "asks": [[101.5, 2, 5]], "bids": [], "version": 6, "timestamp": 5})
    assert MEXC.parse_snapshot(FUTURES, "X", content, 7) == BookSnapshot(
        symbol="X", seq=6, bids=[], asks=[(101.5, 2.0)], exchange_ms=5, received_ns=7, from_rest=True
    )


@pytest.mark.parametrize(
    ("market", "content", "error", "code"),
    [
        (SPOT, {"code": 10007, "msg": "symbol not support api"}, Refused, "10007"),
        (SPOT, {"code": 500, "msg": "server"}, Retryable, None),
        (SPOT, {"code": 429, "msg": "often"}, Retryable, None),
        (SPOT, {}, MalformedFrame, None),
        (FUTURES, {"success": False, "code": 1001, "message": "Contract does not exist"}, Refused, "1001"),
        (FUTURES, {"success": False, "code": 510}, Retryable, None),
        (FUTURES, {"code": 500, "msg": "Under maintenance"}, Retryable, None),
        (FUTURES, {"code": 0, "data": {"version": 1}}, Refused, "0"),
        (FUTURES, {"success": True, "code": 0}, MalformedFrame, None),
        (FUTURES, [], MalformedFrame, None),
        (FUTURES, {"success": True}, Refused, ""),
    ],
)
def test_an_answer_that_is_no_book_says_what_to_do(market, content, error, code):
    with pytest.raises(error) as caught:
        MEXC.parse_snapshot(market, "X", body(content), 7)
    assert getattr(caught.value, "code", None) == code


def spot_listing(**changes):
    return {
        "symbol": "BTCUSDT",
        "status": "1",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quoteAssetPrecision": 2,
        "baseSizePrecision": "0.000001",
        "quoteAmountPrecision": "1",
        "isSpotTradingAllowed": True,
        "tradeSideType": 1,
    } | changes


def spot_instrument(**changes):
    [row] = MEXC.parse_instruments(SPOT, body({"symbols": [spot_listing(**changes)]})).instruments
    return row


def test_a_spot_listing_has_its_minima_in_fields_named_precision():
    assert MEXC.instruments_request(SPOT).url == "https://api.mexc.com/api/v3/exchangeInfo"
    coin = spot_instrument()
    assert (coin.pair, coin.symbol, coin.tick, coin.lot) == ("BTC/USDT", "BTCUSDT", Decimal("0.01"), Decimal("1E-8"))
    assert (coin.min_amount, coin.min_notional) == (Decimal("0.000001"), Decimal(1))
    assert coin.status is InstrumentStatus.TRADING
    assert spot_instrument(baseSizePrecision="0").min_amount is None


@pytest.mark.parametrize(
    "change", [{"status": "2"}, {"status": "ENABLED"}, {"isSpotTradingAllowed": False}, {"tradeSideType": 3}]
)
def test_only_pairs_open_on_both_sides_trade(change):
    assert spot_instrument(**change).status is InstrumentStatus.SUSPENDED


def futures_listing(**changes):
    return {
        "symbol": "FILECOIN_USDT",
        "baseCoin": "FILECOIN",
        "baseCoinName": "FIL",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "contractSize": 0.1,
        "priceUnit": 0.001,
        "volUnit": 1,
        "minVol": 1,
        "state": 0,
        "futureType": 1,
        "apiAllowed": True,
        "conceptPlate": ["mc-trade-zone-layer1"],
    } | changes


def futures_instruments(**changes):
    return MEXC.parse_instruments(FUTURES, wrapped([futures_listing(**changes)])).instruments


def test_a_contract_is_named_by_its_ticker_and_worth_coins():
    assert MEXC.instruments_request(FUTURES).url == "https://api.mexc.com/api/v1/contract/detail"
    [row] = futures_instruments()
    assert (row.pair, row.symbol, row.settle, row.contract_size) == (
        "FIL/USDT",
        "FILECOIN_USDT",
        "USDT",
        Decimal("0.1"),
    )
    assert (row.tick, row.lot, row.min_amount) == (Decimal("0.001"), Decimal(1), Decimal(1))
    assert row.status is InstrumentStatus.TRADING
    [unnamed] = futures_instruments(baseCoinName="", symbol="PEPE_USDT", baseCoin="PEPE", contractSize=10_000_000)
    assert (unnamed.pair, unnamed.contract_size) == ("PEPE/USDT", Decimal(10_000_000))


@pytest.mark.parametrize(
    "change",
    [
        {"futureType": 2},
        {"settleCoin": "BTC", "quoteCoin": "USD"},
        {"conceptPlate": ["mc-trade-zone-tradfi"]},
        {"baseCoin": "NVDASTOCK"},
        {"contractSize": 0},
        {"priceUnit": 0},
    ],
)
def test_what_is_not_in_the_catalogue(change):
    assert futures_instruments(**change) == []


@pytest.mark.parametrize("change", [{"state": 1}, {"state": 4}, {"state": 9}, {"apiAllowed": False}])
def test_only_enabled_contracts_open_to_programs_trade(change):
    [row] = futures_instruments(**change)
    assert row.status is InstrumentStatus.SUSPENDED


def test_volumes_are_in_quote_currency():
    assert MEXC.volumes_request(SPOT).url == "https://api.mexc.com/api/v3/ticker/24hr"
    tickers = body([{"symbol": "BTCUSDT", "quoteVolume": "12.5"}, {"symbol": "ODD", "quoteVolume": None}])
    assert MEXC.parse_volumes(SPOT, tickers) == {"BTCUSDT": 12.5}
    with pytest.raises(Refused):
        MEXC.parse_volumes(SPOT, body({"code": 602, "msg": "signature"}))
    assert MEXC.volumes_request(FUTURES).url == "https://api.mexc.com/api/v1/contract/ticker"
    rows = wrapped([{"symbol": "BTC_USDT", "volume24": 5, "amount24": 70.5}, {"symbol": "ODD_USDT"}])
    assert MEXC.parse_volumes(FUTURES, rows) == {"BTC_USDT": 70.5}


@pytest.mark.parametrize(
    ("status", "headers", "content", "after_s"),
    [
        (403, {}, b"<html>", 90.0),
        (418, {"Retry-After": "300"}, b"{}", 300.0),
        (418, {}, b"{}", 120.0),
        (429, {"retry-after": "5"}, b"", 5.0),
        (429, {}, b"", 10.0),
        (200, {}, b'{"success":false,"code":510}', 2.0),
        (200, {}, b'{"success":false,"code":2037}', 2.0),
        (200, {}, b'{"success":true,"code":0,"data":[]}', None),
        (200, {}, b"[]", None),
        (400, {}, b'{"code":10007,"msg":"x"}', None),
        (502, {}, b"<html>", None),
    ],
)
def test_how_long_to_stay_away(status, headers, content, after_s):
    assert MEXC.retry_after(status, headers, content) == after_s
