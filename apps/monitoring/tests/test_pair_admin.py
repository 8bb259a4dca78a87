"""The admin edits pairs through the same services: one audit row, errors at the field, never a 500."""

from typing import Any

import pytest
from django.test import Client

from apps.feeds.models import Exchange
from apps.feeds.tests.listings import list_pairs
from apps.monitoring.models import Monitoring
from apps.monitoring.selectors import tasks
from apps.users.models import Audit
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db
LIST = "/admin/monitoring/monitoring/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def admin(settings) -> Client:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]
    list_pairs("BTC/USDT", "ETH/USDT")
    user = person("admin")
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


def inline(**values: Any) -> dict[str, Any]:
    """A form of one row, as the browser posts it."""
    counts = {f"more_pairs-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    return {**counts, **{name: value for name, value in values.items() if value is not None}}


def listed(*rows: Monitoring, on: set[int]) -> dict[str, Any]:
    """The list with its switches, as the browser posts it."""
    form: dict[str, Any] = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    for number, row in enumerate(rows):
        form[f"form-{number}-id"] = row.pk
        if row.pk in on:
            form[f"form-{number}-enabled"] = "on"
    return form


def test_a_pair_is_switched_off_and_on_in_the_list(admin):
    row = Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    other = Monitoring.objects.create(exchange="binance", pair="ETH/USDT")
    admin.post(LIST, listed(row, other, on={other.pk}))
    assert [task.pair for task in tasks()] == ["ETH/USDT"]
    admin.post(LIST, listed(row, other, on={row.pk, other.pk}))
    assert len(tasks()) == 2
    assert [(one.action, one.user) for one in Audit.objects.order_by("change_id")] == [
        ("pair.disable", "admin"),
        ("pair.enable", "admin"),
    ]


def test_a_row_that_cannot_run_is_not_switched_on_and_says_why(admin):
    row = Monitoring.objects.create(exchange="binance", market_type="options", pair="NOPE/USDT", enabled=False)
    page = admin.post(LIST, listed(row, on={row.pk}))
    assert page.status_code == 200
    assert "Unknown market type" in page.content.decode()
    assert tasks() == []


def test_what_is_refused_while_it_is_saved_is_a_message_and_no_error(admin, monkeypatch):
    row = Monitoring.objects.create(exchange="binance", pair="NOPE/USDT", enabled=False)
    monkeypatch.setattr("apps.monitoring.admin.PairForm.clean", lambda form: form.cleaned_data)
    for page in (
        admin.post(LIST, listed(row, on={row.pk}), follow=True),
        admin.post(f"{LIST}{row.pk}/change/", inline(depth=20, priority=0, enabled="on"), follow=True),
    ):
        assert "not in the catalogue" in page.content.decode()
    assert tasks() == []


def test_the_list_says_why_a_row_does_not_run(admin):
    Monitoring.objects.create(exchange="kraken", pair="BTC/USDT")
    assert "unknown exchange &#x27;kraken&#x27;" in admin.get(LIST).content.decode()


def test_a_pair_is_added_by_the_form(admin):
    answer = admin.post(
        f"{LIST}add/",
        inline(exchange="binance", market_type="spot", pair="btc/usdt", depth=50, priority=2, enabled="on"),
    )
    assert answer.status_code == 302
    (task,) = tasks()
    assert (task.pair, task.depth, task.priority) == ("BTC/USDT", 50, 2)
    assert Audit.objects.get().action == "pair.add"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("exchange", value) for value in ("", "kraken", "x" * 51, HOSTILE, "\x00", "' OR 1=1--")),
        *(("market_type", value) for value in ("options", "SPOT", HOSTILE)),
        *(
            ("pair", value)
            for value in ("", "NOPE/USDT", "BTCUSDT", "x" * 51, HOSTILE, "\x00", "=cmd|'/c'!A1", "BTÇ/USDT")
        ),
        *(("depth", value) for value in ("21", "-1", "NaN", "1e309", "١٢", "full", "9" * 40)),
        *(("priority", value) for value in ("x", "1.5", "NaN", "1e309", str(2**31), "9" * 40, "-" + "9" * 40)),
    ],
)
def test_a_bad_value_is_refused_at_its_field_of_the_form(admin, field, value):
    good = {"exchange": "binance", "market_type": "spot", "pair": "BTC/USDT", "depth": 20, "priority": 0}
    page = admin.post(f"{LIST}add/", inline(**{**good, field: value}))
    assert page.status_code == 200
    assert field in page.context["adminform"].form.errors
    assert HOSTILE not in page.content.decode()
    assert not Monitoring.objects.exists()


def test_depth_and_priority_are_edited_by_the_form_and_the_pair_is_not(admin):
    row = Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    admin.post(f"{LIST}{row.pk}/change/", inline(depth=50, priority=9, enabled="on", pair="ETH/USDT"))
    row.refresh_from_db()
    assert (row.pair, row.depth, row.priority) == ("BTC/USDT", 50, 9)


@pytest.mark.parametrize(("field", "value"), [("depth", "21"), ("priority", str(2**31)), ("priority", "9" * 40)])
def test_a_bad_edit_is_refused_at_its_field(admin, field, value):
    row = Monitoring.objects.create(exchange="binance", pair="BTC/USDT")
    page = admin.post(f"{LIST}{row.pk}/change/", inline(**{"depth": 20, "priority": 0, "enabled": "on", field: value}))
    assert field in page.context["adminform"].form.errors
    row.refresh_from_db()
    assert (row.depth, row.priority) == (20, 0)


def test_rows_are_deleted_by_the_action_with_one_trace(admin):
    rows = [Monitoring.objects.create(exchange="binance", pair=pair) for pair in ("BTC/USDT", "ETH/USDT")]
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    admin.post(LIST, chosen)
    assert not Monitoring.objects.exists()
    assert Audit.objects.get().action == "pair.delete"


def test_hostile_text_of_plain_sql_is_shown_as_text(admin):
    row = Monitoring.objects.create(exchange=HOSTILE, exchange_name=HOSTILE, pair=HOSTILE[:50], market_type="<b>")
    for page in (LIST, f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/delete/", f"{LIST}{row.pk}/history/"):
        assert HOSTILE not in admin.get(page).content.decode()


def test_an_exchange_is_switched_off_in_the_list(admin):
    rows = list(Exchange.objects.order_by("code"))
    form: dict[str, Any] = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    for number, row in enumerate(rows):
        form[f"form-{number}-id"] = row.pk
        if row.code != "okx":
            form[f"form-{number}-enabled"] = "on"
    admin.post("/admin/feeds/exchange/", form)
    assert not Exchange.objects.get(code="okx").enabled
    assert Audit.objects.get().action == "exchange.disable"
