"""Money is read-only in the admin, whatever address of it is asked how: a table of trading without a row here fails."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, reverse

from apps.trading.models import AccountKey, RiskState, Trade
from apps.trading.tests import rows, whole_account
from apps.trading.tests.test_admin import client, staff
from apps.users.models import User

pytestmark = pytest.mark.django_db

READ_ONLY, EDITED, NO_PAGE = "read-only", "edited through its services", "no page"
TABLES = {
    "account": READ_ONLY,
    "accountkey": NO_PAGE,
    "arbitrage": READ_ONLY,
    "fundingpayment": READ_ONLY,
    "lanepause": READ_ONLY,
    "order": READ_ONLY,
    "orderevent": READ_ONLY,
    "orderfill": READ_ONLY,
    "orderintent": READ_ONLY,
    "paperentry": READ_ONLY,
    "position": READ_ONLY,
    "risklimit": READ_ONLY,
    "riskstate": READ_ONLY,
    "riskusage": READ_ONLY,
    "strayfill": READ_ONLY,
    "trade": EDITED,
    "tradehistory": READ_ONLY,
    "tradetype": READ_ONLY,
    "tradingswitch": READ_ONLY,
    "wallet": READ_ONLY,
}
MODELS: dict[str, type[Model]] = {one._meta.model_name: one for one in apps.get_app_config("trading").get_models()}
OF_THE_DEPLOYMENT = ("tradetype", "tradingswitch")  # nobody's own
READ = [name for name, way in TABLES.items() if way == READ_ONLY]


@pytest.fixture(autouse=True)
def _no_static_files(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]


@pytest.fixture
def root() -> Client:
    return client(User.objects.create_superuser("root"))


def address(model: str, view: str, *args: Any) -> str:
    return reverse(f"admin:trading_{model}_{view}", args=args)


def posted(row: Model) -> dict[str, Any]:
    """Every column of the row, each with another value where that is a word or a number."""
    return {field.name: "77" for field in row._meta.fields if not field.primary_key} | {
        "post": "yes",
        "_save": "Save",
        "_saveasnew": "1",
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(row.pk),
        "action": "delete_selected",
        "select_across": "1",
        "_selected_action": str(row.pk),
    }


def contents() -> list[Any]:
    return [list(one._base_manager.order_by("pk").values()) for one in MODELS.values()]


def test_every_table_of_trading_has_a_row_here():
    assert set(TABLES) == set(MODELS)
    made = {one._meta.model_name for one in whole_account.make(User.objects.create_superuser("root"), owner=None)}
    assert made == set(MODELS)
    assert {name for name, model in MODELS.items() if model in site._registry} == {*READ, "trade"}


@pytest.mark.parametrize("model", READ)
def test_nothing_that_is_sent_to_any_page_of_money_changes_it(root, model):
    row = whole_account.make(User.objects.get(username="root"), owner=None)[MODELS[model]]
    before = contents()
    form = posted(row)
    assert root.get(address(model, "changelist")).status_code == 200
    assert root.get(address(model, "change", row.pk)).status_code == 200
    assert root.get(address(model, "history", row.pk)).status_code == 200
    assert root.post(address(model, "changelist"), form).status_code in (200, 302, 403)  # a list has no actions
    for view, args in (("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
        assert root.post(address(model, view, *args), form).status_code == 403, view
    for method in ("put", "patch", "delete"):
        assert getattr(root, method)(address(model, "change", row.pk)).status_code in (200, 403, 405), method
    assert contents() == before


@pytest.mark.parametrize("model", READ)
def test_a_page_of_money_has_no_field_no_button_and_no_row_of_another_table_to_edit(root, model):
    row = whole_account.make(User.objects.get(username="root"), owner=None)[MODELS[model]]
    page = root.get(address(model, "change", row.pk)).content.decode()
    shown = site._registry[MODELS[model]]
    assert not [word for word in ('name="_save"', "deletelink", "<textarea", "<select") if word in page]
    assert (shown.inlines, shown.actions, shown.list_editable, shown.autocomplete_fields) == ((), None, (), ())


@pytest.mark.parametrize("model", [name for name in READ if name not in OF_THE_DEPLOYMENT])
def test_what_is_somebody_elses_has_no_page_of_any_kind(model):
    anna, boris = staff("trader", "anna"), staff("trader", "boris")
    row = whole_account.make(anna, owner=anna)[MODELS[model]]
    by = client(boris)
    assert str(row.pk) not in changelist_numbers(by, model)
    for view in ("change", "history", "delete"):
        answer = by.get(address(model, view, row.pk))
        assert answer.status_code in (302, 403), view  # to the index: it is not there
    assert str(row.pk) not in changelist_numbers(by, model, q=whole_account.MARK)


def changelist_numbers(by: Client, model: str, **asked: str) -> set[str]:
    answer = by.get(address(model, "changelist"), asked)
    if answer.status_code == 403:
        return set()  # the role does not reach so far
    return {str(row.pk) for row in answer.context["cl"].result_list}


def test_a_switch_of_somebody_elses_account_is_there_for_who_may_stop_it_while_it_is_stopped():
    anna, boris, vera = staff("trader", "anna"), staff("trader", "boris"), staff("viewer", "vera")
    row = whole_account.make(anna, owner=anna)[RiskState]
    RiskState.objects.filter(pk=row.pk).update(state="HALTED", mode="stop")
    assert str(row.pk) in changelist_numbers(client(boris), "riskstate")
    assert str(row.pk) not in changelist_numbers(client(vera), "riskstate")


def test_nobody_is_helped_to_find_rows_of_other_people(root):
    """Completion reads a table by its permission alone."""
    anna = staff("trader", "anna")
    whole_account.make(anna, owner=anna)
    for name, way in TABLES.items():
        asked = {"app_label": "trading", "model_name": name, "field_name": "account", "term": whole_account.MARK}
        for by in (root, client(anna)):
            assert by.get(reverse("admin:autocomplete"), asked).status_code in (403, 404), (name, way)


def test_keys_of_exchanges_have_no_page():
    assert AccountKey not in site._registry
    with pytest.raises(NoReverseMatch):
        address("accountkey", "changelist")


def test_many_trades_are_not_deleted_or_switched_at_once(root):
    """What acts on TRADE rows is a service, one row at a time: the list offers no action, and takes none."""
    made = [rows.trade(rows.account(name=f"a{number}")) for number in range(3)]
    form = {"action": "delete_selected", "select_across": "1", "post": "yes", "index": "0"}
    answer = root.post(address("trade", "changelist"), {**form, "_selected_action": [str(row.pk) for row in made]})
    assert answer.status_code in (200, 302)
    assert Trade.objects.filter(pk__in=[row.pk for row in made]).count() == 3
