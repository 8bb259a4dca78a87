"""Fills that are told without what they cost, and what they cost later: once, wherever it counts."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus
from apps.trading.bookkeeping import recording
from apps.trading.collecting.cache import EventCache
from apps.trading.collecting.sweep import Part, sweep
from apps.trading.models import FillSource, Order, OrderEvent, OrderFill, Position, StrayFill, TradeHistory, Wallet
from apps.trading.tests import remote_seat, rows, told
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
WS = FillSource.WS
BARE: dict[str, Any] = {"fee": Decimal(0), "fee_asset": ""}


def hear(order: Order, **changes: Any) -> None:
    recording.record_fill(order.account_id or 0, told.instrument(order), told.fill(order, "1", **changes), WS)


def order_on(market: str) -> Order:
    order = told.sent(rows.account(market_type=market))
    for asset in ("BTC", "USDT"):
        Wallet.objects.create(account=order.account, asset=asset, total=1, expected=1)
    return order


def kept(order: Order) -> dict[str, Any]:
    """All that the fee of its fills counts in."""
    fill, position = OrderFill.objects.get(order=order), Position.objects.get(account=order.account)
    return {
        "fill": (fill.fee, fill.fee_asset, fill.amount, fill.price),
        "history": list(TradeHistory.objects.filter(fill_id=fill.pk).values_list("commission", flat=True)),
        "position": (position.amount, position.fees, position.fee_sums),
        "expected": dict(Wallet.objects.filter(account=order.account).values_list("asset", "expected")),
    }


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_fee_that_comes_after_its_fill_counts_as_if_it_had_come_with_it(market: str):
    late, whole = order_on(market), order_on(market)
    hear(late, **BARE)
    hear(late)
    hear(whole)
    assert kept(late) == kept(whole)
    assert kept(late)["fill"] == (Decimal("0.01"), "USDT", Decimal("0.1"), 60_000)


@pytest.mark.parametrize("again", [{}, BARE, {"fee": Decimal(7)}], ids=["the same", "bare", "another"])
def test_a_fee_counts_once(again: dict[str, Any]):
    order = order_on("spot")
    hear(order, **BARE)
    hear(order)
    before, events = kept(order), OrderEvent.objects.count()
    hear(order, **again)
    assert (kept(order), OrderEvent.objects.count()) == (before, events)
    assert list(OrderEvent.objects.order_by("seq").values_list("kind", flat=True)) == ["fill", "fee"]


def test_a_fee_changes_nothing_else_of_the_order():
    order = order_on("spot")
    hear(order, **BARE)
    before = Order.objects.get(pk=order.pk)
    hear(order)
    after = Order.objects.get(pk=order.pk)
    assert (after.status, after.filled, after.average_price) == (before.status, before.filled, before.average_price)
    assert (after.status, after.alarms) == (OrderStatus.PARTIAL, "")


def test_a_fill_that_waits_for_its_order_learns_its_fee():
    order = order_on("spot")
    nameless = {"client_order_id": None, "exchange_order_id": "x9"}
    for changes in (BARE, {}, BARE):
        hear(order, **nameless, **changes)
    assert [(stray.fee, stray.fee_asset) for stray in StrayFill.objects.all()] == [(Decimal("0.01"), "USDT")]


def test_a_push_with_the_fee_is_not_taken_for_the_one_without():
    order, cache = order_on("spot"), EventCache()
    bare = told.fill(order, "1", **BARE)
    cache.add(bare)
    assert cache.knows(bare)
    assert not cache.knows(told.fill(order, "1"))


@pytest.mark.parametrize(
    "on",
    [
        ("coinex", MarketType.SPOT),
        ("coinex", MarketType.FUTURES),
        ("htx", MarketType.FUTURES),
        ("binance", MarketType.SPOT),
    ],
    indirect=True,
    ids="-".join,
)
def test_a_sweep_learns_the_fee_of_a_fill_that_is_known_without(on: Desk):
    row = on.committed(on.intent(amount=on.part, price=on.across(Side.BUY)))
    placed = replace(on.port.place(on.new_order(row)), fills=())
    recording.record_placed(row.pk, placed, on.instrument)
    ref = replace(on.ref(row), exchange_order_id=placed.exchange_order_id)
    known = on.port.order_trades(ref)
    for fill in known:
        recording.record_fill(on.account.pk, on.instrument, replace(fill, **BARE), WS)
    sweep(on.port, {Part.TRADES})
    paid = list(OrderFill.objects.filter(order=row).values_list("fee", "fee_asset"))
    assert paid == [(fill.fee, fill.fee_asset) for fill in known]
    assert all(fee for fee, _ in paid)
