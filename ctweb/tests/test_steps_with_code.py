"""The steps that take a code of whoever has a second factor, and where one without it is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.trading import accounts, limit_settings
from apps.trading.credentials import keys
from apps.trading.halts import halting
from apps.trading.models import Account, RiskLimit
from apps.trading.risk.view import Scope
from apps.trading.tests.key_rows import KEYS, as_web_process, probed
from apps.users.models import Audit, User
from apps.users.services import Actor
from apps.users.tests.codes import code_of, device_of, wrong_code_of
from ctweb.tests.desk import GUARD, Desk, Person, open_desk

pytestmark = pytest.mark.django_db

Step = Callable[[Desk, dict[str, Any]], Any]
OLGA, ANNA = Actor(user="olga", role="admin"), Actor(user="anna", role="trader")
KEY = {"key": KEYS.key, "secret": KEYS.secret}


@pytest.fixture
def desk(settings, monkeypatch, tmp_path) -> Desk:
    as_web_process(settings, tmp_path)
    found = open_desk(settings)
    monkeypatch.setattr(keys, "ask_exchange", lambda **_: probed())  # what the exchange says: see test_keys_asked
    account = found.accounts["desk"]
    Account.objects.filter(pk=account.pk).update(mode="testnet")
    keys.keep(account=account, found=probed(), actor=Actor(user="olga", user_id=found.olga.user.pk))
    halting.halt(scope=Scope.GLOBAL, reason="drill", actor=halting.control("test"))
    return found


def number(desk: Desk) -> int:
    return desk.accounts["desk"].pk


def lower(**values: Any) -> RiskLimit:
    scope = {"scope": "global", "scope_id": "", "name": "max_order_usdt", **values}
    return RiskLimit.objects.create(value=50, by="olga", **scope)


def resume(desk: Desk, more: dict[str, Any]) -> Any:
    return desk.olga.post("risk/resume", {**GUARD, **more})


def flatten(desk: Desk, more: dict[str, Any]) -> Any:
    return desk.olga.post("risk/halt", {"mode": "flatten", **GUARD, **more})


def raise_limit(desk: Desk, more: dict[str, Any]) -> Any:
    lower()
    body = {"scope": "global", "name": "max_order_usdt", "value": "60", **GUARD, **more}
    answer = desk.olga.post("risk/limits", body)
    RiskLimit.objects.all().delete()
    return answer


def take_limit_away(desk: Desk, more: dict[str, Any]) -> Any:
    row = lower()
    answer = desk.olga.delete(f"risk/limits/{row.pk}", {**GUARD, **more})
    RiskLimit.objects.all().delete()
    return answer


def keep_key(desk: Desk, more: dict[str, Any]) -> Any:
    return desk.olga.post(f"accounts/{number(desk)}/key", {**KEY, **more})


def forget_key(desk: Desk, more: dict[str, Any]) -> Any:
    return desk.olga.delete(f"accounts/{number(desk)}/key", more)


STEPS: dict[str, tuple[Step, str]] = {  # and what the trail calls it
    "release": (resume, "risk.resume"),
    "flatten": (flatten, "risk.halt"),
    "a limit up": (raise_limit, "risk.limit"),
    "a limit away": (take_limit_away, "risk.limit"),
    "a key kept": (keep_key, "key.set"),
    "a key forgotten": (forget_key, "key.remove"),
}


def switch_on(desk: Desk, more: dict[str, Any]) -> Any:
    return desk.olga.post("risk/switch", {"live_allowed": True, **GUARD, **more})


def ask_for_live(desk: Desk, more: dict[str, Any]) -> Any:
    return desk.olga.post("accounts", {"name": "real", "exchange": "binance", "mode": "live", **more})


def approve(desk: Desk, more: dict[str, Any]) -> Any:
    waiting = Account.objects.filter(requested_mode="live").first() or ready_for_live()
    return desk.olga.post(f"accounts/{waiting.pk}/approve", {**GUARD, **more})


def ready_for_live(by: Actor = ANNA) -> Account:
    """An account of the desk that lacks nothing but its approval."""
    name = f"to approve {Account.objects.count()}"
    row = accounts.add(name=name, exchange="binance", market_type="spot", actor=by, mode="live")
    keys.keep(account=row, found=probed(), actor=Actor(user="olga", user_id=User.objects.get(username="olga").pk))
    for name in accounts.LIVE_LIMITS:
        value = limit_settings.default(name)
        limit_settings.set_limit(scope="account", scope_id=str(row.pk), name=name, value=value, actor=OLGA)
    return row


LIVE_STEPS: dict[str, tuple[Step, str]] = {
    "live money on": (switch_on, "trading.live"),
    "live money asked for": (ask_for_live, "account.add"),
    "live money approved": (approve, "mode.approve"),
}


def refused_at_code(answer: Any) -> bool:
    return (answer.status_code, list(answer.json())) == (400, ["code"])


@pytest.mark.parametrize("name", [*STEPS, *LIVE_STEPS])
def test_who_has_a_second_factor_is_asked_for_its_code(desk, name):
    step, action = {**STEPS, **LIVE_STEPS}[name]
    person: Person = desk.olga
    device_of(person.user)
    before = Audit.objects.count()
    assert refused_at_code(step(desk, {}))
    assert refused_at_code(step(desk, {"code": wrong_code_of(person.user)}))
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)  # the pause is over
    waits = Audit.objects.filter(action=action).count()
    answer = step(desk, {"code": code_of(person.user)})
    assert answer.status_code in (200, 201, 204), answer.content
    assert Audit.objects.count() > before
    told = Audit.objects.filter(action=action).order_by("-change_id")
    assert (told.count() - waits, told[0].second_factor, told[0].user) == (1, True, "olga")
    assert refused_at_code(step(desk, {"code": code_of(person.user, used=True)})), "a code counts once"


def test_on_paper_who_has_none_goes_on_as_before(desk):
    for name, (step, _) in STEPS.items():
        assert step(desk, {}).status_code in (200, 204), name


@pytest.mark.parametrize("values", [{"mode": "live"}, {"requested_mode": "live"}])
def test_where_live_money_is_reached_who_has_none_is_refused(desk, values):
    Account.objects.filter(pk=number(desk)).update(**values)
    before = Audit.objects.count()
    for name, (step, _) in STEPS.items():
        answer = step(desk, {})
        assert refused_at_code(answer), name
        assert "enrol one on /me/" in answer.json()["code"][0]
    assert Audit.objects.count() == before


def test_live_money_always_takes_one(desk):
    for name, (step, _) in LIVE_STEPS.items():
        assert refused_at_code(step(desk, {})), name


def test_where_all_steps_need_one_paper_is_no_exception(desk, settings):
    settings.CT_SECOND_FACTOR = "all"
    for name, (step, _) in STEPS.items():
        assert refused_at_code(step(desk, {})), name


def test_a_scope_beside_live_money_needs_none(desk):
    Account.objects.filter(pk=number(desk)).update(mode="live")
    other = str(desk.accounts["anna"].pk)
    halting.halt(scope=Scope.ACCOUNT, scope_id=other, reason="drill", actor=halting.control("test"))
    body = {"scope": "account", "scope_id": other, **GUARD}
    assert desk.anna.post("risk/resume", body).status_code == 200


def test_halting_asks_nobody_for_a_code(desk, settings):
    settings.CT_SECOND_FACTOR = "all"
    Account.objects.filter(pk=number(desk)).update(mode="live")
    device_of(desk.oleg.user)
    for path, body in (("risk/halt", {}), ("risk/reduce", {"scope": "exchange", "scope_id": "okx"})):
        assert desk.oleg.post(path, body).status_code == 200


def test_a_limit_goes_down_and_an_account_on_paper_is_made_without_a_code(desk, settings):
    settings.CT_SECOND_FACTOR = "all"
    device_of(desk.olga.user)
    limit = {"scope": "global", "name": "max_order_usdt", "value": "50"}
    assert desk.olga.post("risk/limits", limit).status_code == 200
    assert desk.olga.post("accounts", {"name": "p", "exchange": "binance"}).status_code == 201


def test_what_is_refused_anyhow_uses_no_code_up(desk):
    device_of(desk.olga.user)
    code = code_of(desk.olga.user)
    waiting = ready_for_live(by=OLGA)
    for path, body, field in (
        ("risk/resume", {**GUARD, "password": "guess"}, "password"),
        ("risk/switch", {"live_allowed": True, **GUARD, "reason": "short"}, "reason"),
        (f"accounts/{waiting.pk}/approve", GUARD, "mode"),
    ):
        assert list(desk.olga.post(path, {**body, "code": code}).json()) == [field]
    assert resume(desk, {"code": code}).status_code == 200


def test_what_has_become_a_raise_since_it_was_looked_at_is_refused_without_its_code(desk, monkeypatch):
    """Somebody else has lowered the limit in between: the look before was right when it was made."""
    device_of(desk.olga.user)
    lower()
    monkeypatch.setattr(limit_settings, "rises", lambda **_: False)
    body = {"scope": "global", "name": "max_order_usdt", "value": "60", **GUARD}
    assert list(desk.olga.post("risk/limits", body).json()) == ["password"]
    assert RiskLimit.objects.get().value == 50


def test_a_wrong_code_costs_its_pause_though_the_request_has_an_idempotency_key(desk):
    device_of(desk.olga.user)
    body = {"name": "real", "exchange": "binance", "mode": "live", "code": wrong_code_of(desk.olga.user)}
    assert refused_at_code(desk.olga.post("accounts", body, key="k"))
    assert TOTPDevice.objects.get().throttling_failure_count == 1


def test_a_repeat_of_what_took_a_code_gets_its_first_answer(desk):
    body = desk.olga.coded({"name": "real", "exchange": "binance", "mode": "live"})
    first, again = (desk.olga.post("accounts", body, key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Account.objects.filter(name="real").count() == 1
