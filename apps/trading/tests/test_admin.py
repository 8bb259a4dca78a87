"""The admin of trading: money is read, TRADE rows are edited through the services, nobody sees what is another's."""

import json
import re

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from apps.feeds.tests.listings import list_pairs
from apps.trading.admin import OwnRowsAdmin
from apps.trading.models import AccountKey, OrderEvent, OrderIntent, Trade, TradeHistory, Wallet
from apps.trading.tests import rows
from apps.users.models import Audit, User
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db
MONEY = sorted(
    model._meta.model_name
    for model in site._registry
    if model._meta.app_label == "trading" and model._meta.model_name != "trade"
)
LIST = "/admin/trading/trade/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _listed(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]
    list_pairs("BTC/USDT")


def staff(role: str, name: str) -> User:
    user = person(role, name)
    user.is_staff = True
    user.save()
    return user


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def traded(owner: User | None, name: str = "a") -> Trade:
    """A TRADE row with one filled order on an account of `owner`."""
    row = rows.trade(rows.account(owner=owner, name=name))
    order = rows.order(rows.intent(row))
    filled = rows.fill(order)
    OrderEvent.objects.create(order=order, seq=1, kind="sent", to_status="PENDING")
    TradeHistory.objects.create(exchange="binance", account=row.account, fill=filled)
    Wallet.objects.create(account=row.account, asset="USDT", total=10)
    return row


def post(by: Client, row: Trade, **form: str):
    values = {"enabled": "on", "params": "{}", "priority": "0"}
    return by.post(f"{LIST}{row.pk}/change/", {name: text for name, text in {**values, **form}.items() if text})


@pytest.mark.parametrize("model", MONEY)
def test_nobody_adds_changes_or_deletes_money(model):
    row = traded(None)
    by = client(User.objects.create_superuser("root"))
    assert by.get(reverse(f"admin:trading_{model}_add")).status_code == 403
    for one in site._registry:
        if one._meta.model_name != model:
            continue
        for found in one.objects.all()[:1]:
            key = [found.pk]
            assert by.get(reverse(f"admin:trading_{model}_change", args=key)).status_code == 200
            assert by.post(reverse(f"admin:trading_{model}_change", args=key), {}).status_code == 403
            assert by.post(reverse(f"admin:trading_{model}_delete", args=key), {"post": "yes"}).status_code == 403
    assert by.post(reverse(f"admin:trading_{model}_changelist"), {"action": "delete_selected"}).status_code in (
        200,
        403,
    )
    assert OrderIntent.objects.filter(trade=row).count() == 1


def test_keys_of_exchanges_have_no_page():
    assert AccountKey not in site._registry


@pytest.mark.parametrize(
    "model",
    sorted(model._meta.model_name for model, shown in site._registry.items() if isinstance(shown, OwnRowsAdmin)),
)
def test_a_trader_sees_own_rows_and_the_desks(model):
    anna, boris = staff("trader", "anna"), staff("trader", "boris")
    traded(boris, name="boris secret")
    (shown,) = [(one, page) for one, page in site._registry.items() if one._meta.model_name == model]
    theirs = (
        list(shown[0].objects.values_list("pk", flat=True)) if model in ("order", "orderfill", "orderintent") else []
    )
    by = client(anna)
    answer = by.get(reverse(f"admin:trading_{model}_changelist"))
    assert answer.status_code == 200
    assert b"boris secret" not in answer.content
    for pk in theirs:
        assert by.get(reverse(f"admin:trading_{model}_change", args=[pk])).status_code == 302  # to the index: not there


@pytest.mark.parametrize(
    "model", ["order", "orderfill", "orderintent", "orderevent", "tradehistory", "wallet", "trade"]
)
def test_a_list_takes_few_queries_however_many_rows_it_has(model, django_assert_max_num_queries):
    for number in range(25):
        traded(None, name=f"a{number}")
    by = client(staff("admin", "olga"))
    with django_assert_max_num_queries(20):
        assert by.get(reverse(f"admin:trading_{model}_changelist")).status_code == 200


def test_a_viewer_sees_no_accounts():
    by = client(staff("viewer", "vera"))
    assert by.get(reverse("admin:trading_order_changelist")).status_code == 200
    assert by.get(reverse("admin:trading_account_changelist")).status_code == 403


