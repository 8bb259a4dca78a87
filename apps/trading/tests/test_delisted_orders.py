"""Our open orders on a pair that its exchange lists no longer: they end by evidence, or a person is called."""

import pytest

from apps.feeds.errors import BadCredentials, FeedError, Refused, Retryable, UnknownSymbol
from apps.feeds.market import InstrumentStatus, MarketType
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderStatus
from apps.trading.collecting.sweep import sweep
from apps.trading.execution.resolution import resolving
from apps.trading.models import Order
from apps.trading.tests import remote_seat, rows
from apps.trading.tests.listened_seat import placed, read
from apps.trading.tests.remote_seat import Desk
from apps.users.models import Alert

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
everywhere = pytest.mark.parametrize(
    "on",
    [("binance", SPOT), ("binance", FUTURES), ("okx", FUTURES), ("hyperliquid", SPOT)],
    indirect=True,
    ids="-".join,
)


def gone(on: Desk, status: InstrumentStatus = InstrumentStatus.DELISTED) -> Order:
    """An order that was open on a pair of which the exchange knows nothing now."""
    pair = TradePair.objects.get(pk=on.pair.pk)
    base = on.instrument.base
    pair.pk, pair.base, pair.status = None, "GONE", status
    pair.pair, pair.symbol = pair.pair.replace(base, "GONE"), f"{pair.symbol.upper().replace(base, 'GONE')}"
    pair.save()
    intent = rows.intent(rows.trade(on.account, pair.pair), state="WORKING", attempt=1)
    row = on.committed(intent, status="OPEN", exchange_order_id="4611")
    Order.objects.filter(pk=row.pk).update(pair=pair)
    return read(row)


def looks(on: Desk, row: Order) -> Order:
    for later_s in (60, 65, 70, 75):
        on.go_on(later_s)
        Order.objects.filter(pk=row.pk).update(next_check_at=row.created_at)
        resolving.resolve_account(on.executor(), on.account.pk)
    return read(row)


@everywhere
def test_an_open_order_on_a_delisted_pair_ends_after_looks_that_find_nothing(on: Desk):
    row = gone(on)
    found = looks(on, row)
    assert found.status == OrderStatus.CANCELLED
    assert found.misses >= 3
    assert not Alert.objects.exists()


@everywhere
def test_it_keeps_no_other_order_from_being_swept(on: Desk):
    lost, row = gone(on), placed(on)
    on.fill(row.exchange_order_id, on.part)
    sweep(on.port)
    assert read(row).filled == on.part
    assert read(lost).status == OrderStatus.OPEN


@pytest.mark.parametrize("on", [("binance", SPOT), ("okx", FUTURES)], indirect=True, ids="-".join)
def test_a_pair_that_is_listed_and_yet_unknown_to_the_exchange_calls_a_person_and_proves_nothing(on: Desk):
    row = gone(on, InstrumentStatus.TRADING)
    found = looks(on, row)
    assert (found.status, found.misses) == (OrderStatus.OPEN, 0)
    [alert] = Alert.objects.all()
    assert (alert.kind, alert.subject) == ("UNKNOWN", str(row))


@pytest.mark.parametrize(
    ("error", "calls"),
    [(Refused("no"), 1), (UnknownSymbol("gone"), 1), (Retryable("away"), 0), (BadCredentials("no key"), 0)],
    ids=["no", "gone", "away", "no key"],
)
def test_a_question_that_is_refused_calls_a_person_once(
    on: Desk, monkeypatch: pytest.MonkeyPatch, error: FeedError, calls: int
):
    row = placed(on)

    def refuse(ref: object) -> None:
        raise error

    monkeypatch.setattr(on.port, "look_up", refuse)
    looks(on, row)
    assert Alert.objects.count() == calls
