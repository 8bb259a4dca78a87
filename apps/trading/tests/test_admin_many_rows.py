"""Tables of money as large as they become: a page of them opens, and what is asked of all rows at once does nothing.

With `CT_FAULTS` above 1 they have 100,000 rows.
"""

import os
import time
from itertools import product

import pytest
from django.test import Client
from django.urls import reverse

from apps.feeds.tests.listings import list_pairs
from apps.trading.models import Order, OrderIntent
from apps.trading.tests import rows
from apps.trading.tests.test_admin import client
from apps.users.models import User

pytestmark = pytest.mark.django_db

ROWS = 100_000 if int(os.environ.get("CT_FAULTS", "1")) > 1 else 2_000
QUERIES = 20
SECONDS = 2.0  # of the process itself: nothing hangs longer
LISTS = {"order": Order, "orderintent": OrderIntent}
CHANGES = {Order: "updated_at", OrderIntent: "state"}
ACTIONS = ("delete_selected", "cancel", "", "../../delete")


@pytest.fixture
def root(settings) -> Client:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]
    list_pairs("BTC/USDT")
    return client(User.objects.create_superuser("root"))


@pytest.fixture
def many() -> None:
    """Orders, each of an intent."""
    trade = rows.trade(rows.account())
    one = rows.intent(trade, state="DONE", result="FILLED")
    names = [field.name for field in OrderIntent._meta.fields if field.name not in ("id", "intent_key")]
    same = {name: getattr(one, name) for name in names}
    OrderIntent.objects.bulk_create(
        [OrderIntent(**same, intent_key=f"many {number}") for number in range(ROWS)], batch_size=500
    )
    like = rows.order(one, status="FILLED")
    names = [field.name for field in Order._meta.fields if field.name not in ("id", "client_order_id", "intent")]
    same = {name: getattr(like, name) for name in names}
    keys = OrderIntent.objects.exclude(pk=one.pk).values_list("pk", flat=True)
    Order.objects.bulk_create(
        [Order(**same, intent_id=key, client_order_id=f"many{key}") for key in keys], batch_size=500
    )


def test_lists_of_very_many_rows_open_search_and_page_in_few_queries(root, many, django_assert_max_num_queries):
    for model in LISTS:
        list_of = reverse(f"admin:trading_{model}_changelist")
        for asked in ({}, {"p": "10"}, {"q": "many77"}, {"o": "-1"}, {"all": ""}):
            started = time.process_time()
            with django_assert_max_num_queries(QUERIES):
                answer = root.get(list_of, asked)
            assert answer.status_code == 200, (model, asked)
            assert len(answer.context["cl"].result_list) <= 200, (model, asked)
            assert time.process_time() - started < SECONDS, (model, asked)


def state() -> list[list[tuple[int, str]]]:
    return [list(table.objects.order_by("pk").values_list("pk", column)) for table, column in CHANGES.items()]


def test_what_is_asked_of_all_rows_at_once_is_asked_of_nobody(root, many, django_assert_max_num_queries):
    before = state()
    for (model, table), action in product(LISTS.items(), ACTIONS):
        chosen = [str(pk) for pk in table.objects.values_list("pk", flat=True)[:900]]
        form = {"action": action, "select_across": "1", "index": "0", "post": "yes", "_selected_action": chosen}
        started = time.process_time()
        with django_assert_max_num_queries(QUERIES):
            answer = root.post(reverse(f"admin:trading_{model}_changelist"), form)
        assert answer.status_code in (200, 302, 403), (model, action)
        assert time.process_time() - started < SECONDS, (model, action)
    assert state() == before
