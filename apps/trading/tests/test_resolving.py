"""What becomes of orders whose answer was lost: found out at the exchange, by evidence alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.feeds.errors import OutcomeUnknown, UnknownOrder
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import OrderStatus, OrderUpdate
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.trading.bookkeeping import recording
from apps.trading.execution.gateway.ports import patience
from apps.trading.execution.gateway.remote import RemotePort
from apps.trading.execution.resolution import due, listing, looking, overdue, resolving
from apps.trading.intent import Purpose
from apps.trading.models import IntentResult, IntentState, Order, OrderEvent, OrderFill
from apps.trading.tests import remote_seat
from apps.trading.tests.looks import resolve_due
from apps.trading.tests.remote_seat import Desk, Exchanges
from apps.users.models import Alert

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
# one whose queries find all, one that forgets, one that counts signatures, one whose gateway checks, one with contracts
EVERYWHERE = [("binance", SPOT), ("coinex", SPOT), ("hyperliquid", FUTURES), ("kucoin", SPOT), ("okx", FUTURES)]


everywhere = pytest.mark.parametrize("on", EVERYWHERE, indirect=True, ids="-".join)


def lose(on: Desk, row: Order) -> None:
    """Its answer never came."""
    recording.record_loss(row.pk, OutcomeUnknown("nobody has answered"))


def late(on: Desk) -> float:
    """Seconds after which "not found" means something."""
    waits = patience(on.port.expiry)
    return (remote_seat.EXPIRY_MS + waits.skew_ms + waits.tail_ms + waits.read_lag_ms) / 1000 + 1


def look(on: Desk, row: Order) -> Order:
    resolving.resolve(row.pk, on.port)
    return Order.objects.get(pk=row.pk)


def looks(on: Desk, row: Order, *, first_s: float, apart_s: float = 2.0) -> Order:
    """Two, so long after the request and so long apart by the exchange's clock."""
    on.go_on(first_s)
    look(on, row)
    on.go_on(first_s + apart_s)
    return look(on, row)


@everywhere
@pytest.mark.parametrize("how", ["accept_reset", "error_placed"])
def test_an_order_that_was_taken_is_found_at_the_first_look(on: Desk, how: str):
    row = on.committed()
    on.fault(how)
    with pytest.raises(OutcomeUnknown):
        on.port.place(on.new_order(row))
    lose(on, row)
    found = look(on, row)
    [taken] = on.accepted()
    assert (found.status, found.exchange_order_id) == (OrderStatus.OPEN, taken.order.id)
    assert found.intent.state == IntentState.WORKING


@everywhere
def test_an_order_that_never_came_is_proven_so_by_two_late_looks(on: Desk):
    row = on.committed()
    lose(on, row)
    early = look(on, row)
    assert (early.status, early.misses) == (OrderStatus.UNKNOWN, 0)
    on.go_on(late(on))
    once = look(on, row)
    assert (once.status, once.misses) == (OrderStatus.UNKNOWN, 1)
    on.go_on(late(on) + 2)
    proven = look(on, row)
    assert (proven.status, proven.intent.state) == (OrderStatus.NOT_PLACED, IntentState.DONE)
    assert proven.intent.result == IntentResult.NOT_PLACED
    assert proven.intent.reserved_amount == 0


@everywhere
def test_an_order_that_was_filled_while_nobody_knew_is_found_with_its_fills(on: Desk):
    row = on.committed(on.intent(price=on.across(Side.BUY)))
    on.fault("accept_reset")
    with pytest.raises(OutcomeUnknown):
        on.port.place(on.new_order(row))
    lose(on, row)
    found = look(on, row)
    assert (found.status, found.filled) == (OrderStatus.FILLED, row.amount)
    fills = OrderFill.objects.filter(order=row)
    assert sum(fill.amount for fill in fills) == row.amount
    assert all(fill.fee for fill in fills)
    assert found.intent.result == IntentResult.FILLED


# each part of the proof: without it an order that is there would be taken for one that never was


def hidden(on: Desk, **values: Any) -> Order:
    """At the exchange, and unseen until somebody ends that."""
    row = on.committed(**values)
    on.fault("not_found", seconds=36_000)
    on.port.place(on.new_order(row))
    lose(on, row)
    return row


