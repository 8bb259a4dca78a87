"""What every exchange has to pass with requests that it refuses: each reason is an error of its own class.

With the exchange's code and text, nothing accepted, and nothing secret shown (which every stand looks after).
"""

from decimal import Decimal

import pytest
import pytest_asyncio
from msgspec.structs import replace

from apps.feeds.drivers.trading import ExpiryCheck
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RequestExpired,
    Retryable,
    UnknownSymbol,
)
from apps.feeds.market import Instrument
from apps.feeds.orders import NewOrder
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_declared import EXPIRED_WITHOUT_CODE, WORDLESS
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

SKEW_MS = 3 * 86_400_000  # more than any exchange forgives
OTHER_HEX = "0x" + "5c" * 32
SHORT_MS = 50


async def refused(hand: Hand, order: NewOrder, *kinds: type[Refused], wordless: str = "") -> None:
    """One of these errors, with the exchange's own code and words; `wordless` is a reason that some do not tell."""
    if wordless in WORDLESS.get(hand.on.exchange, ()):
        with pytest.raises(OutcomeUnknown):
            await hand.place(order)
        return
    with pytest.raises(kinds) as refusal:
        await hand.place(order)
    assert type(refusal.value) in kinds
    assert refusal.value.code
    assert str(refusal.value).removeprefix(f"{refusal.value.code}: ") not in ("", refusal.value.code)


# Keys


async def test_a_wrong_signature_is_bad_credentials(on: Stand):
    async with on.account() as anna:
        secret = anna.keys.secret
        anna.change_keys(secret=OTHER_HEX if secret.startswith("0x") else secret[::-1])
        await refused(anna, anna.order(), BadCredentials)
        assert await on.accepted(anna) == []


async def test_a_key_that_does_not_exist_is_bad_credentials(on: Stand):
    async with on.account() as anna:
        anna.change_keys(key="canarykeyofnobody0f3a771c")
        with pytest.raises(BadCredentials) as refusal:
            await anna.balances()
        assert refusal.value.code
        await refused(anna, anna.order(), BadCredentials)


async def test_a_wrong_passphrase_is_bad_credentials(on: Stand):
    async with on.account() as anna:
        anna.change_keys(passphrase="canarypassphraseofnobody")
        await refused(anna, anna.order(), BadCredentials)
        assert await on.accepted(anna) == []


async def test_a_key_that_may_only_read_places_nothing_and_reads(on: Stand):
    async with on.account(permissions=["read"]) as anna:
        await refused(anna, anna.order(), NotPermitted, BadCredentials)
        assert await on.accepted(anna) == []
        assert await anna.open_orders(on.instrument) == []


async def test_a_key_that_is_bound_to_another_address_is_not_accepted(on: Stand):
    async with on.account() as anna:
        account = on.truth(anna)
        account.keys[anna.keys.key] = type(key := account.keys[anna.keys.key])(
            key.key, key.secret, key.passphrase, key.permissions, ip_allowed=False
        )
        await refused(anna, anna.order(), BadCredentials, NotPermitted)
        assert await on.accepted(anna) == []


# Time


@pytest.mark.parametrize("ahead_ms", [-SKEW_MS, SKEW_MS], ids=["behind", "ahead"])
async def test_a_clock_that_is_wrong_is_told_as_such(on: Stand, ahead_ms: int):
    async with on.account() as anna:
        anna.ahead_ms = ahead_ms
        if ahead_ms > 0:
            await refused(anna, anna.order(), ClockSkew)
        else:  # what was sent an hour ago may as well be called expired
            await refused(anna, anna.order(), ClockSkew, RequestExpired)
        assert await on.accepted(anna) == []


async def test_once_the_exchanges_clock_is_measured_orders_are_accepted_whatever_ours_says(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "clock_drift", seconds=1800)
        await refused(anna, anna.order(), ClockSkew, RequestExpired)
        anna.ahead_ms = await anna.server_time() - anna.now_ms()
        await anna.place(anna.order())
        assert len(await on.accepted(anna)) == 1


async def test_a_request_that_comes_too_late_is_refused_and_not_accepted(on: Stand):
    async with on.account() as anna:
        made_ms = anna.now_ms() - 3 * SHORT_MS  # it has lain somewhere since
        order = anna.order(expires_ms=made_ms + SHORT_MS)
        request = on.trader.place(anna.keys, order, made_ms)
        vague = f"{on.exchange}-{on.market}" in EXPIRED_WITHOUT_CODE
        with pytest.raises(Refused if vague else (RequestExpired, ClockSkew)) as refusal:
            await anna.send_order(order, request)
        assert refusal.value.code
        assert await on.accepted(anna) == []


