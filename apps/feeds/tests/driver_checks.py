"""What tests of all drivers ask: that a frame is malformed, and whose."""

import json
from typing import Any

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Event
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType


def parse(exchange: str, frame: Any, market: MarketType = MarketType.SPOT) -> list[Event]:
    """`frame` is sent as it is when text or bytes, else as JSON."""
    wire = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    return registry.driver(exchange).parse(market, wire, 7)


def malformed(exchange: str, frame: Any, market: MarketType = MarketType.SPOT) -> MalformedFrame:
    with pytest.raises(MalformedFrame) as caught:
        parse(exchange, frame, market)
    return caught.value


BAD_LEVELS = [
    ["-1", "1"],
    ["0", "1"],
    ["nan", "1"],
    ["Infinity", "1"],
    ["1e400", "1"],
    ["1", "-1"],
    ["1", "NaN"],
    ["1", "1e400"],
    ["1"],
    [],
    ["", "1"],
    [" 1", "1"],
    [None, "1"],
    [True, "1"],
    [["1"], "1"],
    {"price": "1"},
    "1",
]
"""Levels that no exchange may send."""

NOT_FRAMES = [
    "",
    " ",
    "null",
    "[]",
    "1",
    '"text"',
    "{}",
    "{",
    "not json",
    "\ufeff{}",
    b"\xff\xfe",
    "[" * 20_000,
    "\ud800",
]
