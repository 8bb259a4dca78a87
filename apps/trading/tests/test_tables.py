"""What the tables of trading let through and what they do not, whichever database holds them."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError

from apps.feeds.market import Side
from apps.feeds.orders import OrderStatus, OrderType, TimeInForce
from apps.trading.models import (
    Account,
    Order,
    OrderEvent,
    OrderFill,
    OrderIntent,
    RiskLimit,
    RiskState,
    TradeHistory,
    TradingSwitch,
    Wallet,
)
from apps.trading.tests import rows

pytestmark = pytest.mark.django_db

SMALL, LARGE = Decimal("0.000000000000000001"), Decimal("99999999999999999999.999999999999999999")


@pytest.fixture
def intent() -> OrderIntent:
    return rows.intent(rows.trade(rows.account()))


@pytest.fixture
def order(intent: OrderIntent) -> Order:
    return rows.order(intent)


def refuses(call, *args, **values) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        call(*args, **values)


@pytest.mark.parametrize("amount", [SMALL, LARGE, Decimal("0.1") + SMALL])
def test_money_comes_back_to_the_last_digit(intent, amount):
    made = rows.order(intent, amount=amount, price=LARGE, filled=amount)
    rows.fill(made, amount=amount, price=LARGE, fee=-SMALL)
    read = Order.objects.get(pk=made.pk)
    (filled,) = OrderFill.objects.all()
    assert (read.amount, read.price, read.filled) == (amount, LARGE, amount)
    assert (filled.amount, filled.price, filled.fee) == (amount, LARGE, -SMALL)


def test_the_words_of_an_order_are_ours_in_python_and_the_seeds_in_the_table(order):
    read = Order.objects.get(pk=order.pk)
    assert (read.side, read.type, read.tif) == (Side.BUY, OrderType.LIMIT, TimeInForce.GTC)
    assert Order.objects.extra(where=["SIDE = 'BUY' AND ORDER_TYPE = 'LIMIT'"]).count() == 1
    assert Order.objects.filter(side=Side.BUY, type="limit").count() == 1


def test_the_same_key_is_the_same_intent(intent):
    refuses(rows.intent, intent.trade, intent_key=intent.intent_key)
    rows.intent(intent.trade, intent_key=intent.intent_key.upper())  # every letter counts


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": None},
        {"amount": Decimal(0)},
        {"amount": -SMALL},
        {"purpose": "fun"},
        {"price": None},
        {"price": Decimal(0)},
        {"type": "market"},
        {"type": "stop"},
        {"side": "unknown"},
        {"state": "LOST"},
        {"state": "DONE"},
        {"result": "FILLED"},
        {"state": "DONE", "result": "GUESSED"},
        {"reserved_amount": -SMALL},
        {"attempt": 32},
        {"attempt": -1},
    ],
)
def test_an_intent_that_means_nothing_is_refused(intent, wrong):
    refuses(rows.intent, intent.trade, **wrong)


def test_an_order_at_the_market_has_no_price(intent):
    assert rows.intent(intent.trade, type="market", price=None).price is None


def test_an_attempt_of_an_intent_is_one_order(order):
    refuses(rows.order, order.intent)
    rows.order(order.intent, attempt=1)


def test_a_client_order_id_is_one_order(order):
    refuses(rows.order, order.intent, attempt=1, client_order_id=order.client_order_id)


@pytest.mark.parametrize("wrong", [{"client_order_id": None}, {"account": None}, {"is_external": True}])
def test_an_attempt_can_always_be_told_from_somebody_elses_order(intent, wrong):
    refuses(rows.order, intent, **wrong)


def test_orders_of_somebody_else_need_no_id_of_ours(order):
    for number in ("1", "2"):
        rows.order(
            order.intent, intent=None, client_order_id=None, is_external=True, exchange_order_id=number, status="OPEN"
        )
    assert Order.objects.filter(is_external=True).count() == 2


def test_the_exchanges_id_is_one_order_of_an_account_and_pair(order):
    Order.objects.filter(pk=order.pk).update(exchange_order_id="8")
    refuses(rows.order, order.intent, attempt=1, exchange_order_id="8")
    other = rows.intent(rows.trade(order.account, "ETH/USDT"))
    rows.order(other, exchange_order_id="8")  # some exchanges count per symbol


def test_a_fill_is_kept_once(order):
    first = rows.fill(order)
    refuses(rows.fill, order, trade_id=first.trade_id)
    rows.fill(order, trade_id=first.trade_id, side="sell")
    TradeHistory.objects.create(fill=first)
    refuses(TradeHistory.objects.create, fill=first)


def test_an_order_moves_on_only_from_where_it_was_read(order):
    assert Order.objects.advance(order.pk, was=OrderStatus.PENDING, filled=Decimal(0), status=OrderStatus.OPEN)
    assert not Order.objects.advance(order.pk, was=OrderStatus.PENDING, filled=Decimal(0), status=OrderStatus.REJECTED)
    assert Order.objects.get(pk=order.pk).status == OrderStatus.OPEN


def test_what_is_filled_never_falls(order):
    half, less = Decimal("0.25"), Decimal("0.25") - SMALL
    assert Order.objects.advance(order.pk, was=OrderStatus.PENDING, filled=half, status=OrderStatus.PARTIAL)
    assert not Order.objects.advance(order.pk, was=OrderStatus.PARTIAL, filled=less, status=OrderStatus.CANCELLED)
    assert Order.objects.get(pk=order.pk).filled == half
    assert Order.objects.advance(order.pk, was=OrderStatus.PARTIAL, filled=half + SMALL)


def test_the_exchanges_id_never_changes(order):
    known = {"was": OrderStatus.PENDING, "filled": Decimal(0)}
    assert Order.objects.advance(order.pk, **known, exchange_order_id="a")
    assert not Order.objects.advance(order.pk, **known, exchange_order_id="b")
    assert not Order.objects.advance(order.pk, **known, exchange_order_id="A")
    assert Order.objects.advance(order.pk, **known, exchange_order_id="a")
    assert Order.objects.get(pk=order.pk).exchange_order_id == "a"


def test_orders_intents_and_fills_are_never_deleted(order):
    filled = rows.fill(order)
    for row in (filled, order, order.intent):
        with pytest.raises(TypeError, match="never deleted"):
            row.delete()
        with pytest.raises(TypeError, match="never deleted"):
            type(row).objects.all().delete()


def test_events_of_an_order_are_added_and_nothing_else(order):
    made = OrderEvent.objects.create(order=order, seq=1, kind="sent", to_status="PENDING", evidence={"code": "-1007"})
    refuses(OrderEvent.objects.create, order=order, seq=1, kind="sent", to_status="PENDING")
    with pytest.raises(TypeError, match="never changed"):
        OrderEvent.objects.update(kind="other")
    with pytest.raises(TypeError, match="never deleted"):
        made.delete()


def test_trade_account_and_pair_of_an_order_cannot_be_deleted(order):
    for row in (order.trade, order.account, order.pair):
        with pytest.raises(ProtectedError):
            row.delete()


def test_a_wallet_is_one_per_asset(order):
    Wallet.objects.create(account=order.account, asset="USDT", total=SMALL)
    refuses(Wallet.objects.create, account=order.account, asset="USDT", total=1)


@pytest.mark.parametrize(
    ("scope", "scope_id", "state"),
    [
        ("global", "", "HALTED"),  # there is one already
        ("global", "all", "ACTIVE"),
        ("exchange", "", "ACTIVE"),
        ("pair", "1", "ACTIVE"),
        ("trade", "1", "SLEEPING"),
    ],
)
def test_a_switch_that_means_nothing_is_refused(scope, scope_id, state):
    RiskState.objects.get_or_create(scope="global", scope_id="", defaults={"state": "ACTIVE"})
    refuses(RiskState.objects.create, scope=scope, scope_id=scope_id, state=state)


def test_what_is_allowed_of_the_deployment_is_one_row_and_off_until_a_person_says_so():
    (switch,) = TradingSwitch.objects.all()
    assert (switch.live_allowed, switch.allowed_build) == (False, "")
    refuses(TradingSwitch.objects.create, pk=2)


def test_a_limit_is_one_per_name_and_scope():
    limit = {"scope": "account", "scope_id": "1", "name": "max_order_notional"}
    RiskLimit.objects.create(**limit, value=Decimal(100))
    refuses(RiskLimit.objects.create, **limit, value=Decimal(200))
    refuses(RiskLimit.objects.create, **{**limit, "name": "other"}, value=-SMALL)


def test_a_new_account_is_on_paper():
    assert Account.objects.get(pk=rows.account().pk).mode == "paper"
