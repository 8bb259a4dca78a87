"""Hyperliquid's recorded signatures, private frames and answers mean what they say."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers.base import Ignored
from apps.feeds.drivers.hyperliquid import signing
from apps.feeds.drivers.hyperliquid.trader import HyperliquidTrader
from apps.feeds.drivers.trading import Answer, PrivateEvent, Subscribed
from apps.feeds.errors import (
    BadCredentials,
    FeedError,
    InvalidOrder,
    MalformedFrame,
    OutcomeUnknown,
    RateLimited,
    UnknownOrder,
)
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Balance, Credentials, Fill, LookUp, OrderStatus, OrderUpdate, PositionSide
from apps.feeds.tests.captures import lines
from apps.feeds.tests.test_trading_hyperliquid import BTC, order, ref

pytestmark = pytest.mark.captures

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
DEX = HyperliquidTrader()
USER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
KEYS = Credentials(key=USER, secret="")


def test_every_signature_is_reproduced(captures: Path) -> None:
    vectors = json.loads((captures / "hyperliquid" / "signing_vectors.json").read_bytes())["vectors"]
    assert len(vectors) == 8
    for one in vectors:
        action, nonce, expires_ms = one["action"], one["nonce"], one["expiresAfter"]
        source = "a" if one["mainnet"] else "b"
        hashed = signing.hash_input(action, nonce, expires_ms)
        connection_id = signing.keccak256(hashed)
        assert hashed.hex() == one["hash_input_hex"], one["name"]
        assert f"0x{connection_id.hex()}" == one["connectionId"]
        assert f"0x{signing.digest(connection_id, source).hex()}" == one["eip712_digest"]
        assert signing.sign(one["private_key"], action, nonce, expires_ms, source=source) == one["signature"]


def told(captures: Path, market_type: MarketType = FUTURES) -> list[list[PrivateEvent]]:
    found = []
    for line in lines(captures, "hyperliquid", "ws_private.jsonl"):
        data = json.loads(line)["data"]
        user = data.get("user", USER) if isinstance(data, dict) else USER
        found.append(DEX.parse_private(Credentials(key=user, secret=""), market_type, line, 7))
    return found


def update(oid: int, status: OrderStatus, text: str, at: int, price: str, amount: str, **more: Any) -> OrderUpdate:
    values = {"filled": Decimal(0), "client_order_id": None} | more
    return OrderUpdate(
        symbol="BTC",
        exchange_order_id=str(oid),
        status=status,
        side=Side.BUY,
        amount=Decimal(amount),
        price=Decimal(price),
        exchange_ms=at,
        text=text,
        position_side=PositionSide.NET,
        **values,
    )


def test_private_frames(captures: Path) -> None:
    ack, history, opened, cancelled, rejected, filled, perpetual, spot, snapshot, gone = told(captures)
    ours = {"client_order_id": "0xa1f0cddc17303d07f3fd128d5b35071d"}
    assert ack == [Subscribed(channel="userFills")]
    assert history == snapshot == [Ignored()]
    assert opened == [update(57118842019, OrderStatus.OPEN, "open", 1785261289146, "31795", "0.00037", **ours)]
    assert cancelled == [
        update(57118842019, OrderStatus.CANCELLED, "canceled", 1785261290665, "31795", "0.00037", **ours)
    ]
    theirs = {"client_order_id": "0xffabb2d185b75ea5ca0a5cd346b21507"}
    refusal = "badAloPxRejected"
    assert rejected == [
        update(502464968365, OrderStatus.REJECTED, refusal, 1784976929583, "64020", "1.17163", **theirs)
    ]
    assert filled == [
        update(166873653063, OrderStatus.OPEN, "open", 1758238143369, "126192", "5"),
        update(166873653063, OrderStatus.FILLED, "filled", 1758238143369, "126192", "5", filled=Decimal(5)),
    ]
    assert perpetual == [
        Fill(
            symbol="BTC",
            exchange_order_id="502464503020",
            client_order_id=None,
            trade_id="351400627290190",
            side=Side.SELL,
            price=Decimal(64007),
            amount=Decimal("0.00018"),
            fee=Decimal("0.000829"),
            fee_asset="USDC",
            is_maker=True,
            exchange_ms=1784976932073,
            position_side=PositionSide.NET,
        )
    ]
    assert spot == [Ignored()]
    assert gone == [LookUp(symbol="BTC", exchange_order_id="123", client_order_id=None)]


def test_a_fill_of_spot_pays_its_fee_in_what_was_bought(captures: Path) -> None:
    [bought] = told(captures, SPOT)[7]
    assert bought == Fill(
        symbol="@107",
        exchange_order_id="257770947487",
        client_order_id=None,
        trade_id="1",
        side=Side.BUY,
        price=Decimal("34.895"),
        amount=Decimal("0.5"),
        fee=Decimal("0.00031499"),
        fee_asset="HYPE",
        is_maker=False,
        exchange_ms=1764840678849,
        position_side=PositionSide.NET,
    )


def test_our_subscription_is_the_one_that_was_recorded(captures: Path) -> None:
    [recorded] = lines(captures, "hyperliquid", "ws_private.client.jsonl")
    ours = json.loads(str(DEX.subscribe_private(KEYS, FUTURES, 0)[1]))
    assert ours["subscription"].pop("aggregateByTime") is False  # the answer shows it as the default
    assert ours == json.loads(recorded)


def rows(captures: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(captures, "hyperliquid", "rest.jsonl")]


def read(captures: Path, kind: str) -> list[Answer]:
    """Answers to one kind of read, in the order of the file."""
    return [_answer(row) for row in rows(captures) if row.get("request", {}).get("json", {}).get("type") == kind]


def _answer(row: dict[str, Any]) -> Answer:
    return Answer(status=row["status"], body=json.dumps(row["body"]).encode())


def test_open_orders(captures: Path) -> None:
    old, new = read(captures, "openOrders")
    assert [
        (row.symbol, row.exchange_order_id, row.side, row.amount, row.price)
        for row in DEX.parse_open_orders(FUTURES, old).rows
    ][:2] == [
        ("MATIC", "62269971", Side.BUY, Decimal("208.7"), Decimal("1.0357")),
        ("ARB", "62269969", Side.SELL, Decimal("173.7"), Decimal("1.1795")),
    ]
    [ours] = DEX.parse_open_orders(FUTURES, new).rows
    assert (ours.client_order_id, ours.filled) == ("0xa1f0cddc17303d07f3fd128d5b35071d", 0)
    [triggers] = read(captures, "frontendOpenOrders")
    found = DEX.parse_open_orders(FUTURES, triggers).rows
    assert [(row.exchange_order_id, row.side, row.price) for row in found] == [
        ("3184595907", Side.SELL, Decimal("9.2037")),
        ("3184595906", Side.SELL, Decimal("9.1954")),
        ("3184595905", Side.BUY, Decimal(10)),
    ]
    assert DEX.parse_open_orders(SPOT, triggers).rows == []


def test_statuses_of_recorded_orders(captures: Path) -> None:
    [history] = read(captures, "historicalOrders")
    statuses = []
    for row in json.loads(history.body):
        found = json.dumps({"status": "order", "order": row}).encode()
        told = DEX.parse_order(ref(client_order_id="0x01"), Answer(status=200, body=found))
        statuses.append((told.symbol, told.status, told.filled))
    assert statuses == [
        ("TON", OrderStatus.REJECTED, 0),
        ("ORDI", OrderStatus.REJECTED, 0),
        ("GRIFFAIN", OrderStatus.REJECTED, 0),
        ("DYDX", OrderStatus.CANCELLED, 0),
        ("DYDX", OrderStatus.CANCELLED, 0),
    ]
    found, unknown = read(captures, "orderStatus")
    assert DEX.parse_order(ref(exchange_order_id="1"), found) == OrderUpdate(
        symbol="ETH",
        exchange_order_id="1",
        client_order_id=None,
        status=OrderStatus.FILLED,
        side=Side.SELL,
        filled=Decimal("0.0076"),
        amount=Decimal("0.0076"),
        price=Decimal("2412.7"),
        exchange_ms=1724361546645,
        text="filled",
        position_side=PositionSide.NET,
    )
    with pytest.raises(UnknownOrder):
        DEX.parse_order(ref(exchange_order_id="2"), unknown)


def test_fills_of_2023_have_no_ids_and_are_refused(captures: Path) -> None:
    [old] = read(captures, "userFills")
    with pytest.raises(MalformedFrame):
        DEX.parse_own_trades(BTC, old)


def test_what_accounts_hold(captures: Path) -> None:
    held, empty = read(captures, "clearinghouseState")
    positions = {row.symbol: row for row in DEX.parse_positions(held).rows}
    assert len(positions) == 12
    assert (positions["BTC"].amount, positions["BTC"].liquidation_price) == (
        Decimal("-0.00785"),
        Decimal("173198.69592357"),
    )
    assert (positions["ETH"].amount, positions["ETH"].leverage, positions["ETH"].liquidation_price) == (
        Decimal("0.1334"),
        20,
        None,
    )
    assert DEX.parse_balances(FUTURES, held) == [
        Balance(asset="USDC", free=Decimal("1010.57173"), total=Decimal("1182.312496"))
    ]
    assert DEX.parse_positions(empty).rows == []
    assert DEX.parse_balances(FUTURES, empty) == [Balance(asset="USDC", free=Decimal(0), total=Decimal(0))]
    [spot] = read(captures, "spotClearinghouseState")
    assert DEX.parse_balances(SPOT, spot) == [
        Balance(asset="USDC", free=Decimal("14.625485"), total=Decimal("14.625485")),
        Balance(asset="PURR", free=Decimal(1900), total=Decimal(2000)),
    ]


def test_roles_and_the_time(captures: Path) -> None:
    [role] = read(captures, "userRole")
    assert DEX.parse_permissions(role).withdraw is True
    [status] = read(captures, "exchangeStatus")
    assert DEX.parse_server_time(SPOT, status) == 1790231586439


def test_answers_to_actions(captures: Path) -> None:
    actions = [_answer(row) for row in rows(captures) if row.get("request", {}).get("path") == "/exchange"]
    rests, filled, small, cancelled, unknown, done, *refused = actions
    assert DEX.parse_placed(order(), rests).exchange_order_id == "77738308"
    now_filled = DEX.parse_placed(order(), filled)
    assert (now_filled.exchange_order_id, now_filled.status) == ("77747314", OrderStatus.FILLED)
    with pytest.raises(InvalidOrder):
        DEX.parse_placed(order(), small)
    DEX.parse_cancelled(ref(exchange_order_id="1"), cancelled)
    with pytest.raises(UnknownOrder):
        DEX.parse_cancelled(ref(exchange_order_id="1"), unknown)
    DEX.parse_leverage_set(done)
    kinds = [BadCredentials, BadCredentials, OutcomeUnknown, RateLimited]
    for answer, kind in zip(refused, kinds, strict=True):
        with pytest.raises(FeedError) as error:
            DEX.parse_placed(order(), answer)
        assert type(error.value) is kind


def test_refusals_that_came_over_the_socket_read_alike(captures: Path) -> None:
    payloads = [row["ws"]["data"]["response"]["payload"] for row in rows(captures) if "ws" in row]
    for payload, kind in zip(payloads, (InvalidOrder, BadCredentials), strict=True):
        with pytest.raises(kind):
            DEX.parse_placed(order(), Answer(status=200, body=json.dumps(payload).encode()))
