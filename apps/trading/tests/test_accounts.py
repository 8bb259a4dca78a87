"""Accounts from their making to their end."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.models.functions import Now

from apps.feeds import leases
from apps.feeds.models import Exchange
from apps.trading import accounts, limit_settings
from apps.trading.credentials import keys
from apps.trading.execution.gateway.opened import is_open, open_account, resource_of
from apps.trading.models import Account, AccountKey, RiskState, RiskUsage, Wallet
from apps.trading.tests import rows
from apps.trading.tests.key_rows import as_web_process, probed, trader
from apps.users.models import Audit
from apps.users.services import Actor

pytestmark = pytest.mark.django_db
REASON = "tried on paper for a month"


@pytest.fixture
def anna() -> Actor:
    Exchange.objects.get_or_create(code="binance", defaults={"name": "Binance"})
    return trader("anna")


@pytest.fixture
def boris(anna) -> Actor:
    return trader("boris")


@pytest.fixture
def waiting(anna, settings, tmp_path) -> Account:
    """A live account that has all but its approval."""
    as_web_process(settings, tmp_path)
    settings.CT_SECOND_PERSON = True
    row = accounts.add(name="real", exchange="binance", market_type="spot", actor=anna, mode="live")
    keys.keep(account=row, found=probed(), actor=anna)
    for name in accounts.LIVE_LIMITS:
        limit_settings.set_limit(
            scope="account", scope_id=str(row.pk), name=name, value=limit_settings.default(name), actor=anna
        )
    return row


def state_of(row: Account) -> str:
    return RiskState.objects.get(scope="account", scope_id=str(row.pk)).state


def test_a_new_account_is_on_paper_with_paper_money_a_usage_row_and_an_open_switch(anna):
    row = accounts.add(name="mine", exchange="binance", market_type="spot", actor=anna, owner_id=anna.user_id)
    assert (row.mode, row.active, row.owner_id, row.requested_mode) == ("paper", True, anna.user_id, None)
    assert dict(Wallet.objects.filter(account=row).values_list("asset", "total")) == accounts.PAPER_BALANCES
    assert RiskUsage.objects.filter(account=row).exists()
    assert state_of(row) == "ACTIVE"
    assert Audit.objects.get(action="account.add").user == "anna"


def test_a_paper_account_begins_with_what_is_asked_for(anna):
    row = accounts.add(
        name="rich", exchange="binance", market_type="spot", actor=anna, balances={"BTC": Decimal("2.5")}
    )
    assert list(row.wallets.values_list("asset", "free", "expected")) == [("BTC", Decimal("2.5"), Decimal("2.5"))]


def test_of_wallets_on_futures_nothing_is_expected(anna):
    row = accounts.add(name="margin", exchange="binance", market_type="futures", actor=anna)
    assert set(row.wallets.values_list("expected", flat=True)) == {None}


def test_a_testnet_account_has_no_money_but_what_its_exchange_tells(anna):
    row = accounts.add(name="test", exchange="binance", market_type="spot", actor=anna, mode="testnet")
    assert (row.mode, row.wallets.count(), state_of(row)) == ("testnet", 0, "ACTIVE")


def test_where_the_exchanges_are_real_there_is_nothing_to_test_on(anna, settings):
    settings.CT_SIMULATOR_URL = None
    with pytest.raises(ValidationError, match="real exchanges"):
        accounts.check_new(exchange="binance", market_type="spot", mode="testnet")


def test_a_live_account_waits_halted_and_without_money(anna):
    row = accounts.add(name="real", exchange="binance", market_type="spot", actor=anna, mode="live")
    assert (row.mode, row.requested_mode, row.requested_by) == ("paper", "live", "anna")
    assert (row.wallets.count(), state_of(row)) == (0, "HALTED")


def test_a_second_person_approves_and_the_switch_stays_off(waiting, boris):
    row = accounts.approve(account_id=waiting.pk, actor=boris, reason=REASON)
    assert (row.mode, row.requested_mode, row.approved_by, state_of(row)) == ("live", None, "boris", "HALTED")
    told = Audit.objects.get(action="mode.approve")
    assert (told.user, told.reason, told.after["asked_by"], told.after["second_person"]) == (
        "boris",
        REASON,
        "anna",
        True,
    )


def test_what_goes_live_is_looked_after_anew_and_held_against_its_exchange_before_an_order_leaves(waiting, boris):
    """On paper it was reconciled with its matcher, which is not asked any more."""
    resource = resource_of(waiting.pk)
    fence = leases.acquire(holder="d1", resources=[resource], ttl_s=600.0)[resource]
    open_account(waiting.pk, fence)
    Account.objects.filter(pk=waiting.pk).update(reconciled_at=Now(), swept_ms=1)
    assert is_open(waiting.pk)
    row = accounts.approve(account_id=waiting.pk, actor=boris, reason=REASON)
    assert not is_open(row.pk)
    assert leases.renew(holder="d1", fences={resource: fence}, ttl_s=600.0) == set()
    assert leases.acquire(holder="d1", resources=[resource], ttl_s=600.0)[resource] > fence
    assert not is_open(row.pk)
    row.refresh_from_db()
    assert (row.reconciled_at, row.swept_ms) == (None, None)  # as of an account that nobody has looked at


def test_whoever_asked_does_not_approve(waiting, anna):
    with pytest.raises(ValidationError, match="second person"):
        accounts.approve(account_id=waiting.pk, actor=anna, reason=REASON)
    waiting.refresh_from_db()
    assert waiting.mode == "paper"


def test_a_desk_of_one_approves_alone_and_the_trail_says_so(waiting, anna, settings):
    settings.CT_SECOND_PERSON = False
    accounts.approve(account_id=waiting.pk, actor=anna, reason=REASON)
    assert Audit.objects.get(action="mode.approve").after["second_person"] is False


def test_without_a_key_nothing_goes_live(waiting, boris):
    AccountKey.objects.all().delete()
    with pytest.raises(ValidationError, match="no key"):
        accounts.approve(account_id=waiting.pk, actor=boris, reason=REASON)


def test_without_limits_of_its_own_nothing_goes_live(waiting, boris):
    limit_settings.RiskLimit.objects.filter(name="max_day_loss_usdt").delete()
    with pytest.raises(ValidationError, match="max_day_loss_usdt"):
        accounts.approve(account_id=waiting.pk, actor=boris, reason=REASON)


def test_paper_orders_and_live_money_never_stand_in_one_account(waiting, boris):
    rows.intent(rows.trade(waiting))
    with pytest.raises(ValidationError, match="traded on paper"):
        accounts.approve(account_id=waiting.pk, actor=boris, reason=REASON)


def test_nothing_is_approved_that_nobody_asked_for(anna, boris):
    with pytest.raises(ValidationError, match="Nothing waits"):
        accounts.approve(account_id=rows.account().pk, actor=boris, reason=REASON)


def test_a_wish_that_is_taken_back_closes_the_account(waiting, anna):
    row = accounts.withdraw(account_id=waiting.pk, actor=anna)
    row.refresh_from_db()
    assert (row.requested_mode, row.active, row.mode) == (None, False, "paper")


def test_a_closed_account_has_no_key_any_more(waiting, anna):
    accounts.close(account_id=waiting.pk, actor=anna, reason="done")
    waiting.refresh_from_db()
    assert not waiting.active
    assert not AccountKey.objects.exists()
    assert [one.action for one in Audit.objects.order_by("-change_id")[:2]] == ["account.close", "key.remove"]


@pytest.mark.parametrize("status", ["PENDING", "UNKNOWN", "OPEN", "PARTIAL"])
@pytest.mark.parametrize("end", [accounts.close, accounts.remove_key])
def test_an_account_with_orders_at_work_keeps_its_key(anna, status, end):
    row = rows.account()
    rows.order(rows.intent(rows.trade(row), state="DONE", result="CANCELLED"), status=status)
    with pytest.raises(ValidationError, match="1 orders and 0 intents"):
        end(account_id=row.pk, actor=anna)


def test_an_account_with_waiting_intents_is_not_closed(anna):
    row = rows.account()
    rows.intent(rows.trade(row))
    with pytest.raises(ValidationError, match="0 orders and 1 intents"):
        accounts.close(account_id=row.pk, actor=anna)


def test_what_is_over_does_not_keep_an_account_open(anna):
    row = rows.account()
    rows.order(rows.intent(rows.trade(row), state="DONE", result="FILLED"), status="FILLED")
    assert not accounts.close(account_id=row.pk, actor=anna).active


def test_the_default_paper_account_is_not_closed(anna):
    row = Account.objects.filter(is_default=True).first()
    with pytest.raises(ValidationError, match="name no account"):
        accounts.close(account_id=row.pk, actor=anna)


@pytest.mark.parametrize("name", ["", " x", "x" * 101, "a\nb", "a\0"])
def test_a_name_that_is_none_is_refused(anna, name):
    with pytest.raises(ValidationError, match="characters"):
        accounts.add(name=name, exchange="binance", market_type="spot", actor=anna)


def test_two_accounts_of_one_market_differ_in_name(anna):
    accounts.add(name="one", exchange="binance", market_type="spot", actor=anna)
    other = accounts.add(name="two", exchange="binance", market_type="spot", actor=anna)
    with pytest.raises(ValidationError, match="of this name"):
        accounts.rename(account_id=other.pk, name="one", actor=anna)
    assert accounts.rename(account_id=other.pk, name="three", actor=anna).name == "three"
    assert accounts.rename(account_id=other.pk, name="Three", actor=anna).name == "Three"
