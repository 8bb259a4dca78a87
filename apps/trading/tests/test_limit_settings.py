"""Limits that people set: down at once, up for an administrator with a reason and a password."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from apps.trading import limit_settings
from apps.trading.models import RiskLimit
from apps.trading.risk.limits import CEILINGS
from apps.trading.tests import rows
from apps.users.models import Audit
from apps.users.services import Actor

pytestmark = pytest.mark.django_db

TRADER, ADMIN = Actor(user="anna", role="trader"), Actor(user="olga", role="admin")
REASON = "a bigger desk from today"


def put(value: str, actor: Actor = TRADER, name: str = "max_order_usdt", **values) -> RiskLimit:
    where = {"scope": "global", "scope_id": "", **values}
    return limit_settings.set_limit(name=name, value=Decimal(value), actor=actor, **where)


def test_a_trader_puts_a_limit_down_without_ado():
    put("50")
    row = RiskLimit.objects.get()
    assert (row.value, row.by) == (Decimal(50), "anna")
    told = Audit.objects.get(action="risk.limit")
    assert (told.before, told.after["value"]) == (None, "50")


@pytest.mark.parametrize(
    ("actor", "reason", "confirmed", "field"),
    [
        (TRADER, REASON, True, "value"),
        (ADMIN, "too short", True, "reason"),
        (ADMIN, " " * 20, True, "reason"),
        (ADMIN, REASON, False, "password"),
    ],
)
def test_up_goes_a_limit_only_by_an_administrator_with_reason_and_password(actor, reason, confirmed, field):
    with pytest.raises(ValidationError) as refused:
        put("101", actor, reason=reason, confirmed=confirmed)
    assert list(refused.value.message_dict) == [field]
    assert not RiskLimit.objects.exists()
    assert not Audit.objects.exists()


def test_an_administrator_puts_a_limit_up():
    put("5000", ADMIN, reason=REASON, confirmed=True)
    assert RiskLimit.objects.get().value == 5000


def test_up_is_counted_from_what_was_set_and_not_from_the_default():
    put("50")
    with pytest.raises(ValidationError, match="administrator"):
        put("60")


def test_down_is_counted_from_what_everything_has_where_a_scope_has_none_of_its_own():
    put("5000", ADMIN, reason=REASON, confirmed=True)
    account = str(rows.account().pk)
    assert put("200", scope="account", scope_id=account).value == 200
    with pytest.raises(ValidationError, match="administrator"):
        put("5001", scope="exchange", scope_id="binance")


def test_a_scope_of_its_own_may_have_the_default_while_everything_has_less():
    put("50")
    assert put("100", scope="exchange", scope_id="binance").value == 100
    with pytest.raises(ValidationError, match="administrator"):
        put("101", scope="account", scope_id=str(rows.account().pk))


def test_the_ceiling_is_beyond_everybody():
    with pytest.raises(ValidationError, match="At most 10000"):
        put("10000.01", ADMIN, reason=REASON, confirmed=True)


def test_the_ceiling_of_open_orders_is_the_deployments(settings):
    settings.CT_MAX_OPEN_ORDERS = 30
    put("30", ADMIN, "max_open_account", reason=REASON, confirmed=True)
    with pytest.raises(ValidationError, match="At most 30"):
        put("31", ADMIN, "max_open_account", reason=REASON, confirmed=True)
    assert limit_settings.ceilings().keys() == CEILINGS.keys()


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("no_such", "1", "name"),
        ("fee_share", "0.1", "name"),  # not to be set
        ("max_order_usdt", "-1", "value"),
        ("max_order_usdt", "NaN", "value"),
        ("max_order_usdt", "Infinity", "value"),
        ("max_open_pair", "1.5", "value"),
        ("max_order_usdt", "1E-19", "value"),
    ],
)
def test_what_is_no_limit_is_refused_by_field(name, value, field):
    with pytest.raises(ValidationError) as refused:
        put(value, ADMIN, name, reason=REASON, confirmed=True)
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("scope", "scope_id", "field"),
    [
        ("everything", "", "scope"),
        ("global", "1", "scope_id"),
        ("exchange", "kraken", "scope_id"),
        ("account", "0", "scope_id"),
        ("account", "", "scope_id"),
        ("account", "999999999999999999999", "scope_id"),
        ("account", "٣", "scope_id"),
        ("account", "01", "scope_id"),
        ("trade", "7", "scope_id"),
        ("pair", "-1", "scope_id"),
    ],
)
def test_a_scope_that_is_not_there_is_refused(scope, scope_id, field):
    with pytest.raises(ValidationError) as refused:
        put("1", scope=scope, scope_id=scope_id)
    assert list(refused.value.message_dict) == [field]


def test_each_kind_of_scope_takes_a_limit():
    trade = rows.trade(rows.account())
    for scope, scope_id in {
        "exchange": "binance",
        "account": str(trade.account_id),
        "trade": str(trade.pk),
        "pair": str(rows.pair().pk),
    }.items():
        put("1", scope=scope, scope_id=scope_id)
    assert RiskLimit.objects.count() == 4


def test_a_limit_that_is_taken_away_was_put_up_where_the_default_is_more():
    row = put("50")
    with pytest.raises(ValidationError, match="administrator"):
        limit_settings.remove_limit(limit_id=row.pk, actor=TRADER)
    limit_settings.remove_limit(limit_id=row.pk, actor=ADMIN, reason=REASON, confirmed=True)
    assert not RiskLimit.objects.exists()


def test_a_limit_above_the_default_is_taken_away_without_ado():
    row = put("500", ADMIN, reason=REASON, confirmed=True)
    limit_settings.remove_limit(limit_id=row.pk, actor=TRADER)
    assert not RiskLimit.objects.exists()


@pytest.mark.parametrize(
    ("own", "others", "is_raise"),
    [
        ("200", {"global": "5000"}, True),
        ("100", {"global": "5000"}, True),
        ("200", {"global": "150"}, False),
        ("50", {"global": "20"}, False),
        ("200", {"exchange": "300"}, True),
        ("200", {"exchange": "150"}, False),
        ("200", {"exchange": "5000", "global": "150"}, False),
    ],
)
def test_a_limit_is_put_up_where_a_wider_one_holds_more_without_it(own, others, is_raise):
    ids = {"global": "", "exchange": "binance"}
    row = put(own, ADMIN, scope="account", scope_id=str(rows.account().pk), reason=REASON, confirmed=True)
    for scope, value in others.items():
        put(value, ADMIN, scope=scope, scope_id=ids[scope], reason=REASON, confirmed=True)
    if not is_raise:
        limit_settings.remove_limit(limit_id=row.pk, actor=TRADER)
        return
    with pytest.raises(ValidationError, match="administrator"):
        limit_settings.remove_limit(limit_id=row.pk, actor=TRADER)
    limit_settings.remove_limit(limit_id=row.pk, actor=ADMIN, reason=REASON, confirmed=True)


def test_the_limit_of_everything_is_put_up_where_a_narrower_one_that_it_held_down_is_left():
    row = put("150", ADMIN, reason=REASON, confirmed=True)
    account = str(rows.account().pk)
    put("5000", ADMIN, scope="account", scope_id=account, reason=REASON, confirmed=True)
    with pytest.raises(ValidationError, match="administrator"):
        limit_settings.remove_limit(limit_id=row.pk, actor=TRADER)


def test_limits_of_other_accounts_put_none_up():
    here, there = (str(rows.account(name=name).pk) for name in ("here", "there"))
    row = put("200", ADMIN, scope="account", scope_id=here, reason=REASON, confirmed=True)
    put("5000", ADMIN, scope="account", scope_id=there, reason=REASON, confirmed=True)
    limit_settings.remove_limit(limit_id=row.pk, actor=TRADER)
