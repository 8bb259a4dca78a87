"""A row that a transaction holds and does not let go: whoever wrote it stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connections, transaction

from apps.trading.models import Order

WAIT_S = 120.0


@contextmanager
def held(row: Order) -> Iterator[None]:
    locked, over = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Order.objects.select_for_update().get(pk=row.pk)
                locked.set()
                over.wait(WAIT_S)
        finally:
            connections.close_all()

    thread = Thread(target=hold)
    thread.start()
    try:
        assert locked.wait(WAIT_S)
        yield
    finally:
        over.set()
        thread.join(WAIT_S)
