"""A new key is asked about at its exchange, before anything is kept. On the simulator's accounts, all markets."""

import pytest
import pytest_asyncio
from msgspec.structs import replace

from apps.feeds.errors import Retryable
from apps.feeds.market import MarketType
from apps.feeds.orders import OrderRef, Permissions
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)
from apps.feeds.transport.addresses import Addresses
from apps.trading.credentials.probing import Check, Finding, Outcome, Probe, judged, probe

module = pytest.mark.asyncio(loop_scope="module")
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

STRANGER = "0x" + "57" * 32
UNTOLD = {"coinex"}  # tells nothing of a key
NEVER = {"hyperliquid"}  # its agents cannot withdraw


async def probed(on: Stand, hand: Hand, order: OrderRef | None = None, **changed: str) -> Probe:
    return await probe(
        hand.client,
        on.trader,
        account=hand.name,
        market_type=on.market,
        keys=replace(hand.keys, account="", **changed),
        now_ms=hand.now_ms,
        order=order,
    )


def outcome(found: Probe, check: Check) -> Outcome:
    return next(one.outcome for one in found.findings if one.check is check)


@module
async def test_a_key_that_trades_and_cannot_withdraw_passes_and_knows_its_account(on: Stand):
    async with on.account() as anna:
        found = await probed(on, anna)
        assert found.failed == ()
        assert found.keys == anna.keys
        assert outcome(found, Check.SIGNATURE) is outcome(found, Check.CLOCK) is Outcome.PASSED
        assert outcome(found, Check.WITHDRAW) is (Outcome.WARNING if on.exchange in UNTOLD else Outcome.PASSED)
        assert found.may_withdraw is (None if on.exchange in UNTOLD else False)


@module
async def test_a_key_that_may_withdraw_fails(on: Stand):
    if on.exchange in UNTOLD | NEVER:
        return
    async with on.account(permissions=["read", "trade", "withdraw"]) as anna:
        found = await probed(on, anna)
        assert [one.check for one in found.failed] == [Check.WITHDRAW]
        assert found.may_withdraw is True


@module
async def test_a_key_that_the_exchange_does_not_know_fails_and_is_not_shown(on: Stand):
    async with on.account() as anna:
        wrong = {"secret": STRANGER} if on.exchange == "hyperliquid" else {"key": STRANGER}
        found = await probed(on, anna, **wrong)
        assert outcome(found, Check.SIGNATURE) is Outcome.FAILED
        assert found.permissions is None
        shown = repr(found)
        for secret in (anna.keys.secret, anna.keys.passphrase, STRANGER[2:]):
            assert not secret or secret not in shown


@module
async def test_a_clock_that_is_off_is_measured_and_the_key_is_still_proven(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "clock_drift", seconds=90)
        found = await probed(on, anna)
        assert found.failed == ()
        assert 85_000 < found.clock_offset_ms < 95_000
        assert outcome(found, Check.CLOCK) is Outcome.WARNING


@module
async def test_an_exchange_that_cannot_be_reached_proves_nothing(on: Stand):
    async with on.account() as anna, on.client(addresses=Addresses("http://127.0.0.1:9")) as client:
        anna.client = client
        with pytest.raises(Retryable):
            await probed(on, anna)


RIGHT = Permissions(read=True, trade_spot=True, trade_futures=False, withdraw=False, ip_bound=True)


def test_the_permission_to_trade_is_that_of_the_accounts_market():
    assert {one.outcome for one in judged(RIGHT, MarketType.SPOT)} == {Outcome.PASSED}
    failed = [one for one in judged(RIGHT, MarketType.FUTURES) if one.outcome is Outcome.FAILED]
    assert failed == [Finding(Check.TRADE, Outcome.FAILED, "the key may not trade futures")]


@pytest.mark.parametrize(
    ("told", "check", "found"),
    [
        ({"withdraw": True}, Check.WITHDRAW, Outcome.FAILED),
        ({"withdraw": None}, Check.WITHDRAW, Outcome.WARNING),
        ({"read": False}, Check.READ, Outcome.FAILED),
        ({"read": None}, Check.READ, Outcome.WARNING),
        ({"trade_spot": None}, Check.TRADE, Outcome.WARNING),
        ({"ip_bound": False}, Check.IP, Outcome.WARNING),
        ({"ip_bound": None}, Check.IP, Outcome.WARNING),
    ],
)
def test_each_permission_is_one_line(told: dict[str, bool | None], check: Check, found: Outcome):
    lines = {one.check: one.outcome for one in judged(replace(RIGHT, **told), MarketType.SPOT)}
    assert lines.pop(check) is found
    assert set(lines.values()) == {Outcome.PASSED}


@module
async def test_a_key_of_another_account_than_the_orders_at_work_fails(on: Stand):
    async with on.account() as anna, on.account() as boris:
        _, order = await anna.rest()
        assert outcome(await probed(on, anna, order), Check.ORDERS) is Outcome.PASSED
        assert [one.check for one in (await probed(on, boris, order)).failed] == [Check.ORDERS]
