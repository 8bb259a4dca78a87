"""What still works on an exchange or an account, for those who would switch it off: said with where to cancel it."""

from django.db.models import Q

from apps.trading.models import IntentState, Order, OrderIntent
from apps.trading.order_state import FINAL

ORDERS_PAGE = "/trading/orders/"


def of_exchange(code: str) -> str:
    """Why it is not switched off now; empty: nothing is in the way."""
    return _why(Q(account__exchange__code=code), ORDERS_PAGE)


def of_account(account_id: int) -> str:
    return _why(Q(account=account_id), f"{ORDERS_PAGE}?account={account_id}")


def _why(concerned: Q, page: str) -> str:
    waiting = OrderIntent.objects.filter(concerned).exclude(state=IntentState.DONE).count()
    working = Order.objects.filter(concerned, is_external=False).exclude(status__in=list(FINAL)).count()
    if not working and not waiting:
        return ""
    return f"{working} orders and {waiting} intents are not over: cancel them first, {page}"
