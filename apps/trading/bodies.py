"""What may be asked by REST. Numbers of money are texts of plain digits: what JSON calls a number has been a float."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.feeds.market import Side
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading import plain
from apps.trading.accounts import LONGEST_NAME
from apps.trading.credentials.keys import LONGEST
from apps.trading.fields import Money
from apps.trading.limit_settings import LEAST_REASON, PAIR
from apps.trading.models import AccountMode, HaltMode
from apps.trading.risk.view import Scope
from apps.users.rest.serializers import Code, StrictSerializer, Text, WholeNumber, YesOrNo

PLAIN = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
PLACES = Money().decimal_places
WHOLE = Money().max_digits - PLACES
MOST_BALANCES = 20
MOST_LEVERAGE = 100
MOST_ORDERS = 200  # that are cancelled together
LONGEST_KEY = 100  # of an idempotency key


class Word(serializers.ChoiceField):
    """One of a few texts of JSON; numbers and truths that look like one are not taken for it."""

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not str:
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.STR)
class MoneyText(serializers.Field):
    """`"0.001"`: digits, a point, digits. Above zero unless `zero` is allowed."""

    default_error_messages = {
        "invalid": 'Must be a decimal number as text, such as "0.001".',
        "long": f"At most {WHOLE} digits before the point and {PLACES} after it.",
        "zero": "Must be greater than zero.",
    }

    def __init__(self, *, zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zero = zero

    def to_internal_value(self, data: Any) -> Decimal:
        if type(data) is not str or len(data) > LONGEST or not PLAIN.fullmatch(data):
            self.fail("invalid")
        whole, _, places = data.partition(".")
        if len(whole) > WHOLE or len(places) > PLACES:
            self.fail("long")
        value = Decimal(data)
        if not value and not self.zero:
            self.fail("zero")
        return value

    def to_representation(self, value: Any) -> Any:
        return plain.text(value) if isinstance(value, Decimal) else str(value)


class Nothing(StrictSerializer):
    """No field: what is asked is in the address."""


class Reasoned(StrictSerializer):
    reason = Text(max_length=500, default="", allow_blank=True)


class Guarded(StrictSerializer):
    """What is asked of a person before something that cannot be taken back; `code` of who has a second factor."""

    reason = Text(max_length=500, min_length=LEAST_REASON)
    password = Text(max_length=500, write_only=True, trim_whitespace=False)
    code = Code()


class WithCode(Reasoned):
    """`code` of who has a second factor."""

    code = Code()


class NewAccountBody(WithCode):
    """`live` takes a `code` and waits for a second person. `desk`: it is nobody's own, which an administrator may ask
    for."""

    name = Text(max_length=LONGEST_NAME)
    exchange = Text(max_length=50)
    market_type = Text(max_length=20, default="spot")
    mode = Word(choices=AccountMode.choices, default=AccountMode.PAPER)
    desk = YesOrNo(default=False)
    balances = serializers.DictField(child=MoneyText(), required=False, help_text="What a paper account begins with")

    def validate_balances(self, found: dict[str, Decimal]) -> dict[str, Decimal]:
        wrong = [asset for asset in found if not re.fullmatch(r"[A-Z0-9]{1,30}", asset)]
        if wrong or not 0 < len(found) <= MOST_BALANCES:
            raise serializers.ValidationError(f"1 to {MOST_BALANCES} assets, in capitals and digits.")
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "balances" in attrs and attrs["mode"] != AccountMode.PAPER:
            raise serializers.ValidationError({"balances": "Only money on paper is given."})
        return attrs


class AccountEditBody(Reasoned):
    name = Text(max_length=LONGEST_NAME)


class KeyBody(WithCode):
    """`cannot_withdraw`: you have looked it up, where the exchange does not tell."""

    key = Text(max_length=LONGEST, write_only=True, trim_whitespace=False)
    secret = Text(max_length=LONGEST, write_only=True, trim_whitespace=False)
    passphrase = Text(max_length=LONGEST, write_only=True, default="", allow_blank=True, trim_whitespace=False)
    cannot_withdraw = YesOrNo(default=False)


class IntentBody(StrictSerializer):
    """An order by hand. `key` names it: sent twice it is one intent; the header Idempotency-Key does as well."""

    key = Text(max_length=LONGEST_KEY, required=False)
    account = WholeNumber(min_value=1, max_value=2**31 - 1)
    pair = Text(max_length=50)
    side = Word(choices=[Side.BUY.value, Side.SELL.value])
    type = Word(choices=[one.value for one in OrderType], default=OrderType.LIMIT.value)
    amount = MoneyText(help_text="In base currency, a multiple of the lot")
    price = MoneyText(required=False, allow_null=True, default=None, help_text="A multiple of the tick")
    tif = Word(choices=[one.value for one in TimeInForce], default=TimeInForce.GTC.value)
    reduce_only = YesOrNo(default=False)
    leverage = WholeNumber(
        min_value=1,
        max_value=MOST_LEVERAGE,
        required=False,
        allow_null=True,
        default=None,
        help_text="Of futures: set on the exchange, for the whole position, before the order leaves. Else 1",
    )

    def validate_key(self, key: str) -> str:
        if not key.isprintable():
            raise serializers.ValidationError("Printable characters only.")
        return key

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        limit = attrs["type"] == OrderType.LIMIT
        if limit and attrs["price"] is None:
            raise serializers.ValidationError({"price": "A limit order needs one."})
        if not limit and attrs["price"] is not None:
            raise serializers.ValidationError({"price": "An order at the market has none."})
        if not limit and attrs["tif"] != TimeInForce.GTC:
            raise serializers.ValidationError({"tif": "An order at the market has none."})
        return attrs


class OrdersBody(StrictSerializer):
    """Orders by number: those that a page shows, for instance."""

    orders = serializers.ListField(
        child=WholeNumber(min_value=1, max_value=10**18 - 1), allow_empty=False, max_length=MOST_ORDERS
    )


class ScopeBody(StrictSerializer):
    scope = Word(choices=[one.value for one in Scope], default=Scope.GLOBAL.value)
    scope_id = Text(max_length=50, default="", allow_blank=True)


class HaltBody(ScopeBody):
    """`flatten` closes what is held as well: it needs a reason, your password and your code. No other halt does."""

    mode = Word(choices=HaltMode.choices, default=HaltMode.CANCEL)
    reason = Text(max_length=500, default="", allow_blank=True)
    password = Text(max_length=500, write_only=True, default="", allow_blank=True, trim_whitespace=False)
    code = Code()


class ReduceBody(ScopeBody):
    reason = Text(max_length=500, default="", allow_blank=True)


class ResumeBody(Guarded, ScopeBody):
    """One scope; those around it stay as they are."""


class RaiseBody(WithCode):
    password = Text(max_length=500, write_only=True, default="", allow_blank=True, trim_whitespace=False)


class LimitBody(RaiseBody):
    """Up goes a limit with a reason, your password and your code only, and by an administrator."""

    scope = Word(choices=[*(one.value for one in Scope), PAIR])
    scope_id = Text(max_length=50, default="", allow_blank=True)
    name = Text(max_length=50)
    value = MoneyText(zero=True)


class LiveBody(RaiseBody):
    live_allowed = YesOrNo()
