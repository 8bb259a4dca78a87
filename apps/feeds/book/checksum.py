"""CRC-32 over the best levels as the wire spelt them (OKX until June 2026; its field is constantly 0 since)."""

from zlib import crc32

CHECKED_LEVELS = 25


class RawLevels:
    """A book's levels as strings, kept only for books whose stream sends checksums."""

    def __init__(self) -> None:
        self._bids: dict[float, tuple[str, str]] = {}
        self._asks: dict[float, tuple[str, str]] = {}

    def update(self, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        _update(self._bids, bids)
        _update(self._asks, asks)

    def crc32(self) -> int:
        """Signed CRC-32 of `bidPx:bidSz:askPx:askSz:bidPx:...`; a side that ran out is skipped."""
        bids = [self._bids[price] for price in sorted(self._bids, reverse=True)[:CHECKED_LEVELS]]
        asks = [self._asks[price] for price in sorted(self._asks)[:CHECKED_LEVELS]]
        words: list[str] = []
        for rank in range(max(len(bids), len(asks))):
            for side in (bids, asks):
                if rank < len(side):
                    words.extend(side[rank])
        unsigned = crc32(":".join(words).encode())
        return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned


def _update(side: dict[float, tuple[str, str]], levels: list[tuple[str, str]]) -> None:
    for price, amount in levels:
        if float(amount):
            side[float(price)] = (price, amount)
        else:
            side.pop(float(price), None)
