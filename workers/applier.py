"""Brings books and sockets to what is wanted of the shards that this daemon holds, and to what it trades on."""

from collections.abc import Callable, Mapping

import structlog

from apps.feeds.drivers.base import Driver
from apps.feeds.market import BookKey
from apps.feeds.placement import Load, loads
from apps.feeds.shards import shard_of
from apps.feeds.subscriptions import Diff, RefusedTask, Subscription, Wanted, diff
from apps.feeds.transport.pool import Pool
from workers.feed import OWN, Feed

log = structlog.get_logger(__name__)


class Applier:
    """`fences` is the live mapping of owned shards; `want` hears of all shards in which anything is wanted."""

    def __init__(
        self,
        *,
        feed: Feed,
        pool: Pool,
        drivers: Mapping[str, Driver],
        fences: Mapping[str, int],
        want: Callable[[Mapping[str, Load]], None],
        forget: Callable[[BookKey], None],
    ) -> None:
        self.refused: list[RefusedTask] = []
        self._feed = feed
        self._pool = pool
        self._drivers = drivers
        self._fences = fences
        self._want = want
        self._forget = forget
        self._wanted: dict[BookKey, Subscription] = {}
        self._own: Mapping[BookKey, Subscription] = {}

    def fetched(self, wanted: Wanted) -> None:
        """A new answer from the database; exchanges that we have no driver for are left alone."""
        self.refused = wanted.refused
        self._wanted = {key: sub for key, sub in wanted.subscriptions.items() if key.exchange in self._drivers}
        self._want(loads(self._wanted.values(), self._drivers))
        self.apply()

    def hold(self, own: Mapping[BookKey, Subscription]) -> None:
        """What this daemon needs for its own trading: where it is not shown by us, it is held beside."""
        if own != self._own:
            self._own = own
            self.apply()

    def apply(self) -> None:
        """Unsubscribe, then subscribe; pairs that stay as they are are not touched."""
        before = {pair.key for pair in self._feed}
        shown = {key: sub for key, sub in self._wanted.items() if shard_of(key) in self._fences}
        target = {**self._own, **shown}
        for pair in list(self._feed):
            if pair.key not in target:
                self._drop(pair.key, "not watched any more")
            elif target[pair.key].depth != pair.subscription.depth:
                self._drop(pair.key, "watched at another depth from now on")
            elif pair.is_own is (pair.key in shown):
                self._drop(pair.key, "shown by this daemon from now on" if pair.is_own else "not shown any more")
                self._pool.apply(Diff(add=[], remove=[pair.key]))  # its stream begins anew as well
        for key, subscription in target.items():
            if self._feed.find(key) is None:
                self._feed.add(subscription, self._fences[shard_of(key)] if key in shown else OWN)
        self._subscribe(target)
        if before != target.keys():
            log.info("watching", books=len(target), new=len(target.keys() - before), gone=len(before - target.keys()))

    def leave(self, shards: frozenset[str], reason: str) -> None:
        """Let go of all books of these shards, sockets included."""
        for key in [pair.key for pair in self._feed if pair.shard in shards and not pair.is_own]:
            self._drop(key, reason)
        self._subscribe({pair.key: pair.subscription for pair in self._feed})
        if self._own:
            self.apply()

    def _subscribe(self, target: Mapping[BookKey, Subscription]) -> None:
        change = diff(self._pool.current(), target)
        if change.add or change.remove:
            self._pool.apply(change)

    def _drop(self, key: BookKey, reason: str) -> None:
        pair = self._feed.find(key)
        if pair is not None:
            self._forget(key)
            self._feed.remove(pair, reason)
