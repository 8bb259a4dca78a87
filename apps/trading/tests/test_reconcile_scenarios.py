"""What may have happened while nobody looked, in many ways on many exchanges: after a reconcile our rows are what the
exchange has, and from the third on it writes nothing.

CT_FAULTS times four markets show each kind, sixteen at most.
"""

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Fill, OrderRef
from apps.feeds.tests.trading_stand import EVERY
from apps.trading.bookkeeping import recording
from apps.trading.collecting import reconciling
from apps.trading.collecting.reconciling import Report, reconcile
from apps.trading.models import Account, FillSource, Order
from apps.trading.tests import remote_seat, true_account
from apps.trading.tests.listened_seat import SOMEBODY, halted, read, seat
from apps.trading.tests.remote_seat import Desk, Exchanges

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
SPOT = MarketType.SPOT
HOUR_MS = 3_600_000
PLACES = min(len(EVERY), 4 * int(os.environ.get("CT_FAULTS", "1")))


@pytest.fixture
def on(exchanges: Exchanges, tmp_path: Path, settings, monkeypatch, request) -> Iterator[Desk]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(reconciling, "PAUSE_S", 0.0)
    yield from seat(exchanges, *request.param, tmp_path)


def gate(on: Desk) -> Report:
    return reconcile(on.account.pk, on.executor())


def rests(on: Desk, price: Decimal, side: Side = Side.BUY) -> Order:
    """An order of ours, known to be open."""
    row = on.committed(on.intent(side=side, price=price))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return read(row)


def waiting(on: Desk) -> tuple[Order, Order, Order]:
    """Two to buy, one behind the other, and one to sell, across from them."""
    price = on.near(Side.BUY)
    return rests(on, price), rests(on, price), rests(on, on.best(Side.SELL), Side.SELL)


def of_others(on: Desk, price: Decimal, side: Side = Side.BUY) -> str:
    row = on.committed(on.intent(side=side, price=price))
    named = SOMEBODY.make(on.port.id_form, account_id=1, intent_id=row.pk, attempt=0)
    placed = on.port.place(on.new_order(row, client_order_id=named))
    Order.objects.filter(pk=row.pk).update(status="CANCELLED")  # only its terms are of use
    return placed.exchange_order_id


def fills_are_missed(on: Desk) -> None:
    first, second, sold = waiting(on)
    on.fill(first.exchange_order_id, on.part)
    on.fill(first.exchange_order_id, on.amount - on.part)
    on.fill(second.exchange_order_id, on.part)
    on.fill(sold.exchange_order_id, 2 * on.part)


def an_order_is_cancelled_in_part(on: Desk) -> None:
    row, whole = rests(on, on.near(Side.BUY)), rests(on, on.far(Side.BUY))
    on.fill(row.exchange_order_id, on.part)
    on.port.cancel(on.ref(row))
    if not on.forgets:
        on.port.cancel(on.ref(whole))


def others_trade(on: Desk) -> None:
    rests(on, on.far(Side.BUY))
    part = of_others(on, on.near(Side.BUY))
    on.fill(part, on.part)
    of_others(on, on.far(Side.BUY))
    of_others(on, on.across(Side.BUY))  # done at once


def something_else_is_held(on: Desk) -> None:
    """Money or a position that no fill tells of: a deposit, a liquidation."""
    row = rests(on, on.near(Side.BUY))
    on.fill(row.exchange_order_id, on.part)
    if on.market is SPOT:
        on.truth.holding(on.market, on.listing.base).total += 7 * on.part
    else:
        on.truth.position(on.listing, "net").size += on.truth.orders[row.exchange_order_id].size


def all_is_told_twice(on: Desk) -> None:
    """By pushes out of order, some of which do not name the order, before anybody reconciles."""
    rows = waiting(on)
    for row in (rows[0], rows[2]):
        on.fill(row.exchange_order_id, on.part)
        on.fill(row.exchange_order_id, on.part)
    of_others(on, on.far(Side.BUY))
    refs = [OrderRef(instrument=on.instrument, exchange_order_id=row.exchange_order_id) for row in rows]
    fills = [fill for ref in refs for fill in on.port.order_trades(ref)]
    told = [*fills, *(replace(fill, client_order_id=None) for fill in fills), *map(on.port.look_up, refs)] * 2
    Random(1).shuffle(told)
    for report in told:
        record = recording.record_fill if isinstance(report, Fill) else recording.record_update
        record(on.account.pk, on.instrument, report, FillSource.WS)


def the_trades_are_older_than_a_sweep_looks(on: Desk) -> None:
    fills_are_missed(on)
    Account.objects.filter(pk=on.account.pk).update(swept_ms=on.port.now_ms() + HOUR_MS)


Happens = Callable[[Desk], None]
KINDS: tuple[Happens, ...] = (
    fills_are_missed,
    an_order_is_cancelled_in_part,
    others_trade,
    something_else_is_held,
    all_is_told_twice,
    the_trades_are_older_than_a_sweep_looks,
)
# each kind begins at another exchange, and takes spot and futures in turn
SCENARIOS = [
    (kind, EVERY[(4 * number + 5 * step) % len(EVERY)]) for number, kind in enumerate(KINDS) for step in range(PLACES)
]
scenarios = pytest.mark.parametrize(
    ("happens", "on"),
    SCENARIOS,
    indirect=["on"],
    ids=["-".join((kind.__name__, *place)) for kind, place in SCENARIOS],
)


def test_each_kind_is_shown_on_several_exchanges_and_no_market_is_left_out() -> None:
    assert len(set(SCENARIOS)) == len(SCENARIOS) == len(KINDS) * PLACES
    assert {place for _, place in SCENARIOS} == set(EVERY)


@scenarios
def test_what_happened_meanwhile_is_in_our_rows_and_a_third_reconcile_writes_nothing(on: Desk, happens: Happens):
    assert gate(on).is_clean
    happens(on)
    explained = happens is not something_else_is_held
    reports = [gate(on), gate(on)]
    assert true_account.here(on, explained=explained) == true_account.there(on, explained=explained)
    assert [report.is_clean for report in reports] == [explained] * 2
    assert halted(on).startswith("" if explained else "MISMATCH: ")
    written = true_account.tables()
    assert gate(on).swept.changed == 0
    assert true_account.tables() == written