def test_before_the_expiry_and_the_tail_have_passed_not_found_proves_nothing(on: Desk):
    row = hidden(on)
    found = looks(on, row, first_s=late(on) - 3.5, apart_s=1.5)
    assert (found.status, found.misses) == (OrderStatus.UNKNOWN, 0)


def test_an_exchange_that_matches_late_is_waited_for(on: Desk):
    """Its tail is part of what is waited for: without it these looks would count."""
    row = on.committed()
    lose(on, row)
    after_expiry_s = (remote_seat.EXPIRY_MS + 2_000) / 1000
    assert after_expiry_s < late(on)
    assert looks(on, row, first_s=after_expiry_s).misses == 0


def test_two_looks_at_one_moment_are_one(on: Desk):
    row = on.committed()
    lose(on, row)
    assert looks(on, row, first_s=late(on), apart_s=0.0).misses == 1


class Blind:
    """A port whose single lookups do not find what its lists still tell, as exchanges do whose reads lag behind."""

    def __init__(self, on: Desk, blind: str) -> None:
        self._port, self._blind = on.port, blind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def look_up(self, ref: Any) -> Any:
        raise UnknownOrder("not found")

    def open_orders(self, instrument: Any) -> Any:
        return [] if self._blind == "open" else self._port.open_orders(instrument)

    def own_trades(self, instrument: Any, since_ms: int) -> Any:
        return self._port.own_trades(instrument, since_ms)


@pytest.mark.parametrize("on", [("binance", SPOT), ("okx", FUTURES)], indirect=True, ids="-".join)
def test_an_order_among_the_open_ones_is_there_whatever_its_lookup_says(on: Desk):
    row = on.committed()
    on.port.place(on.new_order(row))
    lose(on, row)
    on.go_on(late(on))
    resolving.resolve(row.pk, Blind(on, "trades"))
    found = Order.objects.get(pk=row.pk)
    assert (found.status, found.misses) == (OrderStatus.OPEN, 0)


@pytest.mark.parametrize("on", [("okx", FUTURES), ("binance", SPOT)], indirect=True, ids="-".join)
def test_an_order_with_trades_is_there_whatever_its_lookup_and_the_list_of_open_ones_say(on: Desk):
    """Where a trade names no id of ours, nobody can say whose it is while its order cannot be asked for."""
    row = on.committed(on.intent(price=on.across(Side.BUY)))
    on.port.place(on.new_order(row))
    lose(on, row)
    for after_s in (0, 2):
        on.go_on(late(on) + after_s)
        resolving.resolve(row.pk, Blind(on, "open"))
    found = Order.objects.get(pk=row.pk)
    assert found.status in (OrderStatus.FILLED, OrderStatus.UNKNOWN)
    assert found.misses == 0


def test_a_trade_of_somebody_else_does_not_stand_in_the_way_of_the_proof(on: Desk):
    other = on.committed(on.intent(price=on.across(Side.BUY)))
    on.port.place(on.new_order(other, client_order_id="somebodyelse1"))
    row = on.committed()
    lose(on, row)
    assert looks(on, row, first_s=late(on)).status == OrderStatus.NOT_PLACED
    assert Order.objects.filter(account=on.account, is_external=True).count() == 1


@pytest.mark.parametrize("on", [("binance", SPOT), ("coinex", SPOT), ("okx", FUTURES)], indirect=True, ids="-".join)
@pytest.mark.parametrize("trouble", ["rate_limit", "ban", "error_not_placed"])
def test_an_error_is_no_look_however_often_it_comes(on: Desk, trouble: str):
    row = on.committed()
    lose(on, row)
    on.fault(trouble, kind="read", seconds=0, count=50)
    found = looks(on, row, first_s=late(on))
    assert (found.status, found.misses) == (OrderStatus.UNKNOWN, 0)


def test_an_exchange_that_is_not_there_has_not_said_that_there_is_no_order(on: Desk):
    row = on.committed()
    lose(on, row)
    on.go_on(late(on))
    nowhere = on.exchanges.client(addresses=Addresses("http://127.0.0.1:1"))
    away = on.port_by(nowhere)
    for _ in range(4):
        resolving.resolve(row.pk, away)
    loop.run(nowhere.close(), timeout=60)
    found = Order.objects.get(pk=row.pk)
    assert (found.status, found.misses) == (OrderStatus.UNKNOWN, 0)
    assert OrderEvent.objects.filter(order=row, kind="missed").count() == 0


