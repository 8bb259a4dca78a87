"""Spoilt private frames and answers of accounts: each is refused or understood, quickly, and tells nothing absurd.

CT_FUZZ is the number of frames, and of answers, per exchange and market. What good ones look like:
`good_account_frames.py`.
"""

from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest
from msgspec.structs import asdict

from apps.feeds.drivers import registry
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Page, Placed
from apps.feeds.errors import FeedError, MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Balances, Fill, OrderUpdate, Positions
from apps.feeds.tests import good_account_frames as good
from apps.feeds.tests.frame_mutations import packed, spoil
from apps.feeds.tests.fuzzing import FRAME_CPU_S, FRAMES, check_short, cpu_s

pytestmark = pytest.mark.fuzz

EVERY = [(exchange, market) for exchange in registry.trader_ids() for market in MarketType]
ANSWERS = FRAMES * len(MarketType)  # the good ones of an exchange are of both its markets
NOT_EVERYWHERE = {"parse_token", "parse_cancelled_all", "parse_dead_man", "parse_leverage_set", "parse_account"}
PARSERS = {name for name in vars(Trader) if name.startswith("parse_")} - {"parse_private"} - NOT_EVERYWHERE
MOST = Decimal("1e31")  # no account, no price, no fee is larger
DIGITS = 100  # characters of a number
LONGEST = 2_000  # of a text; the longest are tokens


def parse(trader: Trader, each: good.Good, body: str | bytes) -> object:
    answer = good.answer(each, body)
    if each.parse == "parse_account":
        return trader.parse_account([answer])
    return getattr(trader, each.parse)(*each.args, answer)


class Calm(Random):
    """Packs a frame as it is."""

    def random(self) -> float:
        return 1.0


def dressed(exchange: str, market: MarketType, frame: str | bytes, random: Random) -> str | bytes:
    """As it comes over the wire."""
    return packed(frame, random) if market in good.packed(exchange) else frame


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_good_private_frames_are_understood(exchange: str, market: MarketType) -> None:
    trader, keys = registry.trader(exchange), good.owner(exchange)
    told: list[Any] = []
    for frame in good.private_frames(exchange, market):
        told += trader.parse_private(keys, market, dressed(exchange, market, frame, Calm()), 1)
    for event in told:
        check_sane(event)
    assert {OrderUpdate} <= {type(event) for event in told}


@pytest.mark.parametrize("exchange", registry.trader_ids())
def test_good_answers_are_understood_and_every_method_has_one(exchange: str) -> None:
    trader = registry.trader(exchange)
    understood, refused = set(), set()
    for each in good.answers(exchange):
        try:
            check_sane(parse(trader, each, each.body))
            understood.add(each.parse)
        except MalformedFrame:
            raise
        except FeedError:
            refused.add(each.parse)
    assert understood >= PARSERS
    assert "parse_placed" in refused


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_spoilt_private_frames_are_refused_or_understood_within_their_time(exchange: str, market: MarketType) -> None:
    trader, keys, random = registry.trader(exchange), good.owner(exchange), Random(f"{exchange}{market}")
    told = good.private_frames(exchange, market)
    refused = 0
    for _ in range(FRAMES):
        frame = dressed(exchange, market, spoil(random.choice(told), random), random)
        assert cpu_s(partial(trader.parse_private, keys, market, frame, 1)) <= FRAME_CPU_S
        try:
            events = trader.parse_private(keys, market, frame, 1)
        except MalformedFrame as error:
            refused += 1
            check_short(error)
            continue
        for event in events:
            check_sane(event)
    assert 0 < refused < FRAMES, "some are spoilt beyond use, some are not"


@pytest.mark.parametrize("exchange", registry.trader_ids())
def test_spoilt_answers_are_refused_or_understood_within_their_time(exchange: str) -> None:
    trader, random = registry.trader(exchange), Random(exchange)
    told = good.answers(exchange)
    failed = 0
    for _ in range(ANSWERS):
        each = random.choice(told)
        body = spoil(each.body, random)
        assert cpu_s(partial(parse, trader, each, body)) <= FRAME_CPU_S
        error = None
        try:
            check_sane(parse(trader, each, body))
        except FeedError as refusal:
            error = refusal
        if error is not None:
            failed += 1
            within(len(str(error)), 400, f"{type(error).__name__} of {each.parse}")
    assert 0 < failed < ANSWERS


def check_sane(told: Any) -> None:
    """Numbers are finite and of a sane size, texts are short, executions are of something for something."""
    if isinstance(told, Page | Balances | Positions):
        told = told.rows
    if isinstance(told, list):
        for each in told:
            check_sane(each)
        return
    if isinstance(told, Placed):
        check_sane(list(told.fills))
    if isinstance(told, Fill):
        assert told.price > 0
        assert told.amount > 0
    if isinstance(told, OrderUpdate):
        assert told.filled >= 0
    for name, value in asdict(told).items() if hasattr(told, "__struct_fields__") else ():
        if isinstance(value, Decimal):
            assert value.is_finite(), name
            assert abs(value) < MOST, name
            within(len(str(value)), DIGITS, name)
        if isinstance(value, str):
            within(len(value), LONGEST, f"{type(told).__name__}.{name}")


def within(length: int, most: int, what: str) -> None:
    """Without the text itself in the report of a failure."""
    if length > most:
        pytest.fail(f"{what} has {length} characters")
