"""Bybit's trading half: what is signed and sent."""

from decimal import Decimal

import pytest

from apps.feeds.drivers.bybit import signing
from apps.feeds.drivers.trading import (
    ExpiryCheck,
)
from apps.feeds.errors import (
    InvalidOrder,
    Refused,
)
from apps.feeds.market import Side
from apps.feeds.orders import (
    Credentials,
    MarginMode,
    OrderType,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests import good_account_frames_bybit as good
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_bybit import BYBIT, FUTURES, KEYS, NOW, OURS, SPOT, instrument, order, placed, ref, sent


def test_the_worked_signatures_are_reproduced():
    keys = Credentials(key="test-key", secret="test-secret")
    read = signing.get(keys, "position/list", {"category": "linear", "symbol": "BTCUSDT"}, 1658384314791)
    assert read.headers["X-BAPI-SIGN"] == "acbce6f124ccb7a0f1a447455f5ade0ab2b18de10682b04f40e02d260e338d26"
    body = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001"}
    body |= {"price": "30000", "timeInForce": "GTC", "orderLinkId": "ct-0001"}
    write = signing.post(keys, "order/create", body, 1658385579423)
    assert write.headers["X-BAPI-SIGN"] == "f66b421fc80c6ec93b8d4dcbe8079177cb5e8ff69b22108ce3694cce804103a7"
    assert write.body == (
        '{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001",'
        '"price":"30000","timeInForce":"GTC","orderLinkId":"ct-0001"}'
    )
    proof = signing.login(Credentials(key="test-key", secret="test-secret"), 1662350400000)
    assert proof == ["test-key", 1662350400000, "f072aab6fa18cd774da998325df6cfc87c3ccf10d5722e6b43b570c5feaf6172"]


def test_a_limit_order_on_spot():
    request = BYBIT.place(KEYS, order(), NOW)
    assert sent(request) == (
        "POST order/create",
        {
            "category": "spot",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.01",
            "price": "30000.5",
            "timeInForce": "GTC",
            "orderLinkId": OURS,
            "smpType": "CancelTaker",
        },
    )
    assert (request.expires_ms, request.budget, request.weight) == (NOW + 2_000, "create-spot", 1)


def test_a_limit_order_on_futures():
    assert placed(FUTURES, side=Side.SELL, tif=TimeInForce.POST_ONLY, reduce_only=True) == (
        "POST order/create",
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Sell",
            "orderType": "Limit",
            "qty": "0.01",
            "price": "30000.5",
            "timeInForce": "PostOnly",
            "reduceOnly": True,
            "orderLinkId": OURS,
            "smpType": "CancelTaker",
        },
    )


def test_market_orders_on_spot_say_what_their_amount_counts():
    market = {"type": OrderType.MARKET, "price": None}
    _, base = placed(SPOT, **market)
    _, quote = placed(SPOT, **market, amount=None, quote_amount=Decimal("25.50"))
    _, sell = placed(SPOT, **market, side=Side.SELL)
    _, futures = placed(FUTURES, **market)
    assert [(one["qty"], one.get("marketUnit")) for one in (base, quote, sell, futures)] == [
        ("0.01", "baseCoin"),
        ("25.5", "quoteCoin"),
        ("0.01", "baseCoin"),
        ("0.01", None),
    ]
    assert not base.keys() & {"price", "timeInForce"}


def test_hedge_mode_names_the_position_by_its_index():
    _, opens = placed(FUTURES, position_side=PositionSide.SHORT, side=Side.SELL)
    _, closes = placed(FUTURES, position_side=PositionSide.LONG, side=Side.SELL, reduce_only=True)
    assert (opens["positionIdx"], closes["positionIdx"], closes["reduceOnly"]) == (2, 1, True)
    with pytest.raises(InvalidOrder):
        placed(SPOT, position_side=PositionSide.LONG)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal("0.0105")},
        {"price": Decimal("30000.55")},
        {"price": None},
        {"amount": None},
        {"expires_ms": NOW},
        {"reduce_only": True},
        {"side": Side.UNKNOWN},
        {"type": OrderType.MARKET, "price": None, "side": Side.SELL, "amount": None, "quote_amount": Decimal(5)},
    ],
)
def test_what_the_exchange_would_refuse_is_not_sent(changes):
    with pytest.raises(InvalidOrder):
        BYBIT.place(KEYS, order(**changes), NOW)


def test_an_order_never_lives_longer_than_the_exchange_allows():
    assert BYBIT.place(KEYS, order(expires_ms=NOW + 600_000), NOW).expires_ms == NOW + 5_000
    assert (BYBIT.expiry(SPOT).check, BYBIT.expiry(FUTURES).longest_ms) == (ExpiryCheck.GATEWAY, 5_000)


