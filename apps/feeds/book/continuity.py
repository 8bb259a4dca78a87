"""How one update of a book continues another: each exchange's own rule, as its documentation numbers the steps.

A rule is a pure judge without memory: it compares an update with the id that the book has, and the builder acts.
The families: whole books (nothing to continue), a REST snapshot plus differences that were held for it (Binance),
a snapshot pushed by the stream itself, then differences (Bybit, OKX, KuCoin), and the latter without any ids (CoinEx).
"""

from enum import Enum
from typing import Protocol

from apps.feeds.book.checksum import Interleaved, RawLevels, SideAfterSide
from apps.feeds.market import BookDelta, BookSnapshot


class Step(Enum):
    APPLY = "apply"  # continues the book
    OLD = "old"  # already in the book: changes nothing
    GAP = "gap"  # something between is missing


class Rule(Protocol):
    """`holds`: differences that come before a snapshot are kept for it, else they are of no use and dropped.

    `keep`: levels a side beyond which the far end is cut, None for no limit. `proof`: what verifies the stream's
    checksums, None where it sends none.
    """

    @property
    def holds(self) -> bool: ...

    @property
    def keep(self) -> int | None: ...

    @property
    def proof(self) -> type[RawLevels] | None: ...

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        """Whether a snapshot pushed by the stream replaces a book that stands at `seq`."""
        ...

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        """Judge a difference that meets a REST snapshot of id `seq`; GAP: that snapshot is too old for it."""
        ...

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        """Judge a difference against a book whose last update was `seq`."""
        ...


class WholeBooks:
    """Every message is the whole book (Binance `depth20`): a newer one replaces the last, an older one came late."""

    holds = False
    keep = None
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return seq is None or snapshot.seq is None or snapshot.seq >= seq

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return Step.GAP

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        return Step.GAP


