"""Spoilt frames and answers: each is refused as malformed or understood, quickly, and no book goes wrong by it.

CT_FUZZ sets the number of frames per driver and market. Recorded frames join the hand-written ones where they are.
"""

import json
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from apps.feeds.book.builder import BookBuilder
from apps.feeds.drivers import registry
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade
from apps.feeds.tests.frame_mutations import MUTATIONS, packed, spoil
from apps.feeds.tests.fuzzing import FRAME_CPU_S, FRAMES, check_short, cpu_s
from apps.feeds.tests.good_frames import GOOD_ANSWERS, PACKED, corpus

pytestmark = pytest.mark.fuzz

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_spoilt_frames_are_refused_or_understood_within_their_time(exchange: str, market: MarketType) -> None:
    driver, random = registry.driver(exchange), Random(f"{exchange}{market}")
    good = corpus(exchange, market)
    builders: dict[str, BookBuilder] = {}
    refused = 0
    for _ in range(FRAMES):
        frame = spoil(random.choice(good), random)
        if exchange in PACKED:
            frame = packed(frame, random)
        assert cpu_s(partial(driver.parse, market, frame, 1)) <= FRAME_CPU_S
        try:
            events = driver.parse(market, frame, 1)
        except MalformedFrame as error:
            refused += 1
            check_short(error)
            continue
        for event in events:
            if isinstance(event, BookSnapshot | BookDelta):
                builder = builders.setdefault(event.symbol, BookBuilder(event.symbol, driver.rule(market, 0)))
                builder.apply(event)
                check_sane(builder)
            elif isinstance(event, PublicTrade):
                assert event.price > 0
                assert event.amount > 0
    assert 0 < refused < FRAMES, "some are spoilt beyond use, some are not"


def check_sane(builder: BookBuilder) -> None:
    """Whatever was understood, the book is sorted, unique, positive and not crossed."""
    if builder.book is None:
        return
    bids, asks = builder.book.top(0)
    prices = [price for price, _ in reversed(bids)] + [price for price, _ in asks]
    assert all(low < high for low, high in pairwise(prices))
    assert all(0 < amount < float("inf") for _, amount in bids + asks)


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_spoilt_answers_are_refused_or_understood(exchange: str, market: MarketType) -> None:
    driver, random = registry.driver(exchange), Random(f"{exchange}{market}")
    good = [json.dumps(answer) for answer in GOOD_ANSWERS[exchange]]
    refused = 0
    for _ in range(FRAMES):
        spoilt = random.choice(MUTATIONS)(random.choice(good), random)
        content = spoilt if isinstance(spoilt, bytes) else spoilt.encode(errors="surrogatepass")
        driver.retry_after(200, {}, content)
        for parse in (
            lambda body: driver.parse_snapshot(market, "BTCUSDT", body, 1),
            lambda body: driver.parse_instruments(market, body),
            lambda body: driver.parse_volumes(market, body),
        ):
            try:
                parse(content)
            except (MalformedFrame, Refused, Retryable):
                refused += 1
    assert refused > FRAMES
