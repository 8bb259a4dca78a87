"""Writes books, best prices and tapes to Redis under the fence of their shard, in batches every few milliseconds."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

import structlog
from redis.exceptions import RedisError

from apps.feeds.bus import codec
from apps.feeds.bus.conflate import Op, Slot
from apps.feeds.bus.fenced import Batch, write
from apps.feeds.bus.redis import connect
from apps.feeds.market import BookKey, PublicTrade
from apps.feeds.shards import shard_of
from apps.waits import patience

log = structlog.get_logger(__name__)

TICK_S = 0.005
SWEEP_S = 0.1
# Slowness alone conflates: nothing is written before the last answer is there. A connection is given up, and all books
# rewritten, only when it says nothing for longer than any pause of a healthy machine.
ANSWER_S = 1.0
RETRY_S = 0.1
OPS_PER_FLUSH = 2_000


class Publisher:
    """Holds one slot per book and writes what is due; while Redis is slow or away the slots conflate.

    `may_publish` is asked before each flush: False while the leases' owner is in doubt. `on_fenced(shard, fence)` says
    that another owner has published under the higher `fence`; the shard is already silent here. `on_latency(ns)` gets
    the time from the receipt of a published state (or from when the rate allowed it) to the answer of Redis.
    """

    def __init__(
        self,
        url: str,
        *,
        hz: float,
        clock: Callable[[], int] = time.time_ns,
        may_publish: Callable[[], bool] = lambda: True,
        on_fenced: Callable[[str, int], None] = lambda shard, fence: None,
        on_latency: Callable[[int], None] = lambda ns: None,
    ) -> None:
        self.away_since_ns: int | None = None
        self.fenced = 0
        self._redis = connect(url, timeout_s=None)
        self._interval_ns = int(1e9 / hz)
        self._clock = clock
        self._may_publish = may_publish
        self._on_fenced = on_fenced
        self._on_latency = on_latency
        self._fences: dict[str, int] = {}
        self._slots: dict[BookKey, Slot] = {}
        self._waiting: dict[BookKey, Slot] = {}
        self._versions: dict[BookKey, int] = {}
        self._farewells: list[tuple[str, Op]] = []
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._timer: asyncio.Handle | None = None
        self._rings_s = 0.0  # when the timer does; uvloop's handle of a moment that has come cannot tell
        self._sweep_ns = 0
        self._skipped = 0

    @property
    def skipped(self) -> int:
        """Trades that were never published because Redis was away."""
        return self._skipped + sum(slot.skipped for slot in self._slots.values())

    def own(self, shard: str, fence: int) -> None:
        """Publish the shard's books from now on, all of them at once."""
        self._fences[shard] = fence
        for key, slot in self._slots.items():
            if slot.shard == shard:
                slot.take_urgent()  # said under an older fence
                slot.refresh(time.monotonic_ns())
                self._waiting[key] = slot
        self._wake.set()

    def disown(self, shard: str) -> None:
        """Not a word more about this shard."""
        self._fences.pop(shard, None)
        self._farewells = [(of, op) for of, op in self._farewells if of != shard]

    def add(self, source: codec.Source) -> None:
        slot = Slot(
            source,
            shard=shard_of(source.key),
            interval_ns=self._interval_ns,
            base=self._versions.get(source.key, 0),
        )
        self._slots[source.key] = slot
        self.changed(source.key, best=True)

    def remove(self, key: BookKey, reason: str) -> None:
        """Say that the book is no longer watched, if its shard is still ours; its keys expire by themselves."""
        slot = self._slots.pop(key, None)
        self._waiting.pop(key, None)
        if slot is None:
            return
        self._versions[key] = slot.version + 2
        self._skipped += slot.skipped
        fence = self._fences.get(slot.shard)
        if fence is not None:
            self._farewells += [(slot.shard, op) for op in slot.gone(self._clock(), fence, reason)]
            self._wake.set()

    def changed(self, key: BookKey, *, best: bool) -> None:
        """A book moved, came back or went stale; `best` when its best prices or its state changed."""
        slot = self._slots.get(key)
        if slot is not None:
            slot.changed(time.monotonic_ns(), best=best)
            self._waiting[key] = slot
            self._wake_in(TICK_S)

    def invalidated(self, key: BookKey) -> None:
        """A book left LIVE: published before anything else, and before the book can be LIVE again."""
        slot = self._slots.get(key)
        if slot is None:
            return
        fence = self._fences.get(slot.shard)
        if fence is not None:
            slot.invalidated(time.monotonic_ns(), self._clock(), fence)
        self.changed(key, best=True)
        self._wake.set()

    def traded(self, key: BookKey, trades: Iterable[PublicTrade]) -> None:
        slot = self._slots.get(key)
        if slot is not None:
            slot.traded(time.monotonic_ns(), trades)
            self._waiting[key] = slot
            self._wake_in(TICK_S)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self._wake_in(TICK_S if self._waiting else SWEEP_S)
            await self._wake.wait()
            self._wake.clear()
            if not self._may_publish():
                await asyncio.sleep(TICK_S)
                continue
            await self.flush()
            if self.away_since_ns is not None:
                await asyncio.sleep(RETRY_S)

    async def flush(self) -> None:
        """Write what is due now, once."""
        async with self._writing:  # two writes at a time could overtake each other
            now_ns = time.monotonic_ns()
            self._sweep(now_ns)
            batches = self._collect(now_ns)
            if batches:
                await self._write(batches)

    async def aclose(self) -> None:
        """Write the last words and close; call it after `run` has ended."""
        if self._timer is not None:
            self._timer.cancel()
        await self.flush()
        await self._redis.aclose()

    def _wake_in(self, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + delay_s
        if self._timer is not None:
            if self._rings_s <= at:
                return
            self._timer.cancel()
        self._timer, self._rings_s = loop.call_at(at, self._ring), at

    def _ring(self) -> None:
        self._timer = None
        self._wake.set()

    def _sweep(self, now_ns: int) -> None:
        if now_ns - self._sweep_ns < SWEEP_S * 1e9:
            return
        self._sweep_ns = now_ns
        for key, slot in self._slots.items():
            slot.rewrite(now_ns)
            if slot.waiting:
                self._waiting[key] = slot

    def _collect(self, now_ns: int) -> list[Batch]:
        """Invalidations of all shards, then everything else that is due."""
        urgent: dict[str, Batch] = {}
        normal: dict[str, Batch] = {}
        for shard, op in self._farewells:
            self._batch(urgent, shard).ops.append(op)
        self._farewells = []
        room = OPS_PER_FLUSH
        for key, slot in list(self._waiting.items()):
            if slot.shard not in self._fences:
                continue
            if slot.urgent:
                batch = self._batch(urgent, slot.shard)
                batch.ops += slot.take_urgent()
                batch.slots.append(slot)
            if room > 0:
                room -= self._take(self._batch(normal, slot.shard), slot, now_ns)
            if not slot.waiting:
                del self._waiting[key]
        return [*urgent.values(), *(batch for batch in normal.values() if batch.ops)]

    def _batch(self, batches: dict[str, Batch], shard: str) -> Batch:
        batch = batches.get(shard)
        if batch is None:
            batch = batches[shard] = Batch(shard, self._fences[shard], [], [], [])
        return batch

    def _take(self, batch: Batch, slot: Slot, now_ns: int) -> int:
        ops, since_ns = slot.take(now_ns, self._clock(), batch.fence)
        if ops:
            batch.ops += ops
            batch.slots.append(slot)
        if since_ns is not None:
            batch.since_ns.append(since_ns)
        return len(ops)

    async def _write(self, batches: Sequence[Batch]) -> None:
        try:
            async with patience(ANSWER_S):
                answers = await write(self._redis, batches)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(batches, error)
            return
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        if self.away_since_ns is not None and not errors:
            self._returned()
        now_ns = self._clock()
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, Exception):
                self._failed([batch], answer)
            elif answer:
                self._refused(batch, int(answer))
            else:
                for since_ns in batch.since_ns:
                    self._on_latency(now_ns - since_ns)

    def _failed(self, batches: Sequence[Batch], error: Exception) -> None:
        now_ns = time.monotonic_ns()
        if self.away_since_ns is None:
            self.away_since_ns = now_ns
            log.warning("redis does not take books", error=str(error) or type(error).__name__)
        for batch in batches:
            for slot in batch.slots:
                slot.failed(now_ns)
                if self._slots.get(slot.source.key) is slot:
                    self._waiting[slot.source.key] = slot

    def _returned(self) -> None:
        """Redis may have come back empty: rewrite everything now."""
        now_ns = time.monotonic_ns()
        log.info("redis takes books again", away_s=round((now_ns - (self.away_since_ns or now_ns)) / 1e9, 1))
        self.away_since_ns = None
        for key, slot in self._slots.items():
            slot.refresh(now_ns)
            self._waiting[key] = slot

    def _refused(self, batch: Batch, highest: int) -> None:
        if self._fences.get(batch.shard) != batch.fence:
            return  # already lost, or won again under a higher fence
        self.fenced += 1
        self.disown(batch.shard)
        log.warning("shard lost: another owner publishes", shard=batch.shard, fence=batch.fence, highest=highest)
        self._on_fenced(batch.shard, highest)
