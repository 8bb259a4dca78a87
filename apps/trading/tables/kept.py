"""Rows that are money, or the evidence of it: they are added to and moved on, never taken away."""

from decimal import Decimal
from typing import Any, NoReturn

from django.db import models

from apps.feeds.orders import OrderStatus
from apps.trading.execution.runtime import statements


class KeptQuerySet(models.QuerySet):
    def delete(self) -> NoReturn:
        raise TypeError(f"rows of {self.model._meta.db_table} are never deleted")


class OrderQuerySet(KeptQuerySet):
    def advance(self, order_id: int, *, was: OrderStatus, filled: Decimal, **values: Any) -> bool:
        """Write one order's next state, if it still is as it was read: in status `was`, with no more filled.

        An exchange's id that is known already must be the one in `values`. False: somebody was faster, read again.
        """
        return statements.together(self.advancing(order_id, was=was, filled=filled, **values)).found == [1]

    def advancing(self, order_id: int, *, was: OrderStatus, filled: Decimal, **values: Any) -> statements.Write:
        """The same, to be written together with others."""
        still: dict[str, Any] = {"status": was, "filled__lte": filled}
        if values.get("exchange_order_id") is not None:
            still["exchange_order_id__or_null"] = values["exchange_order_id"]
        return statements.updating(self.model, order_id, {"filled": filled, **values}, **still)


class EventQuerySet(KeptQuerySet):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError(f"rows of {self.model._meta.db_table} are never changed")


class Kept(models.Model):
    class Meta:
        abstract = True

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"rows of {self._meta.db_table} are never deleted")
