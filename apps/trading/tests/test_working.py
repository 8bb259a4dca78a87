"""Lanes are worked: each intent becomes one order, in order."""


import pytest

from apps.feeds.orders import NewOrder
from apps.trading.execution.working import Ended, Worked, work_lane
from apps.trading.models import Order
from apps.trading.tests import stage

pytestmark = pytest.mark.django_db


def test_an_intent_becomes_one_order_that_was_committed_before_it_left():
    trade = stage.trade()
    seen = []

    def answer(order: NewOrder):
        row = Order.objects.get(client_order_id=order.client_order_id)
        seen.append((row.status, row.amount, row.price, row.fence, row.build_id, row.intent.state))
        return stage.taken(order)

    port = stage.Exchange(trade.account_id, answer)
    intent = stage.want(trade).intent
    assert work_lane(stage.lane(trade), executor=stage.executor(port)) == Worked(ended=Ended.EMPTY, sent=1)
    assert seen == [("PENDING", intent.amount, intent.price, 1, stage.BUILD, "SENDING")]
    order = Order.objects.get()
    intent.refresh_from_db()
    assert (order.status, intent.state, len(port.accepted)) == ("OPEN", "WORKING", 1)
    assert list(order.events.values_list("kind", flat=True)) == ["placing", "placed"]
