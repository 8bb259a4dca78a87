"""What an exchange pushes is recorded exactly once, over real sockets, through gaps, repetitions and outages."""

from decimal import Decimal
from pathlib import Path

import pytest

from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import AccountEvent, Fill, LookUp, OrderRef, OrderStatus, OrderUpdate
from apps.feeds.transport import loop
from apps.feeds.transport.link import Link
from apps.trading.bookkeeping import recording
from apps.trading.collecting.collector import Collector
from apps.trading.models import Order, OrderFill, Wallet
from apps.trading.tests import listened_seat, remote_seat, told
from apps.trading.tests.listened_seat import DatabaseAway, foreign, listening, placed, read, until
from apps.trading.tests.remote_seat import Desk
from apps.users.models import Alert

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(listened_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
# pushes that are whole, pushes that lack trade ids or fees, pushes without our ids, contracts
EVERYWHERE = [
    ("binance", SPOT),
    ("bybit", FUTURES),
    ("coinex", SPOT),
    ("htx", SPOT),
    ("htx", FUTURES),
    ("hyperliquid", FUTURES),
    ("kucoin", SPOT),
    ("mexc", FUTURES),
    ("okx", FUTURES),
]
FEW = [("binance", SPOT), ("htx", FUTURES), ("hyperliquid", FUTURES)]


everywhere = pytest.mark.parametrize("on", EVERYWHERE, indirect=True, ids="-".join)
in_a_few = pytest.mark.parametrize("on", FEW, indirect=True, ids="-".join)


def executed(row: Order) -> Decimal:
    return sum((fill.amount for fill in OrderFill.objects.filter(order_id=row.pk)), Decimal(0))


def is_full(row: Order) -> bool:
    return read(row).status == OrderStatus.FILLED and executed(row) == row.amount


@everywhere
def test_pushes_alone_bring_an_order_to_its_end_with_every_fill(on: Desk, tmp_path: Path):
    with listening(on, tmp_path):
        row = placed(on)
        on.fill(row.exchange_order_id, on.part)
        until(lambda: read(row).status == OrderStatus.PARTIAL and executed(row) == on.part)
        on.fill(row.exchange_order_id, on.amount - on.part)
        until(lambda: is_full(row))
    assert read(row).fills.count() == 2
    assert {fill.fee_asset != "" for fill in read(row).fills.all()} == {True}


@in_a_few
@pytest.mark.parametrize("fault", ["duplicate_push", "reorder_push"])
def test_pushes_that_come_twice_or_out_of_order_end_in_the_same_rows(on: Desk, tmp_path: Path, fault: str):
    with listening(on, tmp_path):
        on.fault(fault, count=3)
        row = placed(on)
        on.fill(row.exchange_order_id, on.part)
        on.fill(row.exchange_order_id, on.amount - on.part)
        until(lambda: is_full(row))
    assert (read(row).fills.count(), read(row).alarms) == (2, "")


@in_a_few
def test_what_is_filled_while_the_socket_is_away_is_exact_after_its_return(on: Desk, tmp_path: Path):
    with listening(on, tmp_path) as collector:
        row, gone = placed(on), placed(on, on.far(Side.BUY))
        on.fault("drop_private", count=3)
        on.fill(row.exchange_order_id, on.part)
        on.port.cancel(on.ref(gone))
        on.fill(row.exchange_order_id, on.part)
        until(lambda: collector.counts["lost"] >= 3 and collector.is_whole)
        until(lambda: executed(row) == 2 * on.part)
        until(lambda: read(gone).status == OrderStatus.CANCELLED)
    assert (read(row).status, read(row).filled) == (OrderStatus.PARTIAL, 2 * on.part)


@pytest.mark.parametrize("on", [("okx", FUTURES)], indirect=True)
def test_a_gap_is_one_until_a_sweep_has_come_through(on: Desk, tmp_path: Path):
    """However many have failed before: what was missed is due by no timer."""
    with listening(on, tmp_path) as collector:
        row = placed(on)
        on.fault("error_not_placed", kind="read", count=1_000_000)
        on.fault("drop_private", count=1)
        on.fill(row.exchange_order_id, on.part)
        until(lambda: collector.is_ready and collector.counts["sweeps failed"] >= 2)
        assert not collector.is_whole
        on.fault("error_not_placed", kind="read", count=0)
        until(lambda: collector.is_whole)
        assert executed(row) == on.part


def test_while_the_socket_stays_away_sweeps_bring_what_happens(on: Desk, tmp_path: Path):
    with listening(on, tmp_path, orders_s=0.2, trades_s=0.2):
        on.fault("mute_private")
        row = placed(on)
        on.fill(row.exchange_order_id, on.amount)
        until(lambda: is_full(row))
    on.fault("mute_private", count=0)


def test_a_fill_that_is_pushed_before_the_answer_to_its_order_counts_once(on: Desk, tmp_path: Path):
    with listening(on, tmp_path):
        on.fault("early_fill", seconds=0.2)
        row = on.committed(on.intent(price=on.across(Side.BUY)))
        answer = on.port.place(on.new_order(row))
        until(lambda: read(row).status == OrderStatus.FILLED)
        recording.record_placed(row.pk, answer)
        until(lambda: is_full(row))


@in_a_few
def test_an_order_of_somebody_else_is_recorded_as_it_is_pushed(on: Desk, tmp_path: Path):
    with listening(on, tmp_path):
        theirs = foreign(on)
        on.fill(theirs, on.amount)
        until(lambda: Order.objects.filter(is_external=True, status=OrderStatus.FILLED).exists())
        other = Order.objects.get(is_external=True)
        until(lambda: executed(other) == on.amount)
    assert other.exchange_order_id == theirs


def test_what_is_pushed_again_costs_no_database(on: Desk, tmp_path: Path):
    with listening(on, tmp_path) as collector:
        on.fault("duplicate_push", count=20)
        row = placed(on)
        on.fill(row.exchange_order_id, on.amount)
        until(lambda: is_full(row) and collector.cache.stats().hits > 0)
        assert collector.status()["cache_hits"] == collector.cache.stats().hits


def test_events_wait_in_a_file_while_the_database_is_away_and_are_recorded_after_its_return(on: Desk, tmp_path: Path):
    with DatabaseAway() as away, listening(on, tmp_path) as collector:
        row = placed(on)
        until(lambda: collector.status()["waiting"] == 0)
        away.is_set = True
        on.fill(row.exchange_order_id, on.amount)
        until(lambda: collector.counts["spooled"] >= 2)
        assert executed(row) == 0
        away.is_set = False
        until(lambda: is_full(row))
        until(lambda: not (tmp_path / "events.jsonl").exists())
        assert collector.counts["replayed"] >= 2


def test_events_of_a_process_that_died_meanwhile_are_recorded_by_the_next(on: Desk, tmp_path: Path):
    with DatabaseAway() as away, listening(on, tmp_path) as collector:
        row = placed(on)
        until(lambda: collector.status()["waiting"] == 0)
        away.is_set = True
        on.fill(row.exchange_order_id, on.amount)
        until(lambda: collector.counts["spooled"] >= 2)
    assert (tmp_path / "events.jsonl").exists()
    on.fault("rate_limit", kind="read", seconds=0)  # so that no sweep tells of it
    with listening(on, tmp_path, whole=False):
        until(lambda: is_full(row))
        until(lambda: not (tmp_path / "events.jsonl").exists())
    on.fault("rate_limit", count=0)


@pytest.mark.parametrize("amount", ["0", "NaN"])
def test_an_event_that_will_never_be_recorded_stops_no_other(on: Desk, tmp_path: Path, amount: str):
    with listening(on, tmp_path) as collector:
        row = placed(on)
        bad = told.fill(row, "bad", amount, symbol=on.instrument.symbol, exchange_order_id=row.exchange_order_id)
        loop.run(push(collector, bad), 60)
        on.fill(row.exchange_order_id, on.amount)
        until(lambda: is_full(row) and collector.counts["failed"] == 1)
    assert not (tmp_path / "events.jsonl").exists()


def test_a_sweep_that_cannot_be_done_ends_neither_pushes_nor_later_sweeps(
    on: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(instrument: object) -> None:
        raise ZeroDivisionError

    with listening(on, tmp_path, orders_s=0.05) as collector:
        row = placed(on)
        with monkeypatch.context() as patched:
            patched.setattr(on.port, "open_orders", broken)
            until(lambda: collector.counts["sweeps failed"] > 1)
            on.fill(row.exchange_order_id, on.amount)
            until(lambda: is_full(row))
        before = collector.counts["sweeps"]
        until(lambda: collector.counts["sweeps"] > before)


def test_look_ups_that_never_cease_keep_no_sweep_from_its_turn(
    on: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    listed, most = on.port.open_orders, 50
    with listening(on, tmp_path, orders_s=0.0) as collector:
        lookup = LookUp(symbol=on.instrument.symbol, exchange_order_id="1", client_order_id=None)

        def trades(ref: OrderRef) -> list[Fill]:
            asked.append("trades")
            if len(asked) < most:
                loop.run(push(collector, lookup), 60)  # more of it was executed meanwhile
            return []

        def orders(instrument: Instrument | None) -> list[OrderUpdate]:
            asked.append("orders")
            return listed(instrument)

        monkeypatch.setattr(on.port, "order_trades", trades)
        monkeypatch.setattr(on.port, "open_orders", orders)
        loop.run(push(collector, lookup), 60)
        until(lambda: len(asked) >= most)
    first = asked.index("trades")
    assert "orders" in asked[first : most - 1]


async def push(collector: Collector, *events: AccountEvent) -> None:
    collector.events(Link(exchange="binance", market_type=SPOT, category="private", number=1), list(events), 0)


def test_balances_are_kept_as_they_are_pushed(on: Desk, tmp_path: Path):
    with listening(on, tmp_path):
        row = placed(on)
        before = Wallet.objects.get(account=on.account, asset=on.instrument.base).total
        on.fill(row.exchange_order_id, on.amount)
        until(lambda: Wallet.objects.get(account=on.account, asset=on.instrument.base).total > before)


def test_a_key_that_the_exchange_does_not_know_calls_a_person(on: Desk, tmp_path: Path):
    on.keys = on.keys.__class__(key="canarykeyofnobody", secret=on.keys.secret, passphrase=on.keys.passphrase)
    with listening(on, tmp_path, whole=False) as collector:
        until(lambda: Alert.objects.filter(kind="KEY_REFUSED", scope_id=str(on.account.pk)).exists())
        assert collector.is_ready is False


def test_a_person_is_called_when_neither_pushes_nor_sweeps_tell_and_not_while_sweeps_do(on: Desk, tmp_path: Path):
    with listening(on, tmp_path, without_socket_s=0.1, orders_s=0.1, trades_s=0.1, watch_s=0.05) as collector:
        on.fault("drop_private", count=1_000_000)
        until(lambda: collector.counts["lost"] >= 1)
        swept = collector.counts["sweeps"]
        until(lambda: collector.counts["sweeps"] > swept + 3)
        assert not Alert.objects.filter(kind="GAP").exists()
        on.fault("error_not_placed", kind="read", count=1_000_000)
        collector._silence._long_s = 0.3
        until(lambda: Alert.objects.filter(kind="GAP", scope_id=str(on.account.pk)).exists())
        for fault in ("error_not_placed", "drop_private"):
            on.fault(fault, count=0)


def test_what_an_exchange_says_of_a_key_that_it_refuses_is_not_repeated(on: Desk, tmp_path: Path):
    with listening(on, tmp_path) as collector:
        collector.refused(None, "50111", f"Invalid key: {on.keys.key}")  # type: ignore[arg-type]
        until(lambda: Alert.objects.filter(kind="KEY_REFUSED").exists())
    alert = Alert.objects.get(kind="KEY_REFUSED")
    assert ("50111" in alert.text, on.keys.key in alert.text) == (True, False)


@pytest.mark.parametrize("on", [("okx", FUTURES)], indirect=True, ids="-".join)
def test_a_login_that_was_refused_for_a_clock_that_was_off_is_tried_again(on: Desk, tmp_path: Path):
    on.fault("clock_drift", seconds=300, account=None)
    with listening(on, tmp_path, whole=False) as collector:
        until(lambda: Alert.objects.filter(kind="KEY_REFUSED", scope_id=str(on.account.pk)).exists())
        on.measure()
        until(lambda: collector.is_whole)
