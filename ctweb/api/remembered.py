"""What anybody may ask for costs the stores no more than once a second, however many ask together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from django.core.cache import cache

REMEMBERED_S = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered(Generic[T]):
    """The answer of `make`, of this process, at most a second old; who asks meanwhile waits for it."""

    name: str
    make: Callable[[], T]
    _making: Lock = field(default_factory=Lock)

    def __call__(self) -> T:
        found: T | None = cache.get(self.name)
        if found is None:
            with self._making:
                found = cache.get(self.name)
                if found is None:
                    found = self.make()
                    cache.set(self.name, found, REMEMBERED_S)
        return found
