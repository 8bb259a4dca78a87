"""An order by which an exchange shows whether a new key is of the account that our orders are on."""

from django.core.exceptions import ValidationError

from apps.feeds import selectors as feeds
from apps.feeds.orders import OrderRef
from apps.trading.models import Order
from apps.trading.order_state import NOT_OVER


def known(account_id: int) -> OrderRef | None:
    """The youngest that its exchange has a name for and that is not over; None when no order is at work.

    Raises ValidationError while there are none but such as nobody knows of yet.
    """
    rows = Order.objects.filter(account_id=account_id, status__in=NOT_OVER, is_external=False)
    row = rows.exclude(exchange_order_id=None).select_related("pair__exchange").order_by("-id").first()
    if row is not None:
        return OrderRef(
            instrument=feeds.instrument(row.pair),
            client_order_id=row.client_order_id,
            exchange_order_id=row.exchange_order_id,
        )
    if rows.exists():
        raise ValidationError("An order is under way that nobody knows of yet: write the key once it is known.")
    return None
