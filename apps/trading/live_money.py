"""What reaches live money: whoever sets such a thing going proves it with a second factor."""

from django.conf import settings
from django.db.models import Q

from apps.trading.halts import scopes
from apps.trading.models import Account, AccountMode
from apps.trading.risk.view import Scope
from apps.users import terminal
from apps.users.services import Actor

LIVE = Q(mode=AccountMode.LIVE) | Q(requested_mode=AccountMode.LIVE)  # the second waits for nothing but a person
ALWAYS = "all"  # of CT_SECOND_FACTOR


def reached(scope: str, scope_id: str) -> bool:
    """Whether there is an account with live money, or one that waits for it, under a scope of switches or limits."""
    under = scopes.accounts_under(scope, scope_id) if scope in set(Scope) else scopes.EVERYTHING  # a pair is anybody's
    return Account.objects.filter(LIVE, under, active=True).exists()


def code_needed(scope: str, scope_id: str = "") -> bool:
    """Whether somebody without a second factor is refused."""
    return settings.CT_SECOND_FACTOR == ALWAYS or reached(scope, scope_id)


def proven_at_terminal(actor: Actor, *, code: str, scope: Scope, scope_id: str) -> Actor:
    """The same person, who has given a code where setting this going takes one; raise `second_factor.CodeRefused`.

    Of a scope that is not there nothing is asked: it is refused anyhow.
    """
    if not scopes.exists(scope, scope_id):
        return actor
    return terminal.proven(actor, code=code, needed=code_needed(scope, scope_id))
