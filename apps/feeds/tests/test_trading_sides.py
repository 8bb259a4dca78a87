"""The side of a position as single exchanges spell it: an unknown word is malformed, one that is left out None."""

from collections.abc import Callable

import pytest
from msgspec import convert

from apps.feeds.drivers.binance import account as binance
from apps.feeds.drivers.bybit import orders as bybit
from apps.feeds.drivers.htx import records as htx
from apps.feeds.drivers.okx import orders as okx
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import PositionSide
from apps.feeds.tests import good_account_frames_bybit as good


def at_bybit(**told: int) -> PositionSide | None:
    return bybit.update(convert(good.order(**told), bybit.Order, strict=False), MarketType.FUTURES).position_side


UNKNOWN: dict[str, Callable[[], object]] = {
    "binance": lambda: binance.told_side("UP"),
    "bybit": lambda: at_bybit(positionIdx=3),
    "htx": lambda: htx.position_side("up", "X"),
    "okx": lambda: okx.position_side("up"),
}


@pytest.mark.parametrize("exchange", UNKNOWN)
def test_a_side_that_the_exchange_does_not_document_is_malformed(exchange: str):
    with pytest.raises(MalformedFrame, match=r"unknown (side|index) of a position"):
        UNKNOWN[exchange]()


def test_a_side_that_is_left_out_is_not_told():
    told = [binance.told_side(None), at_bybit(), htx.position_side(None, "X"), okx.position_side("")]
    assert told == [None] * 4


def test_an_index_names_the_position():
    assert [at_bybit(positionIdx=index) for index in (0, 1, 2)] == list(PositionSide)
