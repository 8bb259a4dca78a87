"""What strangers wrote is shown as text: in lists, forms, histories and deletions of the admin, and on pages."""

from contextlib import suppress
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import CharField, JSONField, Model, TextField
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.feeds.tests.listings import list_pairs
from apps.monitoring.models import Monitoring
from apps.trading.fields import UpperCaseField
from apps.trading.models import (
    Arbitrage,
    FundingPayment,
    LanePause,
    OrderEvent,
    PaperEntry,
    Position,
    RiskLimit,
    RiskState,
    StrayFill,
    TradeHistory,
    TradingSwitch,
    Wallet,
)
from apps.trading.tests import rows
from apps.users.alerts import raise_alert
from apps.users.models import Audit, IdempotentAnswer, User
from apps.users.services import SYSTEM, record
from ctweb.tests.clients import stores_away

pytestmark = pytest.mark.django_db

TAGS = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'><svg/onload=alert(1)>", "</textarea><b>")
SHORT = "<b>\"'"  # where there is no room for more
APPS = ("trading", "users", "feeds", "monitoring")
KEPT = ("password", "hash", "prev_hash", "lane", "scope_id")  # not shown, or numbers of ours
MODELS = sorted((one for one in site._registry if one._meta.app_label in APPS), key=lambda one: one._meta.label)
PAGES = (
    *("/trading/orders/?show=all", "/trading/orders/table/?show=all", "/trading/orders/last/", "/trading/orders/new/"),
    *("/trading/accounts/", "/trading/accounts/new/", "/trading/positions/", "/trading/positions/held/", "/halt/"),
    *("/trading/risk/", "/trading/risk/now/", "/trading/risk/set/", "/trading/executors/"),
    *("/fleet/", "/pairs/", "/book/"),
)


@pytest.fixture
def olga(settings) -> Client:
    """An administrator of a system that has a row of everything, with hostile text wherever text can stand."""
    stores_away(settings)
    list_pairs("BTC/USDT")
    user = User.objects.create_superuser("olga")
    for number, text in enumerate(TAGS):
        _write(number, text)
    for model in MODELS:
        _spoil(model)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _write(number: int, text: str) -> None:
    """A row of each table."""
    account = rows.account(name=f"a{number}")
    trade = rows.trade(account)
    order = rows.order(rows.intent(trade), status="OPEN", request_expires_at=timezone.now())
    fill = rows.fill(order)
    OrderEvent.objects.create(order=order, seq=1, kind="placed", to_status="OPEN", evidence={text: [text]})
    TradeHistory.objects.create(exchange="binance", account=account, fill=fill)
    Wallet.objects.create(account=account, asset="USDT", total=1)
    Position.objects.create(account=account, pair=order.pair, amount=1)
    FundingPayment.objects.create(
        account=account, pair=order.pair, payment_id="p", asset="USDT", amount=1, exchange_ms=1
    )
    PaperEntry.objects.create(account=account, kind="fill", asset="USDT", amount=1, exchange_ms=1)
    StrayFill.objects.create(
        account=account, symbol="s", trade_id=f"t{number}", side="buy", amount=1, price=1, exchange_ms=1
    )
    Arbitrage.objects.create(trade=trade, status="PENDING")
    LanePause.objects.create(lane=f"l{number}", account=account, until=timezone.now())
    halted = {"state": "HALTED", "reason": text, "by": text}
    RiskState.objects.update_or_create(scope="account", scope_id=str(account.pk), defaults=halted)
    RiskLimit.objects.create(scope="account", scope_id=str(account.pk), name="max_open_pair", value=1, reason=text)
    TradingSwitch.objects.update_or_create(pk=1, defaults={"allowed_build": "b"})
    raise_alert(kind="HALTED", scope="account", scope_id=str(account.pk), text=text)
    record(actor=SYSTEM, action=text[:20], object=text, before={text: text}, reason=text)
    IdempotentAnswer.objects.create(user=User.objects.get(username="olga"), key=text, fingerprint="f", body={text: 1})
    Monitoring.objects.create(exchange="binance", pair=f"BTC/{number}", enabled=False)
    LogEntry.objects.create(
        user=User.objects.get(username="olga"),
        content_type=ContentType.objects.get_for_model(account),
        object_id=str(account.pk),
        object_repr=text,
        action_flag=CHANGE,
        change_message=text,
    )


