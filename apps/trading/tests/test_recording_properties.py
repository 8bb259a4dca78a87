"""Whatever is told of orders, in whatever order, twice or with gaps that a sweep closes: the rows end the same.

CT_EXAMPLES multiplies the number of runs, few since each writes rows, and fewer on a server. All are of
one account with two orders of its own, and are undone again.
"""

import os
from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading import portfolio
from apps.trading.bookkeeping import recording
from apps.trading.bookkeeping.outside import STRATEGY
from apps.trading.models import (
    FillSource,
    Order,
    OrderEvent,
    OrderFill,
    OrderIntent,
    Position,
    StrayFill,
    TradeHistory,
    Wallet,
)
from apps.trading.tests import rows, told
from tests.sizes import examples

pytestmark = pytest.mark.django_db
RUNS = settings(
    max_examples=examples(50 if os.environ.get("CT_TEST_DATABASE") else 500),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
KEPT = tuple(
    model._meta.db_table
    for model in (Order, OrderEvent, OrderFill, OrderIntent, TradeHistory, StrayFill, Position, Wallet)
)
SIDES = (Side.BUY, Side.SELL)
MONEY = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
OPEN, PARTIAL, FILLED, CANCELLED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.FILLED, OrderStatus.CANCELLED
ENDED = {  # of intents; with nothing filled, and with something
    OPEN: (("WORKING", None),) * 2,
    PARTIAL: (("WORKING", None),) * 2,
    FILLED: (("DONE", "FILLED"),) * 2,
    CANCELLED: (("DONE", "CANCELLED"), ("DONE", "PARTIAL_CANCELLED")),
}


class Story(Struct):
    """All that an exchange says of one order, in its order. `order` None: it is somebody else's."""

    name: str
    side: Side
    order: Order | None
    reports: list[OrderUpdate | Fill]
    status: OrderStatus = OPEN

    @property
    def fills(self) -> list[Fill]:
        return [report for report in self.reports if isinstance(report, Fill)]

    @property
    def filled(self) -> Decimal:
        return sum((fill.amount for fill in self.fills), Decimal(0))

    @property
    def listed(self) -> list[OrderUpdate | Fill]:
        """What a sweep is told: the order as it is, and its trades."""
        updates = [report for report in self.reports if isinstance(report, OrderUpdate)]
        return [updates[-1], *self.fills]


@pytest.fixture
def orders(settings: Any) -> list[Order]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    account = rows.account()
    for asset, total in MONEY.items():
        Wallet.objects.create(account=account, asset=asset, free=total, total=total, expected=total)
    made = [told.sent(account, side=side) for side in SIDES]
    rows.trade(account, strategy=STRATEGY, enabled=False)  # as orders of others have it
    return made


def story(number: int, order: Order, chance: Random) -> Story:
    """A fifth of an order of 0.5 at a time; who executes tells our id or does not."""
    names = {"exchange_order_id": f"x{number}", "side": Side(order.side)}
    made = Story(f"x{number}", Side(order.side), order, [told.update(order, OPEN, **names)])
    parts = chance.choice((0, 1, 2, 3, 5))
    for part in range(1, parts + 1):
        made.status = FILLED if part == 5 else PARTIAL
        ours = order.client_order_id if chance.random() < 0.5 else None
        fee = {"fee": Decimal(chance.randint(-3, 9)) / 1000, "fee_asset": chance.choice(("USDT", "BTC", "BNB"))}
        named = {**names, **fee, "client_order_id": ours, "exchange_ms": told.EXPIRES_MS + 10 * part + number}
        made.reports.append(told.fill(order, f"{number}.{part}", price=60_000 + chance.randint(-9, 9), **named))
        made.reports.append(told.update(order, made.status, str(Decimal(part) / 10), **names))
    if parts < 5 and chance.random() < 0.7:
        made.status = CANCELLED
        made.reports.append(told.update(order, CANCELLED, str(Decimal(parts) / 10), **names))
    return made


def foreign(like: Order) -> Story:
    names = {"exchange_order_id": "y", "client_order_id": "somebody"}
    trade = told.fill(like, "y", **{**names, "client_order_id": None})
    reports = [told.update(like, OPEN, **names), trade, told.update(like, PARTIAL, "0.1", **names)]
    return Story("y", Side.BUY, None, reports, PARTIAL)


def tell(like: Order, reports: Iterable[OrderUpdate | Fill]) -> None:
    instrument = told.instrument(like)
    for report in reports:
        if isinstance(report, Fill):
            recording.record_fill(like.account_id, instrument, report, FillSource.WS)
        else:
            recording.record_update(like.account_id, instrument, report, FillSource.REST)


def written(like: Order) -> dict[str, Any]:
    """What the rows of the account have come to."""
    found = Order.objects.filter(account=like.account).order_by("exchange_order_id")
    fills = OrderFill.objects.filter(account=like.account).select_related("order").order_by("trade_id")
    held = Position.objects.filter(account=like.account).first()
    return {
        "orders": [(row.exchange_order_id, row.status, row.filled, row.alarms) for row in found],
        "fills": [(fill.trade_id, fill.order.exchange_order_id, fill.amount, fill.price, fill.fee) for fill in fills],
        "intents": [(row.intent.state, row.intent.result) for row in found.select_related("intent") if row.intent],
        "position": (held.amount, held.cost, held.realised, held.fee_sums) if held else None,
        "wallets": dict(Wallet.objects.filter(account=like.account).values_list("asset", "expected")),
        "waiting": StrayFill.objects.filter(order=None).count(),
    }


def true(stories: list[Story]) -> dict[str, Any]:
    """What they ought to come to."""
    fills = [(fill, each) for each in stories for fill in each.fills]
    reckoned = portfolio.Holding(instrument=told.instrument(next(each.order for each in stories if each.order)))
    for fill, _ in sorted(fills, key=lambda pair: (pair[0].exchange_ms, pair[0].trade_id)):
        reckoned = portfolio.take_fill(reckoned, fill)
    ours = [each for each in stories if each.order is not None]
    return {
        "orders": [(each.name, each.status, each.filled, "") for each in stories],
        "fills": sorted((fill.trade_id, each.name, fill.amount, fill.price, fill.fee) for fill, each in fills),
        "intents": [ENDED[each.status][each.filled > 0] for each in ours],
        "position": (reckoned.amount, reckoned.cost, reckoned.realised, _texts(reckoned.fees)) if fills else None,
        "wallets": _wallets(stories),
        "waiting": 0,
    }


def _wallets(stories: list[Story]) -> dict[str, Decimal]:
    wallets = dict(MONEY)
    for each in stories:
        for fill in each.fills:
            amount = fill.amount if each.side is Side.BUY else -fill.amount
            for asset, delta in (("BTC", amount), ("USDT", -amount * fill.price), (fill.fee_asset, -fill.fee)):
                if delta or asset in wallets:
                    wallets[asset] = wallets.get(asset, Decimal(0)) + delta
    return wallets


def _texts(sums: Any) -> dict[str, str]:
    return {asset: f"{amount.normalize():f}" for asset, amount in sums.items()}


def all_rows() -> list[Any]:
    with connection.cursor() as cursor:
        return [_read(cursor, name) for name in KEPT]


def _read(cursor: Any, name: str) -> Any:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)} ORDER BY id")
    return cursor.fetchall()


@RUNS
@given(seed=st.integers(0, 2**32 - 1))
def test_shuffled_repeated_and_dropped_reports_end_in_the_true_rows_once_a_sweep_has_told_all(
    orders: list[Order], seed: int
) -> None:
    with transaction.atomic():
        chance, like = Random(seed), orders[0]
        stories = [*(story(number, order, chance) for number, order in enumerate(orders)), foreign(like)]
        heard = [report for each in stories for report in each.reports if chance.random() < 0.7]
        heard += [report for report in heard if chance.random() < 0.5]
        chance.shuffle(heard)
        tell(like, heard)
        swept = [report for each in stories for report in each.listed]
        chance.shuffle(swept)
        tell(like, swept)
        tell(like, swept)  # what waited for its order is told once more
        assert written(like) == true(stories)
        before = all_rows()
        tell(like, swept)
        assert all_rows() == before, "the second pass must find nothing"
        transaction.set_rollback(True)
