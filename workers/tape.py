"""The ids of a pair's last prints: some exchanges send the newest ones again after every subscribe."""

REMEMBERED = 200  # Hyperliquid repeats about 30


class Tape:
    def __init__(self) -> None:
        self._ids: dict[str, None] = {}  # oldest first

    def fresh(self, trade_id: str) -> bool:
        """Whether this print was not seen before; it is now."""
        if trade_id in self._ids:
            return False
        self._ids[trade_id] = None
        if len(self._ids) > REMEMBERED:
            del self._ids[next(iter(self._ids))]
        return True
