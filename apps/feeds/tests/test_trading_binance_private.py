"""Binance's trading half: what its private frames mean."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Closing, Ignored
from apps.feeds.drivers.trading import (
    IdForm,
    LoginRefused,
    Subscribed,
    Token,
    TokenExpired,
)
from apps.feeds.errors import (
    MalformedFrame,
    Refused,
)
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Fill,
    LookUp,
    MarginMode,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_binance import BINANCE, FUTURES, KEYS, NOW, OURS, SPOT, private


def report(**changes):
    event = {
        "e": "executionReport",
        "E": 21,
        "s": "BTCUSDT",
        "c": OURS,
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "1.0",
        "p": "2500.0",
        "C": "",
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "r": "NONE",
        "i": 12,
        "l": "0.5",
        "z": "0.5",
        "L": "2499.5",
        "n": "0.0005",
        "N": "BNB",
        "T": 20,
        "t": 98,
        "m": True,
        "Z": "1249.75",
        "Q": "0",
    }
    return {"subscriptionId": 0, "event": event | changes}


UPDATE = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="12",
    client_order_id=OURS,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=Decimal("0.5"),
    amount=Decimal(1),
    price=Decimal(2500),
    average_price=Decimal("2499.5"),
    exchange_ms=20,
    text="PARTIALLY_FILLED",
    position_side=PositionSide.NET,
)
EXECUTED = Fill(
    symbol="BTCUSDT",
    exchange_order_id="12",
    client_order_id=OURS,
    trade_id="98",
    side=Side.BUY,
    price=Decimal("2499.5"),
    amount=Decimal("0.5"),
    fee=Decimal("0.0005"),
    fee_asset="BNB",
    is_maker=True,
    exchange_ms=20,
    position_side=PositionSide.NET,
)


def futures_report(**changes):
    row = {key: value for key, value in report()["event"].items() if key not in ("e", "E", "C", "r", "Z", "Q")}
    return {"e": "ORDER_TRADE_UPDATE", "E": 21, "T": 20, "o": row | {"ap": "2499.5", "ps": "BOTH"} | changes}


def test_a_trade_is_a_fill_and_the_orders_new_state():
    of_spot = [replace(EXECUTED, position_side=None), replace(UPDATE, position_side=None)]
    assert private(SPOT, report()) == of_spot
    assert private(FUTURES, futures_report()) == [EXECUTED, UPDATE]


def test_futures_events_may_be_wrapped_with_their_streams_name():
    assert private(FUTURES, {"stream": "x", "data": futures_report()}) == [EXECUTED, UPDATE]


def test_a_cancels_report_names_the_order_apart():
    told = report(x="CANCELED", X="CANCELED", c="of-the-cancel", C=OURS, l="0", z="0", Z="0", t=-1, n="0", N=None)
    [update] = private(SPOT, told)
    assert (update.client_order_id, update.status, update.average_price) == (OURS, OrderStatus.CANCELLED, None)


def test_a_refusals_reason_is_told():
    [update] = private(SPOT, report(x="REJECTED", X="REJECTED", r="GTX_ORDER_REJECT", l="0", z="0", Z="0"))
    assert (update.status, update.text) == (OrderStatus.REJECTED, "REJECTED GTX_ORDER_REJECT")


def test_self_trade_prevention_is_no_fill():
    [update] = private(SPOT, report(x="TRADE_PREVENTION", X="EXPIRED_IN_MATCH", z="0", Z="0"))
    assert (update.status, update.filled) == (OrderStatus.EXPIRED, 0)


def test_a_trade_of_nothing_changes_the_status_alone():
    [update] = private(FUTURES, futures_report(l="0", z="1.0", X="FILLED"))
    assert (update.status, update.filled) == (OrderStatus.FILLED, 1)


def test_a_liquidation_is_a_fill():
    events = private(FUTURES, futures_report(x="CALCULATED", X="NEW_INSURANCE", l="1.0", z="1.0", c="autoclose-1"))
    assert isinstance(events[0], Fill)
    assert (events[0].client_order_id, events[1].status) == ("autoclose-1", OrderStatus.FILLED)


@pytest.mark.parametrize("missing", [{"n": None}, {"t": -1}, {"N": None}])
def test_a_fill_without_its_fee_or_id_is_looked_up(missing):
    assert private(FUTURES, futures_report(**missing)) == [
        LookUp(symbol="BTCUSDT", exchange_order_id="12", client_order_id=OURS),
        UPDATE,
    ]


def test_a_fill_that_costs_nothing_names_no_asset():
    [executed, _] = private(SPOT, report(n="0", N=None))
    assert (executed.fee, executed.fee_asset) == (0, "")


def test_coin_margined_reports_are_not_ours():
    assert private(FUTURES, futures_report(st=2)) == [Ignored()]
    assert private(FUTURES, {"e": "ACCOUNT_UPDATE", "T": 1, "st": 2, "a": {}}) == [Ignored()]


def test_balances_of_spot_are_those_touched():
    frame = {"e": "outboundAccountPosition", "E": 21, "u": 20, "B": [{"a": "ETH", "f": "1.5", "l": "0.5"}]}
    row = Balance(asset="ETH", free=Decimal("1.5"), total=Decimal(2))
    assert private(SPOT, {"subscriptionId": 0, "event": frame}) == [Balances(rows=[row], whole=False, exchange_ms=21)]


def test_futures_tell_wallets_without_what_is_free_and_positions_by_side():
    position = {"s": "BTCUSDT", "pa": "-10", "ep": "6563.8", "up": "-1423.1", "mt": "isolated", "ps": "SHORT"}
    frame = {"e": "ACCOUNT_UPDATE", "T": 20, "a": {"m": "ORDER", "B": [{"a": "USDT", "wb": "9.5", "cw": "1"}]}}
    frame["a"]["P"] = [position]
    assert private(FUTURES, frame) == [
        Balances(rows=[Balance(asset="USDT", free=None, total=Decimal("9.5"))], whole=False, exchange_ms=20),
        Positions(
            rows=[
                Position(
                    symbol="BTCUSDT",
                    side=PositionSide.SHORT,
                    amount=Decimal(-10),
                    entry_price=Decimal("6563.8"),
                    unrealised=Decimal("-1423.1"),
                    margin_mode=MarginMode.ISOLATED,
                )
            ],
            whole=False,
            exchange_ms=20,
        ),
    ]
    assert private(FUTURES, {"e": "ACCOUNT_UPDATE", "T": 20, "a": {"m": "FUNDING_FEE"}}) == [Ignored()]


def test_the_streams_own_events():
    assert private(SPOT, {"id": "user-data", "status": 200, "result": {"subscriptionId": 0}}) == [
        Subscribed(channel="userDataStream")
    ]
    assert private(SPOT, {"id": "user-data", "status": 400, "error": {"code": -2035, "msg": "already"}}) == [
        Subscribed(channel="userDataStream")
    ]
    assert private(SPOT, {"id": "user-data", "status": 401, "error": {"code": -2015, "msg": "Invalid API-key"}}) == [
        LoginRefused(code="-2015", text="Invalid API-key")
    ]
    assert private(SPOT, {"id": "user-data", "status": 400, "error": {"code": -1021, "msg": "Timestamp"}}) == [
        Subscribed(channel="userDataStream", ok=False, code="-1021", text="Timestamp")
    ]
    assert private(SPOT, {"event": {"e": "eventStreamTerminated", "E": 1}}) == [TokenExpired()]
    assert private(SPOT, {"event": {"e": "serverShutdown", "E": 1}}) == [Closing("serverShutdown")]
    assert private(SPOT, {"event": {"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "1"}}) == [Ignored()]
    assert private(FUTURES, {"e": "listenKeyExpired", "E": 1, "listenKey": "x"}) == [TokenExpired()]
    assert private(FUTURES, {"e": "serverShutdown", "E": 1}) == [Closing("serverShutdown")]
    assert private(FUTURES, {"e": "TRADE_LITE", "E": 1}) == [Ignored()]


@pytest.mark.parametrize(
    ("market", "frame"),
    [
        (SPOT, {}),
        (SPOT, {"event": {"e": "somethingNew"}}),
        (SPOT, {"event": {}}),
        (SPOT, {"id": "user-data"}),
        (SPOT, {"id": "user-data", "status": 200}),
        (SPOT, report(X="HALF")),
        (SPOT, report(S="LEFT")),
        (SPOT, report(z="-1")),
        (SPOT, report(z="NaN")),
        (SPOT, report(L="0")),
        (SPOT, report(q="1e99")),
        (FUTURES, {}),
        (FUTURES, {"e": "SOMETHING_NEW"}),
        (FUTURES, {"e": "ORDER_TRADE_UPDATE"}),
        (FUTURES, {"e": "ACCOUNT_UPDATE", "T": 1, "a": {"P": [{"s": "X"}]}}),
        (FUTURES, "not json"),
    ],
)
def test_what_is_not_documented_is_malformed(market, frame):
    with pytest.raises(MalformedFrame):
        private(market, frame)


def test_a_listen_key_opens_the_futures_stream_and_spot_needs_none():
    assert BINANCE.token_request(KEYS, SPOT, NOW) is None
    assert BINANCE.private_endpoint(KEYS, SPOT, None) == "wss://ws-api.binance.com:443/ws-api/v3"
    request = BINANCE.token_request(KEYS, FUTURES, NOW)
    assert (request.method, request.url) == ("POST", "https://fapi.binance.com/fapi/v1/listenKey")
    assert (request.headers, request.body) == ({"X-MBX-APIKEY": "a-key"}, "")
    token = BINANCE.parse_token(FUTURES, answer({"listenKey": "abc"}))
    assert token == Token(value="abc", renew_every_s=1200.0)
    assert BINANCE.private_endpoint(KEYS, FUTURES, token) == (
        "wss://fstream.binance.com/private/ws?listenKey=abc&events="
        "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ACCOUNT_CONFIG_UPDATE/MARGIN_CALL/listenKeyExpired"
    )
    renewal = BINANCE.renew_request(KEYS, FUTURES, token, NOW)
    assert (renewal.method, renewal.url) == ("PUT", request.url)
    assert BINANCE.renew_request(KEYS, SPOT, token, NOW) is None
    assert BINANCE.parse_token(FUTURES, answer({})).value == ""
    with pytest.raises(Refused):
        BINANCE.parse_token(FUTURES, answer({"code": -1125, "msg": "This listenKey does not exist."}, 400))


def test_who_logs_in_and_what_has_to_run():
    assert BINANCE.login(KEYS, SPOT, NOW) == BINANCE.login(KEYS, FUTURES, NOW) == []
    assert BINANCE.private_channels(SPOT) == ("userDataStream",)
    assert (BINANCE.private_channels(FUTURES), BINANCE.subscribe_private(KEYS, FUTURES, NOW)) == ((), [])
    assert BINANCE.private_heartbeat(SPOT).send is None
    assert BINANCE.id_form(FUTURES) is IdForm.TEXT
    assert BINANCE.trade_limits(SPOT).budgets["orders"].count == 50