def test_an_error_in_the_middle_of_a_look_makes_it_no_look(on: Desk):
    """The lookup was clean, the list of open orders was not."""
    row = on.committed()
    lose(on, row)

    class HalfBlind(Blind):
        def open_orders(self, instrument: Any) -> Any:
            on.fault("error_not_placed", kind="read", count=1)
            return super().open_orders(instrument)

    for after_s in (0, 2):
        on.go_on(late(on) + after_s)
        resolving.resolve(row.pk, HalfBlind(on, "nothing"))
    assert Order.objects.get(pk=row.pk).misses == 0


def test_a_look_by_a_clock_that_nobody_trusts_does_not_count(on: Desk):
    row = on.committed()
    lose(on, row)
    on.go_on(late(on))
    on.clocks.of(on.exchange, on.market).doubt()
    assert look(on, row).misses == 0
    on.measure()
    assert look(on, row).misses == 1


def test_finished_orders_are_asked_for_where_queries_find_open_ones_only(exchanges: Exchanges, tmp_path: Path):
    on = Desk(exchanges, "coinex", SPOT, tmp_path)
    row = on.committed(on.intent(price=on.across(Side.BUY)))
    on.port.place(on.new_order(row))
    assert on.port.look_up(on.ref(row)).status is OrderStatus.FILLED
    on.close()


# what follows


@pytest.mark.parametrize(
    ("purpose", "state"),
    [(Purpose.ENTRY, IntentState.DONE), (Purpose.HEDGE, IntentState.NEW), (Purpose.CLOSE, IntentState.NEW)],
)
def test_only_what_covers_or_closes_is_tried_again(on: Desk, purpose: Purpose, state: IntentState):
    row = on.committed(on.intent(purpose=purpose))
    lose(on, row)
    proven = looks(on, row, first_s=late(on))
    assert (proven.status, proven.intent.state) == (OrderStatus.NOT_PLACED, state)
    assert proven.intent.attempt == 1


def test_an_order_that_turns_up_after_its_proof_is_taken_back_and_halts_the_account(on: Desk):
    row = hidden(on)
    assert looks(on, row, first_s=late(on)).status == OrderStatus.NOT_PLACED
    on.truth.orders[on.accepted()[0].order.id].hidden_until_ms = 0
    resolving.take(on.port, row, looking.look_at(on.port, row))
    found = Order.objects.get(pk=row.pk)
    assert (found.status, found.alarms) == (OrderStatus.OPEN, "PROOF_BROKEN")
    assert Alert.objects.filter(kind="HALTED", scope_id=str(on.account.pk)).count() == 1


# the timer


def age(row: Order, **by: float) -> None:
    since = Now() - timedelta(**by)
    Order.objects.filter(pk=row.pk).update(created_at=since, unknown_at=since, next_check_at=Now())


def test_what_a_dead_process_left_behind_is_looked_at(on: Desk):
    row = on.committed()
    on.port.place(on.new_order(row))
    executor = on.executor()
    assert resolve_due(executor) == 0  # its answer may still be on the way
    Order.objects.filter(pk=row.pk).update(created_at=Now() - timedelta(seconds=due.UNTOLD_S + 1))
    assert resolve_due(executor) == 1
    assert Order.objects.get(pk=row.pk).status == OrderStatus.OPEN


def test_an_order_that_somebody_is_looking_at_is_left_to_him(on: Desk):
    row = on.committed(next_check_at=Now() - timedelta(seconds=1), status="UNKNOWN")
    row.refresh_from_db()
    assert resolving._claim(row)
    assert not resolving._claim(row)


def test_what_somebody_has_begun_to_look_at_since_it_was_found_is_not_looked_at_again(on: Desk):
    for _ in range(listing.TOGETHER):
        row = on.committed(next_check_at=Now() - timedelta(seconds=1))
        recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    Order.objects.update(next_check_at=Now() - timedelta(seconds=1))
    others, looked = on.executor(), []

    class Meanwhile(RemotePort):
        """Somebody else looks while open orders are asked for."""

        def open_orders(self, instrument: Instrument | None) -> list[OrderUpdate]:
            listed = super().open_orders(instrument)
            if not looked:
                looked.append(0)
                looked[0] = resolving.resolve_account(others, self.account_id)
            return listed

    executor = on.executor()
    executor.ports._port.__class__ = Meanwhile
    assert resolving.resolve_account(executor, on.account.pk) == 0
    assert looked == [listing.TOGETHER]