def test_a_trade_is_switched_off_with_one_audit_row():
    anna = staff("trader", "anna")
    row = traded(anna)
    assert post(client(anna), row, enabled="", priority="5").status_code == 302
    read = Trade.objects.get(pk=row.pk)
    assert (read.enabled, read.priority) == (False, 5)
    assert [(one.action, one.user) for one in Audit.objects.all()] == [("trade.disable", "anna")]


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({"priority": str(2**31)}, "2147483647"),
        ({"params": "[1]"}, "Must be an object"),
        ({"params": "{"}, "Enter a valid JSON"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(form, word):
    anna = staff("trader", "anna")
    row = traded(anna)
    answer = post(client(anna), row, **form)
    assert answer.status_code == 200
    assert word in answer.content.decode()
    assert not Audit.objects.exists()


NO_JSON = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "[" * 900 + "]" * 900, "[" * 100_000, '"\\ud800"')
NOT_STORED = (str(2**63), f"-{2**63 + 1}", "9" * 400, "[" * 16 + "]" * 16, '{"a":' * 40 + "1" + "}" * 40)


@pytest.mark.parametrize("value", [*NO_JSON, *NOT_STORED], ids=lambda value: f"{value[:12]} {len(value)}")
def test_parameters_that_cannot_be_kept_as_they_are_are_refused_at_their_field(value):
    anna = staff("trader", "anna")
    row = traded(anna)
    answer = post(client(anna), row, params=f'{{"layers": {value}}}')
    assert answer.status_code == 200
    assert list(answer.context["errors"]) == [answer.context["adminform"].form.errors["params"]]
    assert not Trade.objects.get(pk=row.pk).params
    assert not Audit.objects.exists()


@pytest.mark.parametrize(
    "value", [str(2**63 - 1), f"-{2**63}", "1.5", "true", "[" * 15 + "]" * 15, '"9999999999999999999"']
)
def test_parameters_are_kept_as_they_are(value):
    anna = staff("trader", "anna")
    row = traded(anna)
    assert post(client(anna), row, params=f'{{"layers": {value}}}').status_code == 302
    assert Trade.objects.get(pk=row.pk).params == {"layers": json.loads(value)}


def test_a_trade_that_cannot_run_is_not_switched_on():
    anna = staff("trader", "anna")
    row = traded(anna)
    Trade.objects.filter(pk=row.pk).update(enabled=False, pair="GONE/USDT")
    answer = post(client(anna), row)
    assert "is not in the catalogue" in answer.content.decode()
    assert not Trade.objects.get(pk=row.pk).enabled


def test_columns_that_are_not_offered_are_not_taken():
    anna = staff("trader", "anna")
    row = traded(anna)
    post(client(anna), row, mode="live", pair="ETH/USDT", account="", priority="3")
    read = Trade.objects.get(pk=row.pk)
    assert (read.mode, read.pair, read.account_id, read.priority) == ("paper", "BTC/USDT", row.account_id, 3)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten():
    row = traded(None)
    olga, boris = (client(staff("admin", name)) for name in ("olga", "boris"))
    page = olga.get(f"{LIST}{row.pk}/change/").content.decode()
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert seen is not None
    assert post(boris, row, priority="7").status_code == 302
    answer = olga.post(f"{LIST}{row.pk}/change/", {"params": "{}", "priority": "0", "seen": seen[1]}, follow=True)
    assert "Somebody else has changed" in answer.content.decode()
    read = Trade.objects.get(pk=row.pk)
    assert (read.enabled, read.priority) == (True, 7)
    assert [one.user for one in Audit.objects.all()] == ["boris"]


def test_a_form_that_nobody_was_faster_than_is_saved():
    row = traded(None)
    olga = client(staff("admin", "olga"))
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', olga.get(f"{LIST}{row.pk}/change/").content.decode())
    assert seen is not None
    assert post(olga, row, priority="7", seen=seen[1]).status_code == 302
    assert Trade.objects.get(pk=row.pk).priority == 7


def test_a_trade_of_somebody_else_is_not_there():
    anna, boris = staff("trader", "anna"), staff("trader", "boris")
    row = traded(boris)
    assert post(client(anna), row, enabled="").status_code == 302
    assert Trade.objects.get(pk=row.pk).enabled


def test_a_trade_with_orders_is_not_deleted():
    olga = staff("admin", "olga")
    row = traded(None)
    by = client(olga)
    answer = by.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}, follow=True)
    assert answer.status_code == 200
    assert Trade.objects.filter(pk=row.pk).exists()


def test_a_trade_without_orders_is_deleted_with_its_trace():
    row = rows.trade(rows.account())
    client(staff("admin", "olga")).post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert not Trade.objects.filter(pk=row.pk).exists()
    assert [one.action for one in Audit.objects.all()] == ["trade.delete"]


def test_hostile_text_of_plain_sql_is_shown_as_text():
    Trade.objects.create(exchange=HOSTILE, pair=HOSTILE[:50], strategy=HOSTILE, enabled=False)
    answer = client(staff("admin", "olga")).get(LIST)
    assert HOSTILE not in answer.content.decode()
    assert "&lt;script&gt;" in answer.content.decode()
