"""KuCoin writes times in milliseconds and in nanoseconds, the same field now so and now so."""

from typing import TypeAlias

from apps.feeds.drivers import wire

Stamp: TypeAlias = wire.Id

_LAST_MS = 9_999_999_999_999  # 13 digits; nanoseconds have 19
_NS_PER_MS = 1_000_000


def millis(stamp: int) -> int:
    return stamp if stamp <= _LAST_MS else stamp // _NS_PER_MS
