"""Faults that were asked for: where they hold, how often, until when."""

from collections.abc import Callable
from dataclasses import dataclass

# Each lasting fault and the word that ends it.
LASTING = {
    "mute": "unmute",
    "freeze": "thaw",
    "silence": "unsilence",
    "refuse": "allow",
    "no_ack": "ack",
    "delay_ack": "ack",
    "rest_error": "rest_ok",
    "ban": "unban",
    "turn_away": "let_in",
}
# Faults of the next messages of each channel in reach.
COUNTED = ("gap", "duplicate", "reorder", "cross", "malformed", "checksum", "resnapshot", "reset")
ENDS = {word: tuple(name for name, end in LASTING.items() if end == word) for word in LASTING.values()}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a fault holds; None is anywhere."""

    exchange: str | None = None
    market_type: str | None = None
    symbol: str | None = None

    def covers(self, exchange: str, market_type: str | None = None, symbol: str | None = None) -> bool:
        """Whether the fault touches the given place; a place without a symbol is touched by no fault of one symbol."""
        return (
            self.exchange in (None, exchange)
            and self.market_type in (None, market_type)
            and self.symbol in (None, symbol)
        )

    def within(self, other: "Reach") -> bool:
        return (
            other.exchange in (None, self.exchange)
            and other.market_type in (None, self.market_type)
            and other.symbol in (None, self.symbol)
        )


@dataclass(slots=True)
class Fault:
    name: str
    reach: Reach
    until: float | None  # of the clock; None until it is ended
    seconds: float  # as asked for: the delay of `delay_ack`
    count: int  # requests that `ban` answers with 429 before it turns to 418
    used: int = 0

    def left_s(self, now: float) -> float:
        """Seconds until it ends by itself."""
        return 0.0 if self.until is None else self.until - now


class Faults:
    """Asked at every message: `active` keeps the usual case (none) cheap."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lasting: list[Fault] = []
        self._counted: dict[tuple[str, str, str, str], int] = {}  # (name, exchange, market, channel) -> times left

    @property
    def active(self) -> bool:
        return bool(self._lasting or self._counted)

    def begin(self, name: str, reach: Reach, *, seconds: float | None, count: int) -> None:
        until = None if seconds is None or name == "delay_ack" else self._clock() + seconds
        self._lasting = [fault for fault in self._lasting if (fault.name, fault.reach) != (name, reach)]
        self._lasting.append(Fault(name, reach, until, seconds or 0.0, count))

    def end(self, names: tuple[str, ...], reach: Reach) -> None:
        """End every fault of these names inside the reach."""
        self._lasting = [f for f in self._lasting if f.name not in names or not f.reach.within(reach)]

    def find(self, name: str, exchange: str, market_type: str | None = None, symbol: str | None = None) -> Fault | None:
        """The fault of this name that holds here and now."""
        if not self._lasting:
            return None
        now = self._clock()
        self._lasting = [fault for fault in self._lasting if fault.until is None or fault.until > now]
        for fault in self._lasting:
            if fault.name == name and fault.reach.covers(exchange, market_type, symbol):
                return fault
        return None

    def arm(self, name: str, exchange: str, market_type: str, channel: str, count: int) -> None:
        """Let the next `count` messages of one channel suffer `name`."""
        key = (name, exchange, market_type, channel)
        self._counted[key] = self._counted.get(key, 0) + count

    def left(self, name: str, exchange: str, market_type: str, channel: str) -> int:
        """Messages of one channel that have still to suffer `name`."""
        return self._counted.get((name, exchange, market_type, channel), 0)

    def take(self, name: str, exchange: str, market_type: str, channel: str) -> bool:
        """Whether the message at hand suffers `name`; counts it down."""
        key = (name, exchange, market_type, channel)
        left = self._counted.get(key, 0)
        if not left:
            return False
        if left == 1:
            del self._counted[key]
        else:
            self._counted[key] = left - 1
        return True
