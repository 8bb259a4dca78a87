"""What the exchanges' own timers, which cancel orders, tell of themselves."""

from apps.feeds.errors import MalformedFrame

_FIRST_MS = 10**11  # in milliseconds it is 1973, and what is less are seconds
_MOST = 16  # digits


def due_ms(told: str | int) -> int | None:
    """When one cancels, by the exchange's clock; 0 is never. Documents say milliseconds and show seconds."""
    text = str(told)
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST):
        raise MalformedFrame(f"not a time: {text[:40]!r}")
    time = int(text)
    return (time if time >= _FIRST_MS else time * 1000) or None


def seconds(timer_ms: int, shortest: int, longest: int) -> int:
    """Whole seconds within the exchange's bounds."""
    return min(max(timer_ms // 1000, shortest), longest)
