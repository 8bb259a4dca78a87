"""Who has just proved by a code that he is there: asked last, since a code counts once."""

from rest_framework.request import Request

from apps.trading import live_money
from apps.trading.models import Account
from apps.trading.risk.view import Scope
from apps.users.rest import confirmation
from apps.users.services import Actor, actor_of


def with_code(request: Request, code: str, *, scope: str, scope_id: str = "") -> Actor:
    """The person, for something that sets a scope going. Raise ValidationError."""
    return given(request, code, needed=live_money.code_needed(scope, scope_id))


def for_account(request: Request, code: str, account: Account) -> Actor:
    return with_code(request, code, scope=Scope.ACCOUNT, scope_id=str(account.pk))


def given(request: Request, code: str, *, needed: bool) -> Actor:
    was_given = confirmation.require_code(request, code, needed=needed)
    return actor_of(request, second_factor=was_given)
