"""HTX by REST: requests, answers, and when to stay away."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.htx.driver import Htx
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookSnapshot, InstrumentStatus, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
HTX = Htx()


def answer(**content):
    return json.dumps({"status": "ok", "ts": 5} | content).encode()


def test_a_rest_book_stands_by_itself():
    assert HTX.snapshot_request(SPOT, "btcusdt", 0).url == (
        "https://api.huobi.pro/market/depth?type=step0&symbol=btcusdt"
    )
    assert HTX.snapshot_request(FUTURES, "BTC-USDT", 0).url == (
        "https://api.hbdm.com/linear-swap-ex/market/depth?type=step0&contract_code=BTC-USDT"
    )
    content = answer(tick={"version": 31, "mrid": 44, "bids": [[1, 2]], "asks": []})
    assert [HTX.parse_snapshot(market, "X", content, 7).seq for market in (SPOT, FUTURES)] == [31, 44]
    assert HTX.parse_snapshot(SPOT, "X", content, 7) == BookSnapshot(
        symbol="X", seq=31, bids=[(1, 2)], asks=[], exchange_ms=5, received_ns=7, from_rest=True
    )
    with pytest.raises(MalformedFrame):
        HTX.parse_snapshot(SPOT, "X", answer(tick={"bids": [], "asks": []}), 7)


@pytest.mark.parametrize(
    ("told", "error", "code"),
    [
        ({"status": "error", "err-code": "invalid-parameter", "err-msg": "bad"}, Refused, "invalid-parameter"),
        ({"status": "error", "err_code": 1013, "err_msg": "This contract symbol doesnt exist."}, Refused, "1013"),
        ({"status": "error", "err-code": "timeout", "err-msg": "Request Timeout"}, Retryable, None),
        ({"status": "error", "err_code": 1046, "err_msg": "busy"}, Retryable, None),
        ({"status": "maintain"}, Retryable, None),
    ],
)  # fmt: skip
def test_an_error_says_whether_to_ask_again(told, error, code):
    with pytest.raises(error) as caught:
        HTX.parse_instruments(SPOT, json.dumps(told).encode())
    assert getattr(caught.value, "code", None) == code


def spot_listing(**changes):
    return {
        "base-currency": "btc",
        "quote-currency": "usdt",
        "symbol": "btcusdt",
        "state": "online",
        "api-trading": "enabled",
        "price-precision": 2,
        "amount-precision": 6,
        "limit-order-min-order-amt": 0.0001,
        "min-order-value": 10,
    } | changes


def test_a_spot_listing():
    assert HTX.instruments_request(SPOT).url == "https://api.huobi.pro/v1/common/symbols"
    [coin] = HTX.parse_instruments(SPOT, answer(data=[spot_listing()])).instruments
    assert (coin.key.pair, coin.symbol, coin.base, coin.quote, coin.settle) == (
        "BTC/USDT",
        "btcusdt",
        "BTC",
        "USDT",
        "USDT",
    )
    assert (coin.tick, coin.lot) == (Decimal("0.01"), Decimal("0.000001"))
    assert (coin.min_amount, coin.min_notional) == (Decimal("0.0001"), Decimal(10))
    assert (coin.contract_size, coin.status) == (Decimal(1), InstrumentStatus.TRADING)


@pytest.mark.parametrize("change", [{"state": "offline"}, {"state": "suspend"}, {"api-trading": "disabled"}])
def test_only_what_is_online_and_open_to_programs_trades(change):
    [coin] = HTX.parse_instruments(SPOT, answer(data=[spot_listing(**change)])).instruments
    assert coin.status is InstrumentStatus.SUSPENDED


def contract_listing(**changes):
    return {
        "symbol": "BTC",
        "contract_code": "BTC-USDT",
        "contract_size": 0.001,
        "price_tick": 0.1,
        "contract_status": 1,
        "business_type": "swap",
    } | changes


def test_a_contract_is_worth_coins_and_comes_in_whole_numbers():
    [swap] = HTX.parse_instruments(FUTURES, answer(data=[contract_listing()])).instruments
    assert (swap.pair, swap.symbol, swap.settle, swap.contract_size) == (
        "BTC/USDT",
        "BTC-USDT",
        "USDT",
        Decimal("0.001"),
    )
    assert (swap.tick, swap.lot, swap.status) == (Decimal("0.1"), Decimal(1), InstrumentStatus.TRADING)
    [paused] = HTX.parse_instruments(FUTURES, answer(data=[contract_listing(contract_status=5)])).instruments
    assert paused.status is InstrumentStatus.SUSPENDED


@pytest.mark.parametrize(
    "change",
    [
        {"business_type": "futures", "contract_code": "BTC-USDT-261225"},
        {"contract_code": "BTC-USD", "contract_size": 100.0},
        {"business_type": ""},
        {"contract_size": 0},
        {"price_tick": 0},
    ],
)
def test_what_is_not_in_the_catalogue(change):
    assert HTX.parse_instruments(FUTURES, answer(data=[contract_listing(**change)])).instruments == []


def test_volumes_are_in_quote_currency():
    assert HTX.volumes_request(SPOT).url == "https://api.huobi.pro/market/tickers"
    tickers = answer(data=[{"symbol": "btcusdt", "amount": 2, "vol": 200.5}, {"symbol": "oddusdt"}])
    assert HTX.parse_volumes(SPOT, tickers) == {"btcusdt": 200.5}
    assert HTX.volumes_request(FUTURES).url == "https://api.hbdm.com/linear-swap-ex/market/detail/batch_merged"
    ticks = answer(ticks=[{"contract_code": "BTC-USDT", "vol": "9", "trade_turnover": "70.5"}, {"contract_code": "X"}])
    assert HTX.parse_volumes(FUTURES, ticks) == {"BTC-USDT": 70.5}


@pytest.mark.parametrize(
    ("status", "headers", "body", "after_s"),
    [
        (429, {}, b"", 1.0),
        (429, {"Retry-After": "7"}, b"", 7.0),
        (429, {"ratelimit-reset": "2500"}, b"", 2.5),
        (429, {"ratelimit-reset": "1786563068868"}, b"", 1.0),
        (429, {"ratelimit-reset": "soon"}, b"", 1.0),
        (200, {}, b'{"status":"error","err-code":"base-request-exceed-frequency-limit","err-msg":"x"}', 1.0),
        (200, {}, b'{"status":"error","err_code":1032,"err_msg":"x"}', 1.0),
        (200, {}, b'{"status":"error","err-code":"invalid-parameter","err-msg":"request limit"}', 1.0),
        (200, {}, b'{"status":"error","err-code":"invalid-parameter","err-msg":"invalid symbol"}', None),
        (200, {}, b'{"status":"ok"}', None),
        (502, {}, b"<html>", None),
    ],
)
def test_how_long_to_stay_away(status, headers, body, after_s):
    assert HTX.retry_after(status, headers, body) == after_s
