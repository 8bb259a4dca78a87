"""Whatever is ordered and becomes of it, no limit is ever exceeded. CT_EXAMPLES multiplies the number of runs."""

from itertools import chain, repeat
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.trading.risk.view import DenyReason
from apps.trading.tests.risky_account import MARKETS, RiskyAccount
from tests.sizes import examples

EXAMPLES = examples(1_000)
STEPS, BYTES_PER_STEP = 60, 4
RUNS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("market", MARKETS)
@RUNS
@given(script=st.binary(min_size=STEPS * BYTES_PER_STEP, max_size=STEPS * BYTES_PER_STEP))
def test_limits_hold_after_every_step(market: str, script: bytes):
    account = RiskyAccount(chain(script, repeat(0)), MARKETS[market])
    for _ in range(STEPS):
        account.step()


@pytest.mark.parametrize("market", MARKETS)
def test_the_streams_meet_every_limit_that_they_are_about(market: str):
    chance, met, sent = Random(5), set[DenyReason](), 0
    for _ in range(60):
        account = RiskyAccount(iter(lambda: chance.randrange(256), None), MARKETS[market])
        for _ in range(STEPS * 3):
            account.step()
        met.update(account.reasons)
        sent += len(account.sent)
    assert sent > 500
    about = {
        DenyReason.ORDER_TOO_LARGE,
        DenyReason.TOO_MANY_OF_PAIR,
        DenyReason.TOO_MANY_OF_ACCOUNT,
        DenyReason.ASSET_EXPOSURE,
        DenyReason.ACCOUNT_EXPOSURE,
        DenyReason.ORDER_RATE,
        DenyReason.DUPLICATE,
        DenyReason.SELF_TRADE,
        DenyReason.LANE_UNKNOWN,
        DenyReason.NOT_REDUCING,
        DenyReason.BALANCE,
    }
    assert about <= met
