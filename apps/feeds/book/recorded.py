"""The continuity rule of a recording, which tells neither how deep it was asked for nor what it waited for."""

from collections.abc import Sequence

from apps.feeds.book.checksum import RawLevels
from apps.feeds.book.continuity import Rule, Step
from apps.feeds.market import BookDelta, BookSnapshot

UNBOUNDED = 2**31


class Recorded:
    """Judges one recorded symbol by `rule`; `rules` are those of every depth that it may have been asked for.

    It keeps as many levels a side as the shallowest of them that the longest whole book so far fits in. An `anchored`
    book has REST answers in the recording: differences are held for them, and none of its levels is cut.
    """

    def __init__(self, rule: Rule, rules: Sequence[Rule], *, anchored: bool) -> None:
        self.holds = rule.holds or anchored
        self._rule = rule
        self._keeps = [] if anchored else sorted({one.keep for one in (rule, *rules) if one.keep is not None})
        self._longest = self._widest = 0

    @property
    def keep(self) -> int | None:
        fitting = [keep for keep in self._keeps if keep >= self._longest]
        return fitting[0] if fitting else max(self._keeps, default=None)

    @property
    def proof(self) -> type[RawLevels] | None:
        return self._rule.proof

    def saw(self, snapshot: BookSnapshot) -> None:
        self._longest = max(self._longest, len(snapshot.bids), len(snapshot.asks))
        self._widest = max(self._widest, _width(snapshot))

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        """Of several books of one symbol the one with the widest window counts."""
        return _width(snapshot) == self._widest and self._rule.replaces(seq, snapshot)

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self._rule.first(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        return self._rule.next(seq, delta)


def _width(snapshot: BookSnapshot) -> int:
    return UNBOUNDED if snapshot.window is None else snapshot.window
