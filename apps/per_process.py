"""What every process makes for itself, when it first needs it."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """`make` is called once in each process, in whichever thread is first: a fork takes what was made along, but none
    of its threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._made: tuple[int, T] | None = None  # in which process

    def get(self) -> T:
        with self._making:
            if self._made is None or self._made[0] != os.getpid():
                self._made = os.getpid(), self._make()
            return self._made[1]
