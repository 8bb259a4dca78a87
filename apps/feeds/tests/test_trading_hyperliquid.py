"""Hyperliquid's trading half: what is signed and sent, and what its answers mean."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.drivers.hyperliquid import signing
from apps.feeds.drivers.hyperliquid.driver import Hyperliquid
from apps.feeds.drivers.hyperliquid.trader import HyperliquidTrader
from apps.feeds.drivers.hyperliquid.trading_facts import ERRORS
from apps.feeds.drivers.trading import Answer, ExpiryCheck, IdForm, Page, Placed
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    FeedError,
    InsufficientFunds,
    InvalidOrder,
    MalformedFrame,
    NotPermitted,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RequestExpired,
    Retryable,
    UnknownOrder,
    WouldTake,
)
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Balance,
    Credentials,
    Fees,
    Fill,
    FundingPayment,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Permissions,
    Position,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests import good_account_frames
from apps.feeds.tests.trader_requests import answer, limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
DEX = HyperliquidTrader()
SECRET = "0x" + "0123456789" * 6 + "0123"
KEYS = Credentials(key="0x70997970C51812dc3A010C7d01b50e0d17dc79C8", secret=SECRET)
USER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
NOW = 1_785_261_289_000
CLOID = "0xa1f0cddc17303d07f3fd128d5b35071d"
TOO_LITTLE = "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $373.47205."
INFO, EXCHANGE = "https://api.hyperliquid.xyz/info", "https://api.hyperliquid.xyz/exchange"


def listed(market_type: MarketType, symbol: str, number: int | None, tick: str, lot: str) -> Instrument:
    return Instrument(
        exchange="hyperliquid",
        market_type=market_type,
        pair=f"{symbol}/USDC",
        symbol=symbol,
        base=symbol,
        quote="USDC",
        settle="USDC",
        tick=Decimal(tick),
        lot=Decimal(lot),
        number=number,
    )


BTC = listed(FUTURES, "BTC", 0, "0.1", "0.00001")
HYPE = listed(SPOT, "@107", 10_107, "0.000001", "0.01")


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    usual = {
        "client_order_id": CLOID,
        "amount": Decimal("0.00037") if instrument is BTC else Decimal("1.50"),
        "price": Decimal("31795.0") if instrument is BTC else Decimal("34.8950"),
    }
    return limit_order(instrument, NOW, **(usual | changes))


def ref(**ids: str) -> OrderRef:
    return OrderRef(instrument=BTC, **ids)


def outcome(told: Any, kind: str = "order") -> Answer:
    return answer({"status": "ok", "response": {"type": kind, "data": {"statuses": [told]}}})


def sent(request: Any) -> tuple[str, str, dict[str, str], int, Any]:
    return request.method, request.url, request.headers, request.weight, json.loads(request.body)


def placed_action(**changes: Any) -> dict[str, Any]:
    return json.loads(DEX.place(KEYS, order(**changes), NOW).body)["action"]["orders"][0]


# signing


def test_the_wallet_signs_what_is_sent_with_its_time_and_its_expiry():
    request = DEX.place(KEYS, order(), NOW)
    action = {
        "type": "order",
        "orders": [
            {
                "a": 0,
                "b": True,
                "p": "31795",
                "s": "0.00037",
                "r": False,
                "t": {"limit": {"tif": "Gtc"}},
                "c": CLOID,
            }
        ],
        "grouping": "na",
    }
    body = {
        "action": action,
        "nonce": NOW,
        "signature": signing.sign(SECRET, action, NOW, NOW + 2000),
        "vaultAddress": None,
        "expiresAfter": NOW + 2000,
    }
    assert sent(request) == ("POST", EXCHANGE, {"Content-Type": "application/json"}, 1, body)
    assert list(json.loads(request.body)["action"]["orders"][0]) == ["a", "b", "p", "s", "r", "t", "c"]
    assert request.expires_ms == NOW + 2000


def test_a_signature_is_that_of_the_sheet():
    action = {
        "type": "order",
        "orders": [{"a": 4, "b": True, "p": "1670.1", "s": "0.0147", "r": False, "t": {"limit": {"tif": "Ioc"}}}],
        "grouping": "na",
    }
    assert signing.sign(SECRET, action, 1677777606040) == {
        "r": "0xe302c107c0048633293299b066317048f69f685aa4f536fe56c050efaf04996c",
        "s": "0x70e01d4d26e3d724fb8f8ab54b3f2544a37ea1b092f83532349405274f3f3962",
        "v": 28,
    }


def test_an_address_is_made_of_the_private_key():
    assert signing.address(SECRET) == "0x14791697260e4c9a71f18484c9f997b308e59325"
    assert signing.address(SECRET.removeprefix("0x")) == signing.address(SECRET)


@pytest.mark.parametrize("secret", ["", "not hexadecimal", "0x00", "0x" + "0" * 64, "ab" * 33])
def test_what_is_no_private_key_is_refused_without_being_told(secret: str):
    with pytest.raises(BadCredentials) as refused:
        DEX.place(Credentials(key=USER, secret=secret), order(), NOW)
    assert refused.value.__cause__ is None
    assert str(refused.value) == "the secret is not a private key"


def test_no_secret_is_shown():
    request = DEX.place(KEYS, order(), NOW)
    shown = f"{KEYS!r} {request!r} {request} {DEX!r}"
    assert SECRET[2:] not in shown
    assert USER not in shown.lower()


# orders


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"side": Side.SELL, "reduce_only": True}, {"b": False, "r": True}),
        ({"tif": TimeInForce.IOC}, {"t": {"limit": {"tif": "Ioc"}}}),
        ({"tif": TimeInForce.POST_ONLY}, {"t": {"limit": {"tif": "Alo"}}}),
        ({"price": Decimal("123456")}, {"p": "123456"}),
        ({"price": Decimal("1234.5")}, {"p": "1234.5"}),
        ({"instrument": HYPE, "amount": Decimal("1.50"), "price": Decimal("34.8950")}, {"a": 10107, "p": "34.895"}),
        ({"type": OrderType.MARKET, "price": Decimal("31795.37")}, {"p": "31795", "t": {"limit": {"tif": "Ioc"}}}),
        ({"type": OrderType.MARKET, "side": Side.SELL, "price": Decimal("31795.37")}, {"p": "31796"}),
        ({"type": OrderType.MARKET, "price": Decimal("123456")}, {"p": "123456"}),
    ],
)
def test_orders_of_all_kinds(changes: dict[str, Any], expected: dict[str, Any]):
    action = placed_action(**changes)
    assert {key: action[key] for key in expected} == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"price": Decimal("12345.6")},  # six digits
        {"price": Decimal("0.05")},  # below the tick
        {"price": None},
        {"price": Decimal(-1)},
        {"amount": Decimal("0.000001")},
        {"amount": None},
        {"amount": None, "quote_amount": Decimal(50), "type": OrderType.MARKET},
        {"type": OrderType.MARKET, "price": None},
        {"side": Side.UNKNOWN},
        {"position_side": PositionSide.LONG},
        {"expires_ms": NOW},
        {"instrument": listed(FUTURES, "NEW", None, "0.1", "0.00001")},
        {"instrument": HYPE, "amount": Decimal(1), "price": Decimal("34.895"), "reduce_only": True},
    ],
)
def test_what_cannot_be_expressed_is_not_sent(changes: dict[str, Any]):
    with pytest.raises(InvalidOrder):
        DEX.place(KEYS, order(**changes), NOW)


def test_a_cancel_names_the_order_by_our_id_else_by_theirs():
    by_ours = sent(DEX.cancel(KEYS, ref(client_order_id=CLOID, exchange_order_id="57118842019"), NOW))
    ours = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
    assert by_ours[4]["action"] == ours
    assert by_ours[4]["signature"] == signing.sign(SECRET, ours, NOW)
    assert by_ours[4]["expiresAfter"] is None
    theirs = {"type": "cancel", "cancels": [{"a": 0, "o": 57118842019}]}
    assert sent(DEX.cancel(KEYS, ref(exchange_order_id="57118842019"), NOW))[4]["action"] == theirs
    with pytest.raises(InvalidOrder):
        DEX.cancel(KEYS, ref(exchange_order_id="abc"), NOW)
    assert DEX.cancel_all(KEYS, BTC, NOW) is None


@pytest.mark.parametrize(
    ("request_", "weight", "asked"),
    [
        (DEX.query(KEYS, ref(client_order_id=CLOID), NOW), 2, {"type": "orderStatus", "user": USER, "oid": CLOID}),
        (DEX.query(KEYS, ref(exchange_order_id="12"), NOW), 2, {"type": "orderStatus", "user": USER, "oid": 12}),
        (DEX.open_orders(KEYS, SPOT, None, NOW), 20, {"type": "frontendOpenOrders", "user": USER}),
        (
            DEX.own_trades(KEYS, BTC, NOW - 5000, NOW),
            30,
            {"type": "userFillsByTime", "user": USER, "startTime": NOW - 5000, "aggregateByTime": False},
        ),
        (
            DEX.own_trades(KEYS, BTC, NOW - 5000, NOW, "1785261288000"),
            30,
            {"type": "userFillsByTime", "user": USER, "startTime": 1785261288000, "aggregateByTime": False},
        ),
        (
            DEX.order_trades(KEYS, ref(client_order_id=CLOID), NOW),
            30,
            {"type": "userFillsByTime", "user": USER, "startTime": NOW - 600_000, "aggregateByTime": False},
        ),
        (DEX.balances(KEYS, SPOT, NOW), 2, {"type": "spotClearinghouseState", "user": USER}),
        (DEX.balances(KEYS, FUTURES, NOW), 2, {"type": "clearinghouseState", "user": USER}),
        (DEX.positions(KEYS, NOW), 2, {"type": "clearinghouseState", "user": USER}),
        (DEX.fees(KEYS, BTC, NOW), 20, {"type": "userFees", "user": USER}),
        (DEX.funding(KEYS, BTC, 5, NOW), 30, {"type": "userFunding", "user": USER, "startTime": 5}),
        (DEX.server_time(SPOT), 2, {"type": "exchangeStatus"}),
        (DEX.permissions(KEYS, NOW), 60, {"type": "userRole", "user": signing.address(SECRET)}),
    ],
)
def test_reads_name_the_account_and_need_no_signature(request_: Any, weight: int, asked: dict[str, Any]):
    assert sent(request_) == ("POST", INFO, {"Content-Type": "application/json"}, weight, asked)


def test_leverage_is_set_by_an_action_of_its_own():
    [request] = DEX.set_leverage(KEYS, BTC, 3, MarginMode.ISOLATED, NOW)
    action = {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 3}
    assert json.loads(request.body)["action"] == action
    DEX.parse_leverage_set(answer({"status": "ok", "response": {"type": "default"}}))
    with pytest.raises(InvalidOrder):
        DEX.set_leverage(KEYS, HYPE, 3, MarginMode.CROSS, NOW)
    with pytest.raises(InvalidOrder):
        DEX.funding(KEYS, HYPE, 0, NOW)


@pytest.mark.parametrize(
    ("timer_ms", "action", "due_ms"),
    [
        (60_000, {"type": "scheduleCancel", "time": NOW + 60_000}, NOW + 60_000),
        (1_000, {"type": "scheduleCancel", "time": NOW + 5_000}, NOW + 5_000),
        (None, {"type": "scheduleCancel"}, None),
    ],
)
@pytest.mark.parametrize("market_type", [SPOT, FUTURES])
def test_the_exchanges_own_timer_is_a_time_that_is_put_off(
    market_type: MarketType, timer_ms: int | None, action: dict[str, Any], due_ms: int | None
):
    body = sent(DEX.dead_man(KEYS, market_type, timer_ms, NOW))[4]
    assert (list(body["action"].items()), body["nonce"]) == (list(action.items()), NOW)
    assert (body["signature"], body["expiresAfter"]) == (signing.sign(SECRET, action, NOW), None)
    done = answer({"status": "ok", "response": {"type": "default"}})
    assert DEX.parse_dead_man(market_type, timer_ms, NOW, done) == due_ms


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (TOO_LITTLE, NotPermitted),
        ("Some other words", Refused),
        ("Invalid nonce: 5 is too small", ClockSkew),
        ("Too many cumulative requests sent (2 > 1)", RateLimited),
    ],
)
def test_a_timer_that_is_refused_is_told_as_such(text: str, kind: type[FeedError]):
    with pytest.raises(kind):
        DEX.parse_dead_man(FUTURES, 60_000, NOW, answer({"status": "err", "response": text}))


# answers


@pytest.mark.parametrize(
    ("told", "changes", "status"),
    [
        ({"resting": {"oid": 9, "cloid": CLOID}}, {}, OrderStatus.OPEN),
        ({"resting": {"oid": 9}}, {}, OrderStatus.OPEN),
        ({"filled": {"oid": 9, "totalSz": "0.00037", "avgPx": "31795.0"}}, {}, OrderStatus.FILLED),
        ({"filled": {"oid": 9, "totalSz": "0.0001", "avgPx": "31795.0"}}, {}, OrderStatus.PARTIAL),
        (
            {"filled": {"oid": 9, "totalSz": "0.0001", "avgPx": "31795.0"}},
            {"tif": TimeInForce.IOC},
            OrderStatus.CANCELLED,
        ),
    ],
)
def test_an_order_that_was_taken(told: Any, changes: dict[str, Any], status: OrderStatus):
    cloid = told.get("resting", {}).get("cloid")
    filled = Decimal(told["filled"]["totalSz"]) if "filled" in told else None
    expected = Placed(exchange_order_id="9", client_order_id=cloid, status=status, filled=filled)
    assert DEX.parse_placed(order(**changes), outcome(told)) == expected


TEXTS = [
    (TOO_LITTLE, NotPermitted),
    ("User or API Wallet 0xc06d73162e9bffbcfbf1da59c511002a8f9155e5 does not exist.", BadCredentials),
    ("L1 error: User or API Wallet 0xcd9de27135a4e0826525509178e97d592f24ef5a does not exist.", BadCredentials),
    ("Must deposit before performing actions. User: 0xcd9de27135a4e0826525509178e97d592f24ef5a", BadCredentials),
    ("Unable to recover signer.", BadCredentials),
    ("Invalid nonce: duplicate nonce 1700000000000", OutcomeUnknown),
    ("Invalid nonce: too low", ClockSkew),
    ("Action expired: expiresAfter 1700000000000 is before the time of the block", RequestExpired),
    ("Insufficient margin to place order. asset=0", InsufficientFunds),
    ("Insufficient spot balance asset=107", InsufficientFunds),
    ("Order must have minimum value of $10.", InvalidOrder),
    ("Order must have minimum value of 10 USDC.", InvalidOrder),
    ("Price must be divisible by tick size.", InvalidOrder),
    ("Order has invalid size.", InvalidOrder),
    ("Order has zero size.", InvalidOrder),
    ("Order has invalid price.", InvalidOrder),
    ("Order price cannot be more than 80% away from the reference price", InvalidOrder),
    ("Order would increase open interest while open interest is capped", Refused),
    ("Order would cause position to exceed margin tier limit at current leverage", Refused),
    ("Invalid leverage value", Refused),
    ("Reduce only order would increase position.", InvalidOrder),
    ("Post only order would have immediately matched, bbo was 84143@84151.", WouldTake),
    ("Order could not immediately match against any resting orders.", Refused),
    ("No liquidity available for market order.", Refused),
    ("Order was never placed, already canceled, or filled.", UnknownOrder),
    ("Too many cumulative requests sent (37986 > 10436) for cumulative volume traded $437.92.", RateLimited),
    ("Failed to deserialize the JSON body into the target type", Refused),
    ("Something that nobody has documented", OutcomeUnknown),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_each_refusal_of_an_order_is_an_error_of_its_own(text: str, kind: type[FeedError]):
    for refusal in (outcome({"error": text}), answer({"status": "err", "response": text})):
        with pytest.raises(FeedError) as refused:
            DEX.parse_placed(order(), refusal)
        assert type(refused.value) is kind


def test_the_table_of_errors_is_tested_whole():
    assert all(any(words in text for text, _ in TEXTS) for words in ERRORS)


def test_a_spent_budget_of_actions_says_how_long_to_wait():
    with pytest.raises(RateLimited) as limited:
        DEX.parse_placed(order(), answer({"status": "err", "response": "Too many cumulative requests sent (2 > 1)"}))
    assert limited.value.after_s == 10.0


@pytest.mark.parametrize(
    "told",
    [
        outcome("waitingForFill"),
        outcome({}),
        outcome({"resting": {"oid": 9, "cloid": "0x00"}}),
        answer({"status": "ok", "response": {"type": "order", "data": {"statuses": []}}}),
        answer({"status": "ok", "response": {"type": "default"}}),
        answer({"status": "new", "response": {"type": "default"}}),
        answer(b"<html>"),
        answer(b"null"),
        answer(b"bad gateway", status=502),
        answer(b"null", status=500),
        answer(b"teapot", status=400),
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_order_open(told: Answer):
    with pytest.raises(OutcomeUnknown):
        DEX.parse_placed(order(), told)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (answer(b"", status=429), RateLimited),
        (answer(b"", status=403), Banned),
        (answer(b"Failed to deserialize the JSON body into the target type", status=422), Refused),
    ],
)
def test_statuses_that_prove_that_nothing_happened(told: Answer, kind: type[FeedError]):
    with pytest.raises(kind):
        DEX.parse_placed(order(), told)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (answer(b"null", status=500), Refused),
        (answer(b"busy", status=502), Retryable),
        (answer(b"", status=429, **{"retry-after": "7"}), RateLimited),
        (answer(b'"Failed to deserialize the JSON body into the target type"', status=422), Refused),
        (answer(b"what", status=400), MalformedFrame),
        (answer(b"{}"), MalformedFrame),
    ],
)
def test_reads_that_fail(told: Answer, kind: type[FeedError]):
    with pytest.raises(kind) as failed:
        DEX.parse_order(ref(client_order_id=CLOID), told)
    assert getattr(failed.value, "after_s", 7.0) in (7.0, 1.0)


def test_a_cancel_is_accepted_or_comes_too_late():
    DEX.parse_cancelled(ref(client_order_id=CLOID), outcome("success", "cancel"))
    late = outcome({"error": "Order was never placed, already canceled, or filled."}, "cancel")
    with pytest.raises(UnknownOrder):
        DEX.parse_cancelled(ref(client_order_id=CLOID), late)
    with pytest.raises(OutcomeUnknown):
        DEX.parse_cancelled(ref(client_order_id=CLOID), outcome("perhaps", "cancel"))


def wire_order(**changes: Any) -> dict[str, Any]:
    row = {"coin": "BTC", "side": "B", "limitPx": "31795.0", "sz": "0.00037", "oid": 57118842019}
    return row | {"timestamp": NOW, "origSz": "0.00037", "cloid": CLOID} | changes


def update(**changes: Any) -> OrderUpdate:
    values: dict[str, Any] = {
        "symbol": "BTC",
        "exchange_order_id": "57118842019",
        "client_order_id": CLOID,
        "status": OrderStatus.OPEN,
        "side": Side.BUY,
        "filled": Decimal(0),
        "amount": Decimal("0.00037"),
        "price": Decimal(31795),
        "exchange_ms": NOW + 1,
        "position_side": PositionSide.NET,
        "text": "open",
    }
    return OrderUpdate(**{**values, **changes})


def found(status: str, **changes: Any) -> Answer:
    told = {"order": wire_order(**changes), "status": status, "statusTimestamp": NOW + 1}
    return answer({"status": "order", "order": told})


@pytest.mark.parametrize(
    ("status", "changes", "expected"),
    [
        ("open", {}, {}),
        ("open", {"sz": "0.00030"}, {"status": OrderStatus.PARTIAL, "filled": Decimal("0.00007")}),
        ("triggered", {}, {"status": OrderStatus.OPEN}),
        ("filled", {"sz": "0.0"}, {"status": OrderStatus.FILLED, "filled": Decimal("0.00037")}),
        ("canceled", {"cloid": None}, {"status": OrderStatus.CANCELLED, "client_order_id": None}),
        ("scheduledCancel", {}, {"status": OrderStatus.CANCELLED}),
        ("internalCancel", {}, {"status": OrderStatus.CANCELLED}),
        ("selfTradeCanceled", {}, {"status": OrderStatus.CANCELLED}),
        ("someNewCanceled", {}, {"status": OrderStatus.CANCELLED}),
        ("rejected", {}, {"status": OrderStatus.REJECTED}),
        ("badAloPxRejected", {"side": "A"}, {"status": OrderStatus.REJECTED, "side": Side.SELL}),
        ("iocCancelRejected", {}, {"status": OrderStatus.REJECTED}),
    ],
)
def test_an_order_is_found(status: str, changes: dict[str, Any], expected: dict[str, Any]):
    told = DEX.parse_order(ref(client_order_id=CLOID), found(status, **changes))
    assert told == update(text=status, **expected)


def test_an_order_that_is_not_there_and_one_whose_state_nobody_knows():
    with pytest.raises(UnknownOrder):
        DEX.parse_order(ref(client_order_id=CLOID), answer({"status": "unknownOid"}))
    with pytest.raises(MalformedFrame):
        DEX.parse_order(ref(client_order_id=CLOID), found("levitating"))


def test_open_orders_are_those_of_one_market():
    rows = [wire_order(), wire_order(coin="@107", oid=2), wire_order(coin="PURR/USDC", oid=3), wire_order(coin="#1")]
    told = answer(rows)
    assert DEX.parse_open_orders(FUTURES, told) == Page(rows=[update(exchange_ms=None)])
    assert [row.exchange_order_id for row in DEX.parse_open_orders(SPOT, told).rows] == ["2", "3"]


def wire_fill(**changes: Any) -> dict[str, Any]:
    row = {"coin": "BTC", "px": "64007.0", "sz": "0.00018", "side": "A", "time": NOW, "startPosition": "-50.81882"}
    row |= {"dir": "Open Short", "closedPnl": "0.0", "hash": "0x00", "oid": 502464503020, "crossed": False}
    return row | {"fee": "-0.000829", "tid": 351400627290190, "feeToken": "USDC", "twapId": None} | changes


FILL = Fill(
    symbol="BTC",
    exchange_order_id="502464503020",
    client_order_id=None,
    trade_id="351400627290190",
    side=Side.SELL,
    price=Decimal("64007"),
    amount=Decimal("0.00018"),
    fee=Decimal("-0.000829"),
    fee_asset="USDC",
    is_maker=True,
    exchange_ms=NOW,
    position_side=PositionSide.NET,
)


def test_own_trades_are_those_of_one_instrument():
    told = answer([wire_fill(), wire_fill(coin="ETH", tid=2)])
    assert DEX.parse_own_trades(BTC, told) == Page(rows=[FILL])


def test_a_full_page_of_own_trades_is_followed_by_another():
    rows = [wire_fill(tid=number, time=NOW + number) for number in range(2000)]
    assert DEX.parse_own_trades(BTC, answer(rows)).cursor == str(NOW + 1999)
    assert DEX.parse_own_trades(BTC, answer([wire_fill()] * 2000)).cursor == str(NOW + 1)


def test_a_trade_without_an_id_is_refused():
    row = wire_fill()
    del row["tid"]
    with pytest.raises(MalformedFrame):
        DEX.parse_own_trades(BTC, answer([row]))


STATE = {
    "assetPositions": [
        {
            "position": {
                "coin": "BTC",
                "entryPx": "26951.0",
                "leverage": {"type": "isolated", "value": 20, "rawUsd": "1.0"},
                "liquidationPx": None,
                "szi": "-0.00785",
                "unrealizedPnl": "-0.08007",
            },
            "type": "oneWay",
        }
    ],
    "marginSummary": {"accountValue": "1182.312496", "totalMarginUsed": "171.740766"},
    "withdrawable": "1010.57173",
    "time": NOW,
}
BTC_POSITION = Position(
    symbol="BTC",
    side=PositionSide.NET,
    amount=Decimal("-0.00785"),
    entry_price=Decimal(26951),
    unrealised=Decimal("-0.08007"),
    leverage=Decimal(20),
    margin_mode=MarginMode.ISOLATED,
)
COLLATERAL = Balance(asset="USDC", free=Decimal("1010.57173"), total=Decimal("1182.312496"))


def test_what_the_account_holds():
    held = {"balances": [{"coin": "UBTC", "token": 197, "total": "2.5", "hold": "0.5", "entryNtl": "1.0"}]}
    bitcoin = Balance(asset="BTC", free=Decimal(2), total=Decimal("2.5"))
    assert DEX.parse_balances(SPOT, answer(held)) == [bitcoin]
    assert DEX.parse_balances(FUTURES, answer(STATE)) == [COLLATERAL]
    assert DEX.parse_positions(answer(STATE)) == Page(rows=[BTC_POSITION])


def test_fees_of_each_market():
    told = answer(
        {
            "userCrossRate": "0.00045",
            "userAddRate": "-0.00001",
            "userSpotCrossRate": "0.0007",
            "userSpotAddRate": "0.0004",
        }
    )
    assert DEX.parse_fees(BTC, told) == Fees(maker=Decimal("-0.00001"), taker=Decimal("0.00045"))
    assert DEX.parse_fees(HYPE, told) == Fees(maker=Decimal("0.0004"), taker=Decimal("0.0007"))


def test_funding_is_negative_when_it_was_paid():
    delta = {"type": "funding", "coin": "BTC", "usdc": "-3.625312", "szi": "49.1477", "fundingRate": "0.0000417"}
    rows = [{"time": NOW, "hash": "0x00", "delta": delta}, {"time": NOW, "delta": delta | {"coin": "ETH"}}]
    paid = FundingPayment(
        payment_id=f"BTC:{NOW}",
        symbol="BTC",
        asset="USDC",
        amount=Decimal("-3.625312"),
        exchange_ms=NOW,
        rate=Decimal("0.0000417"),
    )
    assert DEX.parse_funding(BTC, answer(rows)) == Page(rows=[paid])


@pytest.mark.parametrize(
    ("role", "withdraw"), [("agent", False), ("user", True), ("vault", True), ("subAccount", True)]
)
def test_an_agent_cannot_take_money_out_and_a_master_can(role: str, withdraw: bool):
    told = answer({"role": role, "data": {"user": USER}})
    expected = Permissions(read=True, trade_spot=True, trade_futures=True, withdraw=withdraw)
    assert DEX.parse_permissions(told) == expected


def test_a_wallet_that_is_not_known_and_a_role_that_is_not():
    with pytest.raises(BadCredentials):
        DEX.parse_permissions(answer({"role": "missing"}))
    with pytest.raises(MalformedFrame):
        DEX.parse_permissions(answer({"role": "deity"}))


def test_the_servers_time():
    assert DEX.parse_server_time(SPOT, answer({"specialStatuses": None, "time": 1790231586439})) == 1790231586439


def test_how_ids_and_expiries_are():
    assert DEX.id_form(SPOT) is IdForm.HEX
    assert DEX.expiry(FUTURES).check is ExpiryCheck.MATCHER
    assert DEX.trade_limits(SPOT).private_sockets == 2


def test_answers_that_the_fuzz_tests_spoil_are_understood_or_refused():
    for good in good_account_frames.answers("hyperliquid"):
        with suppress(Refused, OutcomeUnknown):
            getattr(DEX, good.parse)(*good.args, good_account_frames.answer(good, good.body))


def test_instruments_carry_the_numbers_that_orders_name():
    meta = {"universe": [{"name": "OLD", "szDecimals": 1, "isDelisted": True}, {"name": "BTC", "szDecimals": 5}]}
    perpetuals = Hyperliquid().parse_instruments(FUTURES, json.dumps(meta).encode()).instruments
    assert [(row.symbol, row.number) for row in perpetuals] == [("OLD", 0), ("BTC", 1)]
    tokens = [{"name": "USDC", "szDecimals": 8, "index": 0}, {"name": "HYPE", "szDecimals": 2, "index": 150}]
    spot_meta = {"tokens": tokens, "universe": [{"name": "@107", "tokens": [150, 0], "index": 107}]}
    [pair] = Hyperliquid().parse_instruments(SPOT, json.dumps(spot_meta).encode()).instruments
    assert (pair.symbol, pair.number) == ("@107", 10_107)
