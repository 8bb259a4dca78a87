"""Exchanges' own timers, where each instrument has one: they come and go with its entries, whoever keeps them."""

import pytest

from apps.trading.tests import remote_seat, timer_desk
from apps.trading.tests.remote_seat import Desk
from apps.trading.tests.timer_desk import APART, deadline, end, look, resting, resting_elsewhere, terms

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(timer_desk.on, params=sorted(APART))


def test_an_instrument_whose_first_entry_comes_later_has_its_timer_at_once(on: Desk):
    resting(on)
    look(on)
    (first,) = on.truth.switches.values()
    resting_elsewhere(on)
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol, on.other.symbol}
    assert not first.cancelled()
    assert look(on) == 0


def test_an_instrument_without_entries_has_its_timer_taken_off_while_others_run(on: Desk):
    resting(on)
    row = resting_elsewhere(on)
    assert look(on) == 2
    end(on, row, on.other)
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol}
    assert deadline(on) is not None


def test_who_takes_over_takes_off_what_another_process_has_left_behind(on: Desk):
    resting(on)
    row = resting_elsewhere(on)
    look(on)
    end(on, row, on.other)
    on.port = on.port_by(on.client)  # of a process that knows nothing of before
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol}


def test_who_takes_over_again_believes_nothing_of_what_it_knew_before(on: Desk):
    resting(on)
    look(on)
    before, on.port = on.port, on.port_by(on.client)
    on.go_on(terms(on).refresh_ms / 1000 + 1)
    row = resting_elsewhere(on)
    assert look(on) == 2
    end(on, row, on.other)
    on.port = before
    assert look(on) == 1
    assert set(on.truth.switches) == {on.instrument.symbol}
