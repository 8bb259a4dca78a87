"""Client order ids (O12 of the plan of tests). A million pairs, times CT_EXAMPLES."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.feeds.client_ids import MAX_ATTEMPT, MAX_INTENT, NAMESPACES, Attempt, ClientIds
from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import IdForm
from apps.feeds.market import MarketType
from tests.sizes import examples

EXAMPLES = examples(200)
PAIRS_PER_EXAMPLE = 250
MILLION = 4_000  # examples of so many pairs
IDS = ClientIds("7", b"the key of the tests")

INTENTS = st.integers(1, MAX_INTENT)
ATTEMPTS = st.integers(0, MAX_ATTEMPT)
ACCOUNTS = st.integers(1, 2**31)
FORMS = st.sampled_from(IdForm)

# The documented rule of each exchange and market, and the form that fits it.
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
RULES = {
    ("binance", SPOT): (IdForm.TEXT, r"[a-zA-Z0-9-_]{1,36}"),
    ("binance", FUTURES): (IdForm.TEXT, r"[.A-Z:/a-z0-9_-]{1,36}"),
    ("bybit", SPOT): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,36}"),
    ("bybit", FUTURES): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,36}"),
    ("okx", SPOT): (IdForm.TEXT, r"[A-Za-z0-9]{1,32}"),
    ("okx", FUTURES): (IdForm.TEXT, r"[A-Za-z0-9]{1,32}"),
    ("kucoin", SPOT): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,40}"),
    ("kucoin", FUTURES): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,40}"),
    ("coinex", SPOT): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,32}"),
    ("coinex", FUTURES): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,32}"),
    ("htx", SPOT): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,64}"),
    ("htx", FUTURES): (IdForm.INTEGER, r"[1-9][0-9]{0,18}"),
    ("mexc", SPOT): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,32}"),
    ("mexc", FUTURES): (IdForm.TEXT, r"[A-Za-z0-9_-]{1,32}"),
    ("hyperliquid", SPOT): (IdForm.HEX, r"0x[0-9a-f]{32}"),
    ("hyperliquid", FUTURES): (IdForm.HEX, r"0x[0-9a-f]{32}"),
}


@settings(max_examples=examples(MILLION), deadline=None)
@given(form=FORMS, account=ACCOUNTS, seed=st.integers(0, 2**63))
def test_every_attempt_has_an_id_of_its_own_from_which_it_can_be_told(form: IdForm, account: int, seed: int):
    random = Random(seed)
    for _ in range(PAIRS_PER_EXAMPLE):
        intent, attempt = random.randint(1, 2 ** random.randint(1, 44)), random.randint(0, MAX_ATTEMPT)
        made = IDS.make(form, account_id=account, intent_id=intent, attempt=attempt)
        assert IDS.read(form, made, account_id=account) == Attempt(intent, attempt, genuine=True)


@settings(max_examples=EXAMPLES, deadline=None)
@given(intent=INTENTS, attempt=ATTEMPTS, account=ACCOUNTS)
def test_ids_keep_the_rule_of_every_exchange(intent: int, attempt: int, account: int):
    for form, rule in RULES.values():
        made = IDS.make(form, account_id=account, intent_id=intent, attempt=attempt)
        assert re.fullmatch(rule, made)
        if form is IdForm.INTEGER:
            assert 0 < int(made) < 2**63


@pytest.mark.parametrize("exchange", registry.trader_ids())
def test_a_trader_takes_the_form_that_fits_its_exchange(exchange: str):
    trader = registry.trader(exchange)
    assert [trader.id_form(market) for market in MarketType] == [RULES[exchange, market][0] for market in MarketType]


@settings(max_examples=EXAMPLES, deadline=None)
@given(form=FORMS, intent=INTENTS, attempt=ATTEMPTS, account=ACCOUNTS)
def test_a_process_that_starts_again_makes_the_same_id(form: IdForm, intent: int, attempt: int, account: int):
    again = ClientIds("7", b"the key of the tests")
    row = {"account_id": account, "intent_id": intent, "attempt": attempt}
    assert again.make(form, **row) == IDS.make(form, **row)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    form=FORMS, intent=INTENTS, attempt=ATTEMPTS, other=st.sampled_from([each for each in NAMESPACES if each != "7"])
)
def test_an_id_of_another_deployment_is_somebody_else_s(form: IdForm, intent: int, attempt: int, other: str):
    theirs = ClientIds(other, b"the key of the tests").make(form, account_id=1, intent_id=intent, attempt=attempt)
    assert IDS.read(form, theirs, account_id=1) is None


@pytest.mark.parametrize("form", [IdForm.TEXT, IdForm.HEX])
def test_an_id_in_our_namespace_that_our_key_did_not_make_is_not_genuine(form: IdForm):
    row = {"intent_id": 12, "attempt": 3}
    forged = ClientIds("7", b"another key").make(form, account_id=1, **row)
    assert IDS.read(form, forged, account_id=1) == Attempt(12, 3, genuine=False)
    moved = IDS.make(form, account_id=2, **row)
    assert IDS.read(form, moved, account_id=1) == Attempt(12, 3, genuine=False)


@settings(max_examples=EXAMPLES, deadline=None)
@given(form=FORMS, text=st.one_of(st.text(max_size=40), st.from_regex(r"ct7[0-9a-zA-Z]{15}"), st.integers().map(str)))
def test_any_text_can_be_read_and_only_ours_is_genuine(form: IdForm, text: str):
    told = IDS.read(form, text, account_id=5)
    if told is not None and told.genuine:
        assert IDS.make(form, account_id=5, intent_id=told.intent_id, attempt=told.attempt) == text


@pytest.mark.parametrize("foreign", ["", "x-TKT5PX2F1", "ct7" + "0" * 14, "0", "-5", "9" * 19, "0x" + "f" * 32, "١٢"])
@pytest.mark.parametrize("form", list(IdForm))
def test_the_ids_of_other_programs_are_not_ours(form: IdForm, foreign: str):
    assert IDS.read(form, foreign, account_id=1) is None


def test_the_forms_are_what_they_were():
    """Ids of open orders must be understood by the next version; the tag is `openssl dgst -hmac` of 7|3|1000000|2."""
    row = {"account_id": 3, "intent_id": 1_000_000, "attempt": 2}
    assert IDS.make(IdForm.TEXT, **row) == "ct700000ugi02jkd4n"
    assert IDS.make(IdForm.INTEGER, **row) == "2017612633317982210"
    assert IDS.make(IdForm.HEX, **row) == "0x1c0000000f4240029d1a4bdf8e09be9f"


@pytest.mark.parametrize(("intent", "attempt"), [(0, 0), (-1, 0), (MAX_INTENT + 1, 0), (1, -1), (1, MAX_ATTEMPT + 1)])
def test_a_number_out_of_its_bounds_has_no_id(intent: int, attempt: int):
    with pytest.raises(ValueError, match="no id for attempt"):
        IDS.make(IdForm.TEXT, account_id=1, intent_id=intent, attempt=attempt)


@pytest.mark.parametrize("namespace", ["", "g", "A", "12", "ct"])
def test_a_namespace_is_one_hexadecimal_digit(namespace: str):
    with pytest.raises(ValueError, match="a namespace is one of"):
        ClientIds(namespace, b"key")


def test_ids_are_not_made_without_a_key():
    with pytest.raises(ValueError, match="empty"):
        ClientIds("7", b"")
