"""What works is not switched off beneath its orders; where somebody's SQL did, they are followed to their end."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.feeds import services
from apps.feeds.market import Side
from apps.feeds.models import Exchange
from apps.feeds.orders import OrderStatus
from apps.trading import accounts
from apps.trading.bookkeeping import recording
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.resolution import resolving
from apps.trading.models import Order, Position
from apps.trading.tests import remote_seat, rows, stage
from apps.trading.tests.remote_seat import Desk
from apps.users.models import User
from apps.users.services import SYSTEM
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
ADMIN = "/admin/feeds/exchange/"


@pytest.fixture(autouse=True)
def no_bus(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]


def working() -> Order:
    return rows.order(rows.intent(rows.trade(rows.account()), state="WORKING"), status="OPEN")


def is_on(code: str = "binance") -> bool:
    return Exchange.objects.get(code=code).enabled


def administrator() -> Client:
    user = person("admin", "olga")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(user)
    return client


def test_an_exchange_with_open_orders_stays_on_and_says_where_to_cancel_them():
    order = working()
    with pytest.raises(ValidationError, match=r"1 orders and 1 intents are .*, /trading/orders/"):
        services.set_exchange_enabled(exchange="binance", enabled=False, actor=SYSTEM)
    assert is_on()
    Order.objects.filter(pk=order.pk).update(status="CANCELLED")
    with pytest.raises(ValidationError, match="0 orders and 1 intents"):
        services.set_exchange_enabled(exchange="binance", enabled=False, actor=SYSTEM)
    type(order.intent).objects.update(state="DONE", result="CANCELLED")
    assert services.set_exchange_enabled(exchange="binance", enabled=False, actor=SYSTEM)
    assert not is_on()


def test_what_others_have_open_and_what_works_elsewhere_is_not_in_the_way():
    order = working()
    type(order.intent).objects.update(state="DONE", result="CANCELLED")
    Order.objects.filter(pk=order.pk).update(
        is_external=True, intent=None, client_order_id=None, exchange_order_id="x1"
    )
    assert services.set_exchange_enabled(exchange="binance", enabled=False, actor=SYSTEM)


def test_the_admin_says_it_on_the_page_of_the_exchange_and_in_the_list():
    working()
    client, row = administrator(), Exchange.objects.get(code="binance")
    answer = client.post(f"{ADMIN}{row.pk}/change/", {})
    assert (answer.status_code, "cancel them first" in answer.content.decode()) == (200, True)
    listed = list(Exchange.objects.order_by("pk"))
    form = {"form-TOTAL_FORMS": len(listed), "form-INITIAL_FORMS": len(listed), "_save": "Save"}
    form |= {f"form-{number}-id": each.pk for number, each in enumerate(client.get(ADMIN).context["cl"].result_list)}
    answer = client.post(ADMIN, form)
    assert (answer.status_code, "cancel them first" in answer.content.decode()) == (200, True)
    assert is_on()


def test_an_account_with_open_orders_stays_open_and_says_where_to_cancel_them():
    order = working()
    with pytest.raises(ValidationError, match=rf"/trading/orders/\?account={order.account_id}"):
        accounts.close(account_id=order.account_id or 0, actor=SYSTEM)


def test_on_an_exchange_that_was_switched_off_by_sql_new_orders_are_refused_and_positions_may_be_reduced():
    trade = stage.trade()
    Exchange.objects.filter(code="binance").update(enabled=False)
    assert stage.want(trade).intent.deny_reason == "ONLY_REDUCING"
    Position.objects.create(account=trade.account, pair_id=stage.pair_of(trade), amount=1)
    assert stage.want(trade, side=Side.SELL).intent.deny_reason == ""


def test_an_order_that_was_open_when_its_exchange_was_switched_off_by_sql_is_followed(on: Desk):
    filled, other = (on.committed(on.intent(price=price)) for price in (on.near(Side.BUY), on.far(Side.BUY)))
    for row in (filled, other):
        recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    Exchange.objects.filter(code="binance").update(enabled=False)
    on.fill(Order.objects.get(pk=filled.pk).exchange_order_id or "", on.amount)
    cancelling.request_cancel(Order.objects.get(pk=other.pk), SYSTEM)
    assert cancelling.cancel_due(on.executor()) == 1
    found = [resolving.resolve(row.pk, on.port).status for row in (filled, other)]
    assert found == [OrderStatus.FILLED, OrderStatus.CANCELLED]