async def test_an_order_that_expires_on_its_way_to_the_matcher_is_accepted_only_where_the_gateway_looks(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "late_accept", seconds=0.4)
        order = anna.order(expires_ms=anna.now_ms() + 200)
        placed = await anna.tried(order, Refused)
        rows = await on.accepted(anna)
        assert len(rows) == (placed is not None)
        if on.trader.expiry(on.market).check is ExpiryCheck.MATCHER:
            assert rows == []


async def test_an_order_that_has_expired_already_is_not_sent(on: Stand):
    async with on.account() as anna:
        with on.nothing_sent(), pytest.raises(InvalidOrder):
            await anna.place(anna.order(expires_ms=anna.now_ms() - 1))


# What is asked for


async def test_an_unknown_symbol_is_told_as_such(on: Stand):
    async with on.account() as anna:
        symbol = on.instrument.symbol
        prefix = "zz" if symbol.islower() else "ZZ"
        strange = replace(on.instrument, symbol=prefix + symbol, pair="ZZ/ZZ", number=_nowhere(on.instrument))
        order = anna.order(instrument=strange)
        await refused(anna, order, UnknownSymbol, wordless="an asset that does not exist")
        assert await on.accepted(anna) == []


def _nowhere(instrument: Instrument) -> int | None:
    """A number that no instrument has, where they are numbered."""
    return None if instrument.number is None else instrument.number + 5_000


async def test_an_amount_off_the_lot_is_not_sent(on: Stand):
    async with on.account() as anna:
        half = on.instrument.lot * on.instrument.contract_size / 2
        with on.nothing_sent(), pytest.raises(InvalidOrder):
            await anna.place(anna.order(amount=on.amount + half))


async def test_a_price_off_the_tick_is_not_sent(on: Stand):
    async with on.account() as anna:
        order = anna.order()
        assert order.price is not None
        with on.nothing_sent(), pytest.raises(InvalidOrder):
            await anna.place(replace(order, price=order.price + on.instrument.tick / 2))


async def test_an_amount_off_the_lot_is_refused_by_the_exchange_where_ours_is_outdated(on: Stand):
    async with on.account() as anna:
        outdated = replace(on.instrument, lot=on.instrument.lot / 10)
        amount = on.amount + outdated.lot * outdated.contract_size
        await refused(anna, anna.order(instrument=outdated, amount=amount), InvalidOrder)
        assert await on.accepted(anna) == []


async def test_a_price_off_the_tick_is_refused_by_the_exchange_where_ours_is_outdated(on: Stand):
    async with on.account() as anna:
        outdated = replace(on.instrument, tick=on.instrument.tick / 10)
        order = anna.order(instrument=outdated)
        assert order.price is not None
        await refused(anna, replace(order, price=order.price + outdated.tick), InvalidOrder)
        assert await on.accepted(anna) == []


async def test_an_order_of_too_little_is_refused(on: Stand):
    async with on.account() as anna:
        with pytest.raises(InvalidOrder):
            await anna.place(anna.order(amount=on.instrument.lot * on.instrument.contract_size))
        assert await on.accepted(anna) == []


async def test_more_than_the_account_can_pay_is_refused_for_that(on: Stand):
    async with on.account(balances=on.money(Decimal(1))) as anna:
        await refused(anna, anna.order(), InsufficientFunds)
        assert await on.accepted(anna) == []


async def test_a_definite_refusal_leaves_nothing_and_the_next_order_is_accepted(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "reject")
        await refused(anna, anna.order(), InsufficientFunds)
        assert await on.accepted(anna) == []
        await anna.place(anna.order())
        assert len(await on.accepted(anna)) == 1


async def test_a_client_id_that_is_taken_is_told_as_such(on: Stand):
    async with on.account() as anna:
        order, _ = await anna.rest()
        await refused(anna, order, DuplicateOrder, wordless="an id that is taken")
        assert len(await on.accepted(anna)) == 1


# Limits


async def test_one_request_too_many_keeps_us_away_for_as_long_as_it_says(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "rate_limit", seconds=60)
        with pytest.raises(RateLimited) as limited:
            await anna.place(anna.order())
        assert limited.value.after_s > 0
        with on.nothing_sent(), pytest.raises(Retryable):
            await anna.place(anna.order())
        assert await on.accepted(anna) == []


async def test_a_ban_keeps_us_away_for_as_long_as_it_says(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "ban", seconds=60)
        with pytest.raises((Banned, RateLimited)) as banned:
            await anna.place(anna.order())
        assert banned.value.after_s > 0
        with on.nothing_sent(), pytest.raises(Retryable):
            await anna.balances()
        assert await on.accepted(anna) == []
