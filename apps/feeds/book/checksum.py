"""CRC-32 over the best levels as the wire spelt them, in each exchange's own order."""

from abc import ABC, abstractmethod
from typing import TypeAlias
from zlib import crc32

Texts: TypeAlias = list[tuple[str, str]]

CHECKED_LEVELS = 25  # of OKX


class RawLevels(ABC):
    """A book's levels as strings, kept only for books whose stream sends checksums."""

    def __init__(self) -> None:
        self._bids: dict[float, tuple[str, str]] = {}
        self._asks: dict[float, tuple[str, str]] = {}

    def update(self, bids: Texts, asks: Texts) -> None:
        _update(self._bids, bids)
        _update(self._asks, asks)

    def keep(self, levels: int) -> None:
        """Cut both sides to their best `levels`."""
        for price in sorted(self._bids, reverse=True)[levels:]:
            del self._bids[price]
        for price in sorted(self._asks)[levels:]:
            del self._asks[price]

    def best(self, levels: int | None = None) -> tuple[Texts, Texts]:
        """Bids and asks, best first; None gives all of them."""
        bids = [self._bids[price] for price in sorted(self._bids, reverse=True)[:levels]]
        asks = [self._asks[price] for price in sorted(self._asks)[:levels]]
        return bids, asks

    @abstractmethod
    def crc32(self) -> int:
        """The checksum that the exchange would send with this book."""


class Interleaved(RawLevels):
    """OKX until June 2026; its field is constantly 0 since."""

    def crc32(self) -> int:
        """Signed CRC-32 of `bidPx:bidSz:askPx:askSz:bidPx:...`; a side that ran out is skipped."""
        bids, asks = self.best(CHECKED_LEVELS)
        words: list[str] = []
        for rank in range(max(len(bids), len(asks))):
            for side in (bids, asks):
                if rank < len(side):
                    words.extend(side[rank])
        unsigned = crc32(":".join(words).encode())
        return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned


class SideAfterSide(RawLevels):
    """CoinEx: all levels of the subscription."""

    def crc32(self) -> int:
        """Unsigned CRC-32 of `bidPx:bidSz:bidPx:...:askPx:askSz:...`, each side best first."""
        bids, asks = self.best()
        return crc32(":".join(word for level in bids + asks for word in level).encode())


def _update(side: dict[float, tuple[str, str]], levels: Texts) -> None:
    for price, amount in levels:
        if float(amount):
            side[float(price)] = (price, amount)
        else:
            side.pop(float(price), None)
