"""The exchange's own timer: kept by executors, and what it leaves when they are gone."""

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import DeadManTerms
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.tests.trading_place import FAR, PARTS
from apps.feeds.tests.trading_stand import credentials
from apps.feeds.tests.waiting import await_that
from apps.feeds.transport import loop
from apps.feeds.transport.orders import Purpose
from apps.trading import halting, recording
from apps.trading.execution.dead_men import entries_rest, tend
from apps.trading.models import Account, FillSource, Order
from apps.trading.risk_view import Scope
from apps.trading.tests import key_rows, remote_seat, rows
from apps.trading.tests.remote_seat import Desk, Exchanges, Only
from apps.users.models import Alert

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
# All orders of the account's market share a timer.
SHARED = {
    "kucoin-spot",
    "okx-spot",
    "okx-futures",
    "htx-spot",
    "htx-futures",
    "hyperliquid-spot",
    "hyperliquid-futures",
}
LEAST_VOLUME = "apps.feeds.simulator.hyperliquid.dead_man.LEAST_VOLUME"  # of who may have a timer there
APART = {"binance-futures"}  # each instrument has its own
KEPT = SHARED | APART  # where the exchange has one that we use
NOT_OFFERED = {
    "binance-spot": "there is none",
    "kucoin-futures": "classic accounts have none",
    **dict.fromkeys(("bybit-spot", "bybit-futures"), "the exchange switches it on by hand, for whom it knows"),
    **dict.fromkeys(("mexc-spot", "mexc-futures", "coinex-spot", "coinex-futures"), "there is none"),
}


@pytest.fixture(params=sorted(KEPT))
def on(
    request: pytest.FixtureRequest, exchanges: Exchanges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setattr(LEAST_VOLUME, Decimal(0))
    exchange, _, market = request.param.partition("-")
    desk = Desk(exchanges, exchange, MarketType(market), tmp_path)
    enter(desk)
    yield desk
    desk.close()


def enter(on: Desk) -> None:
    """Learn what later requests must name, as for a new key."""
    trader = registry.trader(on.exchange)
    answers = [
        loop.run(on.client.ask(on.exchange, on.name, request, Purpose.READ, lambda answer: answer), 60)
        for request in trader.account_requests(on.keys, on.port.now_ms())
    ]
    if answers:
        on.keys = replace(on.keys, account=trader.parse_account(answers))
        on.port = on.port_by(on.client)


def resting(on: Desk, **values: Any) -> Order:
    row = on.committed(on.intent(**values))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return row


def resting_elsewhere(on: Desk) -> Order:
    """An entry of the other instrument."""
    step = on.step_of(on.other)
    price = (on.best(Side.BUY, on.other) * FAR[Side.BUY] / step).to_integral_value(ROUND_FLOOR) * step
    trade = rows.trade(on.account, on.other.pair)
    row = on.committed(rows.intent(trade, amount=PARTS * on.part_of(on.other), price=price, state="SENDING", attempt=1))
    recording.record_placed(row.pk, on.port.place(on.new_order(row, instrument=on.other)))
    return row


def end(on: Desk, row: Order, instrument: Instrument) -> None:
    ref = replace(on.ref(row), instrument=instrument)
    on.port.cancel(ref)
    recording.record_update(on.account.pk, instrument, on.port.look_up(ref), FillSource.REST)


def look(on: Desk, **more: Any) -> int:
    return tend(Only(on.port), [on.account.pk], **more)


def deadline(on: Desk) -> int | None:
    return Account.objects.get(pk=on.account.pk).dead_man_ms


def terms(on: Desk) -> DeadManTerms:
    found = on.port.dead_man_terms
    assert found is not None
    return found


def is_armed(on: Desk) -> bool:
    """By what the exchange itself waits for."""
    return bool(on.truth.switches)


def test_it_is_armed_with_the_first_entry_and_taken_off_after_the_last(on: Desk):
    assert (look(on), is_armed(on)) == (0, False)
    row = resting(on)
    assert (look(on), is_armed(on)) == (1, True)
    assert 0 < (deadline(on) or 0) - on.port.now_ms() <= terms(on).timer_ms + 1_000
    assert look(on, terms=replace(terms(on), refresh_ms=terms(on).timer_ms)) == 0  # not due
    end(on, row, on.instrument)
    assert (look(on), is_armed(on), deadline(on)) == (1, False, None)


def test_it_is_refreshed_long_before_it_is_due(on: Desk):
    resting(on)
    look(on)
    before = deadline(on) or 0
    on.go_on(terms(on).refresh_ms / 1000 + 1)
    assert look(on) == 1
    assert (deadline(on) or 0) > before


@pytest.mark.parametrize("values", [{"purpose": "close"}, {"purpose": "hedge"}])
def test_what_protects_a_position_arms_nothing(on: Desk, values: dict[str, str]):
    resting(on, **values)
    assert not entries_rest(on.account.pk)
    assert (look(on), is_armed(on)) == (0, False)


def test_a_process_that_ends_as_it_should_takes_it_off(on: Desk):
    resting(on)
    look(on)
    assert (look(on, stopping=True), is_armed(on), deadline(on)) == (1, False, None)


def test_an_exchange_that_does_not_answer_is_told_again(on: Desk):
    resting(on)
    on.fault("error_not_placed", kind="any", count=5)
    assert (look(on), deadline(on)) == (0, None)
    on.fault("error_not_placed", count=0)
    assert look(on) == 1


def test_when_everybody_is_gone_the_exchange_cancels_and_the_account_rests_until_a_person_resumes(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    resting(on)
    assert look(on) == 1
    await_that(lambda: not on.accepted()[0].order.is_open)
    on.go_on(90)
    assert look(on) == 0
    row = Account.objects.get(pk=on.account.pk)
    assert (row.dead_man_ms, row.dead_man_fired_at is not None) == (None, True)
    assert Alert.objects.filter(kind="DEAD_MAN", scope_id=str(on.account.pk)).count() == 1
    resting(on)
    assert look(on) == 0  # it waits for a person
    of = {"scope": Scope.ACCOUNT, "scope_id": str(on.account.pk)}
    halting.resume(**of, reason="looked at it", actor=key_rows.trader())
    assert look(on) == 1


@pytest.mark.parametrize("on", sorted(APART), indirect=True)
def test_an_instrument_whose_first_entry_comes_later_has_its_timer_at_once(on: Desk):
    resting(on)
    look(on)
    (first,) = on.truth.switches.values()
    resting_elsewhere(on)
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol, on.other.symbol}
    assert not first.cancelled()
    assert look(on) == 0


@pytest.mark.parametrize("on", sorted(APART), indirect=True)
def test_an_instrument_without_entries_has_its_timer_taken_off_while_others_run(on: Desk):
    resting(on)
    row = resting_elsewhere(on)
    assert look(on) == 2
    end(on, row, on.other)
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol}
    assert deadline(on) is not None


