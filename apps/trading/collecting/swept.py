"""What a sweep asks for in parts, and what it came to: a part that cannot be read stops no other, and is named."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct, field

from apps.feeds.errors import FeedError, Retryable

IN_A_ROW = 3  # questions that got no answer: the rest of the part, or of a sweep without any, is not asked for

T = TypeVar("T")


class Part(StrEnum):
    ORDERS = "orders"
    TRADES = "trades"
    HOLDINGS = "holdings"
    FUNDING = "funding"


EVERYTHING = frozenset(Part)
AFTER_A_GAP = frozenset({Part.ORDERS, Part.TRADES, Part.HOLDINGS})


class Unread(Struct, frozen=True):
    """What of a part the exchange did not tell, and how it said so."""

    part: Part
    what: str
    error: FeedError

    def __str__(self) -> str:
        return f"{self.part} {self.what}: {self.error}"


class Swept(Struct, kw_only=True):
    """What a sweep came to: answers that told something new, by kind. `looks`: orders that were asked for by name."""

    updates: int = 0
    fills: int = 0
    strays: int = 0
    wallets: int = 0
    positions: int = 0
    payments: int = 0
    looks: int = 0
    leveraged: set[str] = set()  # symbols whose leverage was told
    left: int = 0  # orders that were not looked at: too many for one sweep
    answers: int = 0
    unread: list[Unread] = []
    _in_a_row: Counter[Part] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        return self.updates + self.fills + self.wallets + self.positions + self.payments

    @property
    def unread_parts(self) -> frozenset[Part]:
        return frozenset(each.part for each in self.unread)

    def apart(self, part: Part, what: str, ask: Callable[[], T]) -> T | None:
        """The answer; None, and it is unread, where there is none. An exchange that answers nothing is not asked on."""
        if self._in_a_row[part] >= IN_A_ROW or (not self.answers and len(self.unread) >= IN_A_ROW):
            self.unread.append(Unread(part, what, Retryable("not asked for: nothing before it was told")))
            return None
        try:
            answer = ask()
        except FeedError as error:
            self._in_a_row[part] += 1
            self.unread.append(Unread(part, what, error))
            return None
        self._in_a_row[part] = 0
        self.answers += 1
        return answer

    def raise_unread(self, *, unless_some: bool = False) -> None:
        """The first error where not all was told, or `unless_some` of it was."""
        if self.unread and not (unless_some and self.answers):
            raise self.unread[0].error


def after_s(unread: Sequence[Unread]) -> float:
    """Seconds that the exchange itself wants to be left alone."""
    return max((each.error.after_s for each in unread if isinstance(each.error, Retryable)), default=0.0)


def from_anywhere(symbols: Collection[str]) -> list[str]:
    """All of them; some that cannot be read do not always stand before the same others."""
    named = sorted(symbols)
    first = random.randrange(len(named)) if named else 0  # noqa: S311 (a turn)
    return [*named[first:], *named[:first]]
