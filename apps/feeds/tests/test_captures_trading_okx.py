"""Every private push and signed answer of OKX that was recorded, or written down by those who speak to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers.base import Closing, Ignored, Pong
from apps.feeds.drivers.trading import Answer, LoggedIn, LoginRefused, Placed, Subscribed
from apps.feeds.errors import OutcomeUnknown
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Fill,
    LookUp,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests.captures import lines
from apps.feeds.tests.okx_orders import BTC, FUTURES, OKX, SPOT, SWAP, D, order, private


def recorded(captures: Path, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, "okx", file)]


@pytest.mark.captures
def test_every_recorded_order_push(captures: Path) -> None:
    frames = recorded(captures, "private_orders.jsonl")
    told = [private(frame, FUTURES if frame["arg"]["instType"] == "SWAP" else SPOT) for frame in frames]
    market_sell = OrderUpdate(
        symbol="BTC-USDT",
        exchange_order_id="620258920632008725",
        client_order_id=None,
        status=OrderStatus.OPEN,
        side=Side.SELL,
        filled=D(0),
        exchange_ms=1694153250532,
        text="live",
    )
    partly = replace(
        market_sell,
        status=OrderStatus.PARTIAL,
        filled=D("0.00038128"),
        average_price=D("26228.1"),
        exchange_ms=1694153250535,
        text="partially_filled",
    )
    assert told == [
        [
            OrderUpdate(
                symbol="ETH-USDT",
                exchange_order_id="370257534141235201",
                client_order_id="e847386590ce4dBC330547db94a08ba0",
                status=OrderStatus.OPEN,
                side=Side.SELL,
                filled=D(0),
                amount=D("0.007526"),
                price=D(60000),
                exchange_ms=1634548275191,
                text="live",
            )
        ],
        executed(
            "BTC-USDT", "452197707845865472", "HamsterParty14", "242589207", Side.SELL, "31527.1", "0.001",
            fee="0.02522168", maker=True, ms=(1654084353263, 1654084353264),
        ),
        [market_sell],
        [
            Fill(
                symbol="BTC-USDT",
                exchange_order_id="620258920632008725",
                client_order_id=None,
                trade_id="435550732",
                side=Side.SELL,
                price=D("26228.1"),
                amount=D("0.00038128"),
                fee=D("0.010000249968"),
                fee_asset="USDT",
                is_maker=False,
                exchange_ms=1694153250535,
            ),
            partly,
        ],
        [replace(partly, status=OrderStatus.FILLED, text="filled")],
        executed(
            "BTC-USDT-SWAP", "2497956918703120384", "001BTCUSDT20250106001", "1518905529", Side.BUY, "103698.9", "0.03",
            fee=None, maker=True, ms=(1746947317402, 1746947317402), limit=False,
            position=PositionSide.LONG,
        ),
        executed(
            "BTC-USDT", "2497956918703120385", "FOK-TEST-001", "1518905530", Side.BUY, "50000.0", "0.05",
            fee=None, maker=False, ms=(1746947317402, 1746947317402), position=PositionSide.NET,
        ),
        executed(
            "BTC-USDT", "3967288020668928000", "fm000500000025", "1413632420", Side.SELL, "84019.4", "0.00002",
            fee="0.001680388", maker=True, ms=(1790736801442, 1790736801442),
        ),
    ]  # fmt: skip


def executed(
    symbol: str, theirs: str, ours: str, trade_id: str, side: Side, price: str, amount: str, *,
    fee: str | None, maker: bool, ms: tuple[int, int], limit: bool = True,
    position: PositionSide | None = None,
) -> list[Any]:  # fmt: skip
    """An order that one execution filled."""
    names = {"symbol": symbol, "exchange_order_id": theirs, "client_order_id": ours}
    first: Any = LookUp(**names)
    if fee is not None:
        first = Fill(
            **names,
            trade_id=trade_id,
            side=side,
            price=D(price),
            amount=D(amount),
            fee=D(fee),
            fee_asset="USDT",
            is_maker=maker,
            exchange_ms=ms[0],
        )
    update = OrderUpdate(
        **names,
        status=OrderStatus.FILLED,
        side=side,
        filled=D(amount),
        amount=D(amount),
        price=D(price) if limit else None,
        average_price=D(price),
        exchange_ms=ms[1],
        position_side=position,
        text="filled",
    )
    return [first, update]


@pytest.mark.captures
def test_every_recorded_account_push(captures: Path) -> None:
    account, positions, *others = recorded(captures, "private_account_positions.jsonl")
    rows = [
        Balance(asset=asset, free=D(amount), total=D(amount))
        for asset, amount in (("USDT", "100.52768569797846"), ("BTC", "0.0000000051"), ("ETH", "0.000000185"))
    ]
    assert private(account) == [Balances(rows=rows, whole=False, exchange_ms=1751531646836)]
    assert private(positions, FUTURES) == [
        Positions(
            rows=[
                Position(
                    symbol="XRP-USDT-SWAP",
                    side=PositionSide.NET,
                    amount=D(1),
                    entry_price=D("0.52668"),
                    unrealised=D("0.0240000000000018"),
                    leverage=D(3),
                    margin_mode=MarginMode.CROSS,
                    liquidation_price=D("0.3287514731020614"),
                )
            ],
            whole=False,
        )
    ]
    assert [private(frame) for frame in others] == [[Ignored()], [Ignored()]]  # channels that are not subscribed


@pytest.mark.captures
def test_every_recorded_answer(captures: Path) -> None:
    told = [Answer(status=200, body=line) for line in lines(captures, "okx", "rest_trading_account.jsonl")]
    assert OKX.parse_placed(order(client_order_id="oktswap6"), told[0]) == Placed(
        exchange_order_id="312269865356374016", client_order_id="oktswap6", status=OrderStatus.OPEN
    )
    refusals = [(errors.InsufficientFunds, "51119"), (errors.UnknownSymbol, "51155"), (OutcomeUnknown, "58001")]
    for (kind, code), refused in zip(refusals, told[1:4], strict=True):
        with pytest.raises(kind) as caught:
            OKX.parse_placed(order(), refused)
        assert (caught.type, caught.value.code) == (kind, code)
    asked = OrderRef(instrument=SWAP, client_order_id="client-order-1")
    resting = OrderUpdate(
        symbol="BTC-USDT-SWAP",
        exchange_order_id="1234567890123456789",
        client_order_id="client-order-1",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("0.10"),
        price=D(103500),
        exchange_ms=1746947317000,
        text="live",
        position_side=PositionSide.LONG,
    )
    assert OKX.parse_order(asked, told[4]) == resting
    assert OKX.parse_balances(SPOT, told[5]) == [
        Balance(asset="USDT", free=D("94.42612990333333"), total=D("94.42612990333333"))
    ]
    assert OKX.parse_balances(FUTURES, told[5]) == [
        Balance(asset="USDT", free=D("94.42612990333333"), total=D("99.89469657000001"))
    ]
    assert OKX.parse_positions(told[6]).rows == [
        Position(
            symbol="BTC-USDT-SWAP",
            side=PositionSide.LONG,
            amount=D("0.5"),
            entry_price=D(10000),
            unrealised=D(0),
            leverage=D("10.0"),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=D(9000),
        )
    ]
    assert OKX.parse_order(asked, told[8]) == replace(
        resting,
        exchange_order_id="2497956918703120384",
        client_order_id=None,
        status=OrderStatus.FILLED,
        filled=D("0.03"),
        amount=D("0.03"),
        price=None,
        average_price=D("103698.9"),
        exchange_ms=1746947317402,
        text="filled",
    )
    assert OKX.parse_own_trades(BTC, told[9]).rows == [
        Fill(
            symbol="BTC-USDT",
            exchange_order_id="987654321",
            client_order_id="client_123",
            trade_id="123456789",
            side=Side.BUY,
            price=D("42000.5"),
            amount=D("0.001"),
            fee=D("-0.042"),  # the sample's sign is wrong: as it stands it is a rebate
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1625097600000,
        )
    ]


@pytest.mark.captures
def test_every_recorded_event(captures: Path) -> None:
    """But the first five: they are of the public socket."""
    kinds = [type(private(line)[0]) for line in lines(captures, "okx", "frames_events.jsonl")]
    assert kinds[5:] == [
        LoggedIn, LoginRefused, LoginRefused, Subscribed, Subscribed, Subscribed, Subscribed, Closing, Ignored,
        Subscribed, Ignored, Ignored, Pong,
    ]  # fmt: skip