def _spoil(model: type[Model]) -> None:
    """Hostile text in each column that holds text of somebody's, as long as it may be."""
    if model in (Audit, User):
        return  # the one was written so, the other is who looks
    for row, text in zip(model._base_manager.order_by("pk")[: len(TAGS)], TAGS, strict=False):
        for field in model._meta.concrete_fields:
            if field.primary_key or field.name in KEPT or field.is_relation or field.choices:
                continue
            if isinstance(field, UpperCaseField) or (model, field.name) == (RiskLimit, "name"):
                continue  # read as one of a few words
            if isinstance(field, JSONField):
                value: Any = {text: text}
            elif isinstance(field, CharField | TextField):
                room = field.max_length or 1000
                value = text if len(text) <= room else SHORT[:room]
            else:
                continue
            with suppress(IntegrityError), transaction.atomic():  # one of a few words, or another in each row
                model._base_manager.filter(pk=row.pk).update(**{field.name: value})


def clean(client: Client, path: str) -> str:
    answer = client.get(path, follow=True)
    text = answer.content.decode()
    assert answer.status_code in (200, 403), path
    for tag in TAGS:
        assert tag not in text, (path, tag)
    return text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_a_table_of_the_admin_shows_tags_as_text(olga, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    shown = clean(olga, reverse(f"{name}_changelist"))
    found = model._base_manager.order_by("pk").values_list("pk", flat=True)[: len(TAGS)]
    for pk in found:
        for view in ("change", "history", "delete"):
            shown += clean(olga, reverse(f"{name}_{view}", args=[pk]))
    assert len(found) > 0 or model._meta.label in EMPTY, "there must be something to be shown"


EMPTY = ("feeds.Daemon", "feeds.Lease", "monitoring.ChBatch", "monitoring.FeedGap", "monitoring.MonitoringPair")


def test_tags_are_there_to_be_shown(olga):
    for table in ("order", "riskstate", "risklimit", "trade"):
        assert "&lt;script&gt;" in olga.get(f"/admin/trading/{table}/").content.decode(), table
    for table in ("audit", "alert", "idempotentanswer"):
        assert "&lt;script&gt;" in olga.get(f"/admin/users/{table}/").content.decode(), table


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_tags_as_text(olga, path):
    clean(olga, path)


def test_the_pages_of_each_account_and_order_show_tags_as_text(olga):
    from apps.trading.models import Account, Order

    paths = [f"/trading/accounts/{row.pk}/" for row in Account.objects.filter(name__contains="<")]
    paths += [f"/trading/orders/{row.pk}/" for row in Order.objects.all()]
    assert len(paths) >= 2 * len(TAGS) - 1
    assert all("&lt;" in clean(olga, path) for path in paths)


@pytest.mark.parametrize("path", ["accounts", "orders", "intents", "risk/states", "risk/limits", "alerts", "audit"])
def test_json_with_tags_is_never_taken_for_a_page(olga, path):
    answer = olga.get(f"/api/v1/{path}", {"limit": 1000})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("words", ["' OR 1=1--", "<script>", "{{7*7}}", "%00", "x" * 5000, "١", "\x00", "%", "_"])
@pytest.mark.parametrize("table", ["trading/order", "trading/orderintent", "trading/trade", "users/audit"])
def test_a_search_is_only_words(olga, table, words):
    for query in ({"q": words}, {"o": words}, {"p": words}, {"status__exact": words}, {"id__in": words}, {"e": words}):
        answer = olga.get(f"/admin/{table}/", query, follow=True)
        assert answer.status_code in (200, 400), query
        assert "<script>alert" not in answer.content.decode()
