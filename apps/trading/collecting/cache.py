"""What an account's events have been recorded already: exchanges tell much of it twice, and sweeps tell all of it."""

from collections.abc import Hashable

from apps.feeds.orders import Fill, OrderUpdate
from apps.trading.caches import EVENT, Cache, Size, Stats


class EventCache:
    """Only what was committed is put here, so that a loss of the cache or of the database loses no event."""

    def __init__(self, size: Size = EVENT) -> None:
        self._cache: Cache[Hashable, bool] = Cache("event", size)

    def knows(self, event: OrderUpdate | Fill) -> bool:
        """Whether the very same was recorded; counted as a hit or a miss."""
        return self._cache.get(key_of(event)) is not None

    def add(self, event: OrderUpdate | Fill) -> None:
        self._cache.put(key_of(event), True)

    def stats(self) -> Stats:
        return self._cache.stats()


def key_of(event: OrderUpdate | Fill) -> Hashable:
    """All of an event that its record depends on."""
    if isinstance(event, Fill):
        fill = (event.symbol, event.trade_id, event.side, event.price, event.amount, event.fee, event.fee_asset)
        return ("fill", *fill, event.exchange_order_id, event.client_order_id)
    update = (event.symbol, event.exchange_order_id, event.client_order_id, event.status, event.filled)
    return ("order", *update, event.amount, event.price, event.position_side)