@pytest.mark.parametrize("on", sorted(APART), indirect=True)
def test_who_takes_over_takes_off_what_another_process_has_left_behind(on: Desk):
    resting(on)
    row = resting_elsewhere(on)
    look(on)
    end(on, row, on.other)
    on.port = on.port_by(on.client)  # of a process that knows nothing of before
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol}


@pytest.mark.parametrize("on", ["hyperliquid-futures"], indirect=True)
def test_an_account_that_is_refused_a_timer_has_none_and_is_asked_for_it_much_later(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LEAST_VOLUME, Decimal(1_000_000))
    resting(on)
    before = on.asked
    assert [look(on) for _ in range(3)] == [0, 0, 0]
    assert (on.asked, deadline(on), is_armed(on)) == (before + 1, None, False)
    monkeypatch.setattr("apps.trading.execution.dead_men.AGAIN_S", 0.0)
    assert (look(on), on.asked) == (0, before + 2)
    monkeypatch.setattr(LEAST_VOLUME, Decimal(0))
    assert (look(on), is_armed(on)) == (1, True)


@pytest.mark.parametrize("on", ["hyperliquid-futures"], indirect=True)
def test_a_timer_that_runs_and_is_refused_another_time_is_asked_for_until_it_is_due(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    resting(on)
    look(on)
    due_ms = deadline(on)
    monkeypatch.setattr(LEAST_VOLUME, Decimal(1_000_000))
    on.go_on(terms(on).refresh_ms / 1000 + 1)
    before = on.asked
    assert [look(on) for _ in range(2)] == [0, 0]
    assert (on.asked, deadline(on), due_ms is None) == (before + 2, due_ms, False)


@pytest.mark.parametrize("on", ["okx-spot"], indirect=True)
def test_a_refusal_for_the_time_of_the_request_says_nothing_of_the_timer(on: Desk):
    resting(on)
    on.fault("clock_drift", seconds=100, account=None)
    assert look(on) == 0
    on.measure()
    assert look(on) == 1


def test_which_exchanges_have_one_is_known():
    have = {
        f"{exchange}-{market}"
        for exchange in registry.trader_ids()
        for market in MarketType
        if registry.trader(exchange).dead_man_terms(credentials(exchange, "anna"), market) is not None
    }
    assert have == KEPT
    everywhere = {f"{exchange}-{market}" for exchange in registry.trader_ids() for market in MarketType}
    assert everywhere - have == set(NOT_OFFERED)
