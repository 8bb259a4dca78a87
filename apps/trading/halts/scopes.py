"""What a switch is about: everything, an exchange, an account or a TRADE; `scope_id` as in `RiskState`."""

import re

from django.db.models import Q

from apps.feeds.models import Exchange
from apps.trading.models import Account, Trade
from apps.trading.risk.view import Scope

LONGEST_NUMBER = 9  # digits of a primary key here
CANONICAL = re.compile("[1-9][0-9]*")  # orders look their switch up as `7`: one of `07` would stop nothing
EVERYTHING = Q(pk__isnull=False)  # no empty Q: that would vanish beside a narrower scope


def name_of(scope: str, scope_id: str) -> str:
    """As people read it."""
    return f"{scope} {scope_id}".strip()


def exists(scope: Scope, scope_id: str) -> bool:
    if scope is Scope.GLOBAL:
        return scope_id == ""
    if scope is Scope.EXCHANGE:
        return Exchange.objects.filter(code=scope_id).exists()
    if not CANONICAL.fullmatch(scope_id) or len(scope_id) > LONGEST_NUMBER:
        return False
    rows = Account.objects if scope is Scope.ACCOUNT else Trade.objects
    return rows.filter(pk=scope_id).exists()


def orders_under(scope: str, scope_id: str) -> Q:
    """Of rows of ORDERS; those that are found at the exchange belong to nobody's scope but are under the wide ones."""
    return {
        Scope.GLOBAL: EVERYTHING,
        Scope.EXCHANGE: Q(exchange__code=scope_id),
        Scope.ACCOUNT: Q(account_id=scope_id or None),
        Scope.TRADE: Q(trade_id=scope_id or None),
    }[Scope(scope)]


def intents_under(scope: str, scope_id: str) -> Q:
    """Of rows of order_intent."""
    return {
        Scope.GLOBAL: EVERYTHING,
        Scope.EXCHANGE: Q(account__exchange__code=scope_id),
        Scope.ACCOUNT: Q(account_id=scope_id or None),
        Scope.TRADE: Q(trade_id=scope_id or None),
    }[Scope(scope)]


def accounts_under(scope: str, scope_id: str) -> Q:
    """Of rows of account; a TRADE has the one that its orders are on."""
    return {
        Scope.GLOBAL: EVERYTHING,
        Scope.EXCHANGE: Q(exchange__code=scope_id),
        Scope.ACCOUNT: Q(pk=scope_id or None),
        Scope.TRADE: Q(trade__id=scope_id or None),
    }[Scope(scope)]