ABOUT = {"category": "spot", "symbol": "BTCUSDT"}
SWAP = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.mark.parametrize(
    ("request_", "path", "params", "budget"),
    [
        (BYBIT.cancel(KEYS, ref(), NOW), "POST order/cancel", ABOUT | {"orderLinkId": OURS}, "cancel-spot"),
        (
            BYBIT.cancel(KEYS, ref(FUTURES, theirs="7"), NOW),
            "POST order/cancel",
            SWAP | {"orderLinkId": OURS},
            "cancel-linear",
        ),
        (
            BYBIT.cancel(KEYS, ref(ours=None, theirs="7"), NOW),
            "POST order/cancel",
            ABOUT | {"orderId": "7"},
            "cancel-spot",
        ),
        (BYBIT.cancel_all(KEYS, instrument(), NOW), "POST order/cancel-all", ABOUT, "cancel-all-spot"),
        (BYBIT.cancel_all(KEYS, instrument(FUTURES), NOW), "POST order/cancel-all", SWAP, "cancel-all-linear"),
        (BYBIT.query(KEYS, ref(), NOW), "GET order/realtime", ABOUT | {"orderLinkId": OURS}, ""),
        (BYBIT.query(KEYS, ref(FUTURES, None, "7"), NOW), "GET order/realtime", SWAP | {"orderId": "7"}, ""),
        (BYBIT.query_finished(KEYS, ref(), NOW), "GET order/history", ABOUT | {"orderLinkId": OURS}, ""),
        (BYBIT.open_orders(KEYS, SPOT, instrument(), NOW), "GET order/realtime", ABOUT | {"limit": "50"}, ""),
        (
            BYBIT.open_orders(KEYS, SPOT, None, NOW, "abc%3D1"),
            "GET order/realtime",
            {"category": "spot", "limit": "50", "cursor": "abc=1"},
            "",
        ),
        (
            BYBIT.open_orders(KEYS, FUTURES, None, NOW),
            "GET order/realtime",
            {"category": "linear", "settleCoin": "USDT", "limit": "50"},
            "",
        ),
        (
            BYBIT.open_orders(KEYS, FUTURES, None, NOW, "USDC:abc"),
            "GET order/realtime",
            {"category": "linear", "settleCoin": "USDC", "limit": "50", "cursor": "abc"},
            "",
        ),
        (
            BYBIT.own_trades(KEYS, instrument(), NOW - 9, NOW),
            "GET execution/list",
            ABOUT | {"startTime": str(NOW - 9), "endTime": str(NOW), "limit": "100"},
            "",
        ),
        (
            BYBIT.order_trades(KEYS, ref(), NOW),
            "GET execution/list",
            ABOUT | {"orderLinkId": OURS, "limit": "100"},
            "",
        ),
        (
            BYBIT.order_trades(KEYS, ref(FUTURES, theirs="7"), NOW),
            "GET execution/list",
            SWAP | {"orderId": "7", "limit": "100"},
            "",
        ),
        (BYBIT.balances(KEYS, SPOT, NOW), "GET account/wallet-balance", {"accountType": "UNIFIED"}, ""),
        (
            BYBIT.positions(KEYS, NOW),
            "GET position/list",
            {"category": "linear", "settleCoin": "USDT", "limit": "200"},
            "",
        ),
        (
            BYBIT.positions(KEYS, NOW, "USDC"),
            "GET position/list",
            {"category": "linear", "settleCoin": "USDC", "limit": "200"},
            "",
        ),
        (BYBIT.fees(KEYS, instrument(FUTURES), NOW), "GET account/fee-rate", SWAP, ""),
        (
            BYBIT.funding(KEYS, instrument(FUTURES), NOW - 9, NOW),
            "GET account/transaction-log",
            {"accountType": "UNIFIED", "category": "linear", "currency": "USDT", "type": "SETTLEMENT"}
            | {"startTime": str(NOW - 9), "endTime": str(NOW), "limit": "50"},
            "",
        ),
        (BYBIT.permissions(KEYS, NOW), "GET user/query-api", {}, ""),
    ],
)
def test_requests_are_what_the_documents_want(request_, path, params, budget):
    assert sent(request_) == (path, params)
    assert (request_.budget, request_.weight) == (budget, 1)


def test_an_order_without_any_id_cannot_be_asked_for():
    with pytest.raises(InvalidOrder):
        BYBIT.query(KEYS, ref(ours=None), NOW)


def test_cursors_go_back_as_they_came():
    request = BYBIT.open_orders(KEYS, FUTURES, instrument(FUTURES), NOW, "page_args%3Dfd%26symbol%3D6%26")
    assert request.url.endswith("&cursor=page_args%3Dfd%26symbol%3D6%26")
    sent(request)


def test_leverage_is_set_after_the_kind_of_margin():
    margin, leverage = BYBIT.set_leverage(KEYS, instrument(FUTURES), 5, MarginMode.ISOLATED, NOW)
    assert sent(margin) == ("POST account/set-margin-mode", {"setMarginMode": "ISOLATED_MARGIN"})
    assert sent(leverage) == ("POST position/set-leverage", SWAP | {"buyLeverage": "5", "sellLeverage": "5"})
    for body in (good.told({}), good.refused(110043, "Set leverage not modified"), good.refused(110026, "same")):
        BYBIT.parse_leverage_set(answer(body))
    with pytest.raises(Refused):
        BYBIT.parse_leverage_set(answer(good.refused(110013, "Cannot set leverage due to risk limit level")))
    with pytest.raises(InvalidOrder):
        BYBIT.set_leverage(KEYS, instrument(), 5, MarginMode.CROSS, NOW)


def test_neither_key_nor_secret_nor_signature_is_shown():
    requests = [BYBIT.cancel(KEYS, ref(), NOW), BYBIT.balances(KEYS, SPOT, NOW)]
    shown = f"{KEYS!r} {requests!r} {answer({'key': 'a-key'})!r}"
    for secret in ("a-key", "a-secret", requests[1].headers["X-BAPI-SIGN"]):
        assert secret not in shown