class UpdateRange:
    """Binance spot (`U` first_seq, `u` seq; spot docs, "How to manage a local order book", 2026-07).

    4. L+1 < first held `U`: the snapshot is too old, fetch again and keep what is held.
    5. Drop every event with `u` <= L.
    6. The first event left must satisfy `U` <= L+1 <= `u`.
    7. Then `u` <= id: ignore; `U` > id+1: gap; else apply, id = `u`.
    The first event and all later ones obey the same comparison.

    KuCoin's classic level2, both markets (`sequenceStart` first_seq, `sequenceEnd` seq; on futures `sequence` is both):
    2. S < `sequenceStart` - 1 of the first held frame: fetch the snapshot again.
    3. Drop `sequenceEnd` <= S; the first kept has `sequenceStart` <= S+1 <= `sequenceEnd`, however late it comes.
    5. `sequenceEnd` <= last: a repeat; `sequenceStart` <= last+1: apply the changes whose own sequence is above last
       (the driver makes an update of each); else a gap, and this frame is the first of those held.
    """

    holds = True
    keep = None
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return seq is None or snapshot.seq is None or snapshot.seq >= seq

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self.next(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.first_seq is None:
            return Step.GAP
        if delta.seq <= seq:
            return Step.OLD
        return Step.APPLY if delta.first_seq <= seq + 1 else Step.GAP


class PreviousUpdate:
    """Binance futures (`U` first_seq, `u` seq, `pu` prev_seq; derivatives docs, local order book, 2026-10).

    3. Drop events with `u` < L; one with `u` == L is kept as the anchor.
    4. The first event used has `U` <= L <= `u`, or `pu` == L: that one continues the snapshot directly.
    5. Otherwise the snapshot is too old.
    6. Then `pu` == previous `u`; an exact repeat is ignored, anything else is a gap, a lower `u` included.
    """

    holds = True
    keep = None
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return seq is None or snapshot.seq is None or snapshot.seq >= seq

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.first_seq is None:
            return Step.GAP
        if delta.prev_seq == seq:
            return Step.APPLY
        if delta.seq < seq:
            return Step.OLD
        return Step.APPLY if delta.first_seq <= seq else Step.GAP

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.prev_seq is None:
            return Step.GAP
        if delta.prev_seq == seq:
            return Step.APPLY
        return Step.OLD if delta.seq == seq else Step.GAP


class PlusOne:
    """Bybit depths 50 and 1000 (`u` seq; v5 docs, orderbook, 2026-07).

    3. `u` == id+1: apply; `u` <= id: ignore; `u` > id+1: gap. (`u` == 1 restarts the book: the driver makes a
       snapshot of it.)
    4. A later snapshot replaces the book at any time, even with the same `u`.
    """

    holds = False
    keep = None
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return True

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self.next(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None:
            return Step.GAP
        if delta.seq == seq + 1:
            return Step.APPLY
        return Step.OLD if delta.seq <= seq else Step.GAP


class PushedRange:
    """KuCoin `obu` increment@10ms (`O` first_seq, `C` seq; unified push docs and frames seen, 2026-09).

    1. Drop differences before the snapshot, which comes up to some seconds after the acknowledgement.
    2. A snapshot (`O` == `C`) is the book; a later one replaces it at any time.
    3. `C` <= last: old, drop; `O` > last+1: gap; else apply, last = `C`.
    4. An amount of 0: deleted, or fell out of the best 500. Keep at most 500 a side.
    """

    holds = False
    keep = 500
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return True

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self.next(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.first_seq is None:
            return Step.GAP
        if delta.seq <= seq:
            return Step.OLD
        return Step.APPLY if delta.first_seq <= seq + 1 else Step.GAP


class Chain:
    """OKX `books` (`seqId` seq, `prevSeqId` prev_seq; v5 docs, order book channel, 2026-06).

    2. A snapshot that comes while the book is live simply replaces it.
    3. `prevSeqId` == last: apply, last = `seqId`, even where `seqId` is smaller (reset after maintenance) or the
       same (keep-alive); else `seqId` == last: a repeat; anything else is a gap. Never test `seqId` > last.
    After a REST snapshot S: drop `seqId` <= S, the first kept has `prevSeqId` <= S < `seqId`.
    Frames of 2022 carry no ids, only a checksum: the builder verifies it, and it is the only proof there.
    """

    holds = False
    keep = 400
    proof = Interleaved

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return True

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.prev_seq is None:
            return self.next(seq, delta)
        if delta.prev_seq == seq:
            return Step.APPLY
        if delta.seq <= seq:
            return Step.OLD
        return Step.APPLY if delta.prev_seq <= seq else Step.GAP

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None:
            proven_by_checksum = seq is None and delta.seq is None and delta.checksum is not None
            return Step.APPLY if proven_by_checksum else Step.GAP
        if delta.prev_seq == seq:
            return Step.APPLY
        return Step.OLD if delta.seq == seq else Step.GAP


class PreviousSequence:
    """HTX spot `mbp.N` (`seqNum` seq, `prevSeqNum` prev_seq; spot docs, market by price, 2021-06, frames of 2026).

    4. Drop held pushes with `seqNum` <= S. The first one kept must have `prevSeqNum` == S, each further one the
       `seqNum` of the one before it.
    5. If none is left, the book is live at S: the next push must have `prevSeqNum` == S.
    6. `prevSeqNum` > S, or `prevSeqNum` < S < `seqNum`: the snapshot is too old, it lags the pushes. Keep what is held
       and ask again.
    7. Then `prevSeqNum` == last: apply; `seqNum` <= last: a repeat, ignored; anything else is a gap. `seqNum` does not
       grow by one. The push behind a gap is the first that is held for the next snapshot.
    9. Keep the levels of the channel: those that leave its window are deleted by the stream as well.
    """

    holds = True
    proof = None

    def __init__(self, keep: int) -> None:
        self.keep = keep

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return seq is None or snapshot.seq is None or snapshot.seq >= seq

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self.next(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.prev_seq is None:
            return Step.GAP
        if delta.prev_seq == seq:
            return Step.APPLY
        return Step.OLD if delta.seq <= seq else Step.GAP


class ExactlyPlusOne:
    """HTX contracts, incremental (`version` seq; usdt-swap docs, incremental market depth, 2021-06).

    1. `event` snapshot replaces the book, whatever its `version`; so does any later one.
    2. `event` update: `version` == last + 1, else
    3. gap, repeat and step back alike: drop the book and subscribe anew, which brings a snapshot.
    5. Updates before the snapshot are ignored.
    Whole books of other channels (`stepN`) count otherwise: a lower number came late.
    """

    holds = False
    keep = None
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return snapshot.restarts or seq is None or snapshot.seq is None or snapshot.seq >= seq

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self.next(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        return Step.APPLY if seq is not None and delta.seq == seq + 1 else Step.GAP


class VersionRange:
    """MEXC spot `aggre.depth` (`fromVersion` first_seq, `toVersion` seq) and futures `depth` (`begin`, `end`); spot v3
    and futures docs, how to maintain a local book, 2026-04, corrected by measurements of 2026-09.

    3. Drop held pushes that end at or before the snapshot's L.
    4. The first one kept has `fromVersion` <= L+1 <= `toVersion`: it usually straddles L and is applied whole. If
       `fromVersion` > L+1, the snapshot is too old: fetch again. With nothing left the book is whole at L, and this
       step holds for the next push.
    5. Then `fromVersion` == last + 1; `toVersion` <= last: stale or repeated, ignored; anything else is a gap, an
       overlap included.
    """

    holds = True
    keep = None
    proof = None

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return seq is None or snapshot.seq is None or snapshot.seq >= seq

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.first_seq is None:
            return Step.GAP
        if delta.seq <= seq:
            return Step.OLD
        return Step.APPLY if delta.first_seq <= seq + 1 else Step.GAP

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        if seq is None or delta.seq is None or delta.first_seq is None:
            return Step.GAP
        if delta.first_seq == seq + 1:
            return Step.APPLY
        return Step.OLD if delta.seq <= seq else Step.GAP


class ChecksumOnly:
    """CoinEx `depth` (no ids at all; v2 docs, market depth, 2025). `levels` are those of the subscription.

    1. A full push replaces the book; it comes first, and again about once a minute.
    2. A difference without a book is of no use: the next full push is awaited.
    3. For each level set the amount; zero deletes, and deleting an unknown price is not an error.
    4. Cut both sides to `levels`: what was only pushed off the far end is not deleted by the exchange.
    5. After every push, full ones included, CRC-32 over what is left must equal the push's checksum; else the book is
       wrong: drop it and subscribe anew. A push that comes twice does no harm.
    """

    holds = False
    proof = SideAfterSide

    def __init__(self, levels: int) -> None:
        self.keep = levels

    def replaces(self, seq: int | None, snapshot: BookSnapshot) -> bool:
        return True

    def first(self, seq: int | None, delta: BookDelta) -> Step:
        return self.next(seq, delta)

    def next(self, seq: int | None, delta: BookDelta) -> Step:
        return Step.GAP if delta.checksum is None else Step.APPLY
