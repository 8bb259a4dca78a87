"""Several threads that do something at the same moment, each with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")
WAIT_S = 60


def together(number: int, call: Callable[[int], T]) -> list[T]:
    """What `call` of each thread's number answers; what one raises comes out."""
    start = Barrier(number)

    def one(each: int) -> T:
        start.wait(timeout=WAIT_S)
        return call(each)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(closing(one), range(number)))


def closing(call: Callable[..., T]) -> Callable[..., T]:
    """For a thread that ends: its connection to the database ends with it."""

    def closed(*args: Any, **kwargs: Any) -> T:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return closed
