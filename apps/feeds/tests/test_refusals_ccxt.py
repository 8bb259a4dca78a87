"""What a refusal says of an order's fate, held against all codes that ccxt knows of each exchange.

ccxt has no CoinEx. A code that our table does not name says nothing certain: it leaves the order unknown, and the
order is looked for. So may stay what belongs to transfers, loans, other products or algorithmic orders.
"""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from apps.feeds.errors import (
    BadCredentials,
    Banned,
    DuplicateOrder,
    FeedError,
    NotPermitted,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    UnknownOrder,
)
from apps.feeds.market import MarketType
from apps.feeds.tests import refusals_differ, refusals_told
from apps.feeds.tests.refusals_told import FUTURES, SPOT
from tests.foreign.running import NEEDS_CLIENTS, run

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]

UNKNOWN, LIMITED, KEY, TAKEN, NO = "unknown", "limited", "key", "taken", "no"
THEIRS = {  # the first that a class of ccxt's is of
    "RateLimitExceeded": LIMITED,
    "DDoSProtection": LIMITED,
    "InvalidNonce": NO,
    "BadResponse": UNKNOWN,
    "OperationFailed": UNKNOWN,  # RequestTimeout, ExchangeNotAvailable, OnMaintenance, NetworkError are of it
    "AuthenticationError": KEY,
    "BaseError": NO,
}
OURS: tuple[tuple[tuple[type[FeedError], ...], str], ...] = (
    ((OutcomeUnknown,), UNKNOWN),
    ((DuplicateOrder,), TAKEN),
    ((RateLimited, Banned), LIMITED),
    ((BadCredentials, NotPermitted), KEY),
    ((Refused, Retryable), NO),
)
CODES = {"binance": 200, "bybit": 440, "okx": 400, "kucoin": 110, "htx": 60, "mexc": 120}  # at least
HYPERLIQUID, TEXTS = "hyperliquid", 19  # no codes, but words
OWN = {("binance", SPOT): "spot", ("binance", FUTURES): "linear"}
NUMBERED = frozenset(("binance", "bybit", "mexc"))
PLACES = [(name, market) for name in (*CODES, HYPERLIQUID) for market in (SPOT, FUTURES)]
everywhere = pytest.mark.parametrize(("exchange", "market"), PLACES, ids=["-".join(place) for place in PLACES])


@cache
def known() -> Any:
    """All that ccxt knows: its lists are long to load."""
    return asyncio.run(run("ccxt_errors.py", [*CODES, HYPERLIQUID]))


@cache
def classes(exchange: str, market: MarketType) -> Mapping[str, list[str]]:
    """Of each of ccxt's codes its class and what that is of."""
    tables = known()[exchange]
    codes = tables["broad" if exchange == HYPERLIQUID else "exact"]
    codes = codes | tables.get(OWN.get((exchange, market), ""), {}).get("exact", {})
    return {code: of for code, of in codes.items() if exchange not in NUMBERED or code.removeprefix("-").isdigit()}


def told(exchange: str, market: MarketType) -> dict[str, str]:
    """Of each of ccxt's codes what it says of an order's fate."""
    return {code: next(THEIRS[name] for name in of if name in THEIRS) for code, of in classes(exchange, market).items()}


def ours(exchange: str, market: MarketType) -> dict[str, str]:
    return {code: verdict(refusals_told.of_placing(exchange, market, code)) for code in told(exchange, market)}


def verdict(error: FeedError | None) -> str:
    return next(says for kinds, says in OURS if isinstance(error, kinds))


@everywhere
def test_ccxt_tells_of_codes_enough(exchange: str, market: MarketType) -> None:
    assert len(told(exchange, market)) >= CODES.get(exchange, TEXTS)


@everywhere
def test_what_may_have_been_placed_does_not_count_as_refused(exchange: str, market: MarketType) -> None:
    theirs = told(exchange, market)
    decided = {code for code, says in ours(exchange, market).items() if theirs[code] == UNKNOWN and says != UNKNOWN}
    assert decided == refusals_differ.DECIDED.get((exchange, market), {}).keys()


@everywhere
def test_what_both_decide_is_decided_alike(exchange: str, market: MarketType) -> None:
    theirs = told(exchange, market)
    other = {code for code, says in ours(exchange, market).items() if UNKNOWN not in (says, theirs[code])}
    other = {code for code in other if theirs[code] != ours(exchange, market)[code]}
    assert other == refusals_differ.OTHERWISE.get((exchange, market), {}).keys()


@everywhere
def test_a_cancel_is_left_unknown_by_every_code_that_leaves_an_order_unknown(exchange: str, market: MarketType) -> None:
    unnamed = [code for code, says in ours(exchange, market).items() if says == UNKNOWN]
    answers = {code: refusals_told.of_cancelling(exchange, market, code) for code in unnamed}
    done = [code for code, error in answers.items() if not isinstance(error, OutcomeUnknown)]
    assert done == (["51410"] if exchange == "okx" else [])  # a cancel of it is under way


@pytest.mark.parametrize(("exchange", "market"), [place for place in PLACES if place[0] != HYPERLIQUID])
def test_only_what_ccxt_calls_not_found_proves_that_an_order_is_not_there(exchange: str, market: MarketType) -> None:
    others = [code for code, of in classes(exchange, market).items() if "OrderNotFound" not in of]
    absent = {code for code in others if isinstance(refusals_told.of_asking(exchange, market, code), UnknownOrder)}
    assert absent == refusals_differ.NOT_THERE.get((exchange, market), {}).keys()