def test_orders_of_an_account_that_another_process_works_are_left_to_it(on: Desk):
    row = on.committed(status="UNKNOWN", next_check_at=Now() - timedelta(seconds=9))
    before = Order.objects.get(pk=row.pk).next_check_at
    stranger = Desk(on.exchanges, "binance", SPOT, on.halt_file.parent)
    assert resolve_due(stranger.executor()) == 0
    assert Order.objects.get(pk=row.pk).next_check_at == before
    stranger.close()


def test_open_orders_are_asked_for_without_a_socket(on: Desk):
    placed = [on.committed() for _ in range(3)]
    for row in placed:
        recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    taken = {each.client_id: each.order.id for each in on.accepted()}
    on.fill(taken[placed[0].client_order_id], on.amount)  # who came first is filled first
    on.fill(taken[placed[1].client_order_id], on.part)
    Order.objects.filter(account=on.account).update(next_check_at=Now())
    asked = on.asked
    assert resolve_due(on.executor()) == 3
    assert [Order.objects.get(pk=row.pk).status for row in placed] == ["FILLED", "PARTIAL", "OPEN"]
    assert OrderFill.objects.filter(order__in=placed[:2]).count() == 2
    assert on.asked - asked <= 1 + 2 * 2  # one list; lookup and fills of those that have changed
    assert resolve_due(on.executor()) == 0


def test_a_person_is_called_after_a_minute_and_again_when_it_is_put_apart(on: Desk):
    row = on.committed(status="UNKNOWN")
    age(row, seconds=30)
    assert (overdue.watch_old(), Alert.objects.count()) == (0, 0)
    age(row, seconds=61)
    overdue.watch_old()
    overdue.watch_old()
    assert [alert.kind for alert in Alert.objects.all()] == ["UNKNOWN"]
    age(row, seconds=800)
    assert overdue.watch_old() == 0
    age(row, seconds=901)
    assert overdue.watch_old() == 1
    assert Order.objects.get(pk=row.pk).quarantined_at is not None
    assert overdue.watch_old() == 0
    assert {alert.kind for alert in Alert.objects.all()} == {"UNKNOWN", "QUARANTINE"}


def test_a_quarantined_order_is_still_looked_at_and_can_be_proven(on: Desk):
    row = on.committed()
    lose(on, row)
    age(row, seconds=overdue.QUARANTINE_S + 1)
    overdue.watch_old()
    proven = looks(on, row, first_s=late(on))
    assert (proven.status, proven.quarantined_at) == (OrderStatus.NOT_PLACED, None)


def test_an_order_that_the_exchange_forgot_after_its_cancel_is_cancelled(exchanges: Exchanges, tmp_path: Path):
    """Nothing of it was filled: what was, is kept there."""
    on = Desk(exchanges, "coinex", SPOT, tmp_path)
    row = on.committed()
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    on.port.cancel(on.ref(Order.objects.get(pk=row.pk)))
    recording.record_cancel_taken(row.pk)
    on.measure()
    assert look(on, row).status == OrderStatus.OPEN
    on.go_on(2)
    assert look(on, row).status == OrderStatus.CANCELLED
    on.close()


def test_an_open_order_that_is_hidden_for_a_while_is_not_taken_for_cancelled(on: Desk):
    row = on.committed()
    on.fault("not_found", seconds=36_000)
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    found = looks(on, row, first_s=0.0)
    assert (found.status, found.misses) == (OrderStatus.OPEN, 0)


def test_looks_that_find_an_open_order_take_back_those_that_did_not(on: Desk):
    row = on.committed()
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    for ahead_s in range(3):
        on.go_on(late(on) + 20 * ahead_s)
        missed = resolving.resolve(row.pk, Blind(on, "open"))
        assert (missed.status, missed.misses) == (OrderStatus.OPEN, 1)
        found = look(on, row)
        assert (found.status, found.misses, found.missed_ms) == (OrderStatus.OPEN, 0, None)
