"""A job that tells all that the database knows of some accounts' orders, as values that JSON can carry."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from apps.trading.models import Order, OrderEvent, OrderFill, OrderIntent, StrayFill

INTENT = ("id", "intent_key", "lane", "state", "result", "deny_reason", "deny_text", "attempt", "reserved_amount")
ORDER = (
    "id",
    "intent_id",
    "attempt",
    "client_order_id",
    "exchange_order_id",
    "status",
    "amount",
    "price",
    "filled",
    "told",
    "average_price",
    "cancel_state",
    "alarms",
    "fence",
    "is_external",
    "request_expires_at",
    "created_at",
    "last_error",
    "next_check_at",
    "misses",
)
FILL = ("order_id", "trade_id", "amount", "price", "side")
EVENT = ("order_id", "seq", "kind", "from_status", "to_status", "evidence", "at")


def told(accounts: list[int]) -> dict[str, list[dict[str, Any]]]:
    """Intents, orders, fills, events and strays, each oldest first; money as text, times as ISO text."""
    of_account = {"account__in": accounts}
    named = {"account_name": F("account__name"), "symbol": F("pair__symbol")}
    orders = Order.objects.filter(**of_account).order_by("pk").annotate(**named)
    events = OrderEvent.objects.filter(order__account__in=accounts).order_by("order", "seq")
    return {
        "intents": _plain(OrderIntent.objects.filter(**of_account).order_by("pk").values(*INTENT)),
        "orders": _plain(orders.values(*ORDER, *named)),
        "fills": _plain(OrderFill.objects.filter(**of_account).order_by("pk").values(*FILL)),
        "events": _plain(events.values(*EVENT)),
        "strays": _plain(StrayFill.objects.filter(**of_account, order=None).values("id", "trade_id")),
    }


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, datetime) else value
