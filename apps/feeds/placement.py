"""Which daemon should hold which shard, so that all pairs find room on its sockets. Pure.

Every daemon reckons this for itself, from the same rows: that they agree needs no word between them. Where they do
not for a moment (one has read a row later), the leases decide.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from apps.feeds.drivers.base import Driver
from apps.feeds.market import MarketType
from apps.feeds.shards import ranking, shard_of
from apps.feeds.subscriptions import Subscription
from apps.feeds.transport.groups import Group, group_of, pairs_of_a_socket, topics_of

Load: TypeAlias = Mapping[Group, int]  # pairs of one shard that each kind of socket has to carry


class Room(Struct, frozen=True):
    """What one daemon is allowed."""

    sockets: int
    pairs_per_socket: int

    @property
    def pairs(self) -> int:
        return self.sockets * self.pairs_per_socket


def loads(subscriptions: Iterable[Subscription], drivers: Mapping[str, Driver]) -> dict[str, Load]:
    """What each shard needs."""
    found: dict[str, Counter[Group]] = {}
    for subscription in subscriptions:
        instrument = subscription.instrument
        driver = drivers[instrument.exchange]
        groups = {group_of(driver, instrument, topic) for topic in topics_of(subscription)}
        found.setdefault(shard_of(subscription.key), Counter()).update(groups)
    return dict(found)


def assign(shards: Mapping[str, Load], rooms: Mapping[str, Room], drivers: Mapping[str, Driver]) -> dict[str, str]:
    """Shard -> daemon: the first of its ranking whose sockets hold it beside the shards before it.

    A daemon that comes or goes moves only the shards that it gains or had, as long as there is room. What finds room
    nowhere stays with its first daemon and waits there, pair by pair. Without any room nobody holds anything.
    """
    plans = {daemon: _Plan(room, drivers) for daemon, room in rooms.items() if room.pairs > 0}
    if not plans:
        return {}
    weights = {daemon: rooms[daemon].pairs for daemon in plans}
    owners = {}
    for shard in sorted(shards):
        ranked = ranking(shard, weights)
        owner = next((daemon for daemon in ranked if plans[daemon].holds(shards[shard])), ranked[0])
        plans[owner].add(shards[shard])
        owners[shard] = owner
    return owners


class _Plan:
    """The sockets of one daemon as they fill."""

    def __init__(self, room: Room, drivers: Mapping[str, Driver]) -> None:
        self._room = room
        self._drivers = drivers
        self._pairs: Counter[Group] = Counter()
        self._sockets: Counter[str] = Counter()  # by exchange

    def holds(self, load: Load) -> bool:
        """Whether it fits on the sockets that are there already, or on as many more as are allowed."""
        more = self._more(load)
        if not more:
            return True
        if self._sockets.total() + more.total() > self._room.sockets:
            return False
        return all(self._sockets[exchange] + count <= self._most(exchange) for exchange, count in more.items())

    def add(self, load: Load) -> None:
        self._sockets.update(self._more(load))
        self._pairs.update(load)

    def _more(self, load: Load) -> Counter[str]:
        """Sockets to be opened, by exchange."""
        more: Counter[str] = Counter()
        for group, pairs in load.items():
            of_one = pairs_of_a_socket(self._drivers[group.exchange], group, self._room.pairs_per_socket)
            have = self._pairs[group]
            more[group.exchange] += -(-(have + pairs) // of_one) + have // -of_one
        return +more

    def _most(self, exchange: str) -> int:
        """Sockets that the exchange allows one address, the market with the stricter word."""
        driver = self._drivers[exchange]
        caps = [cap for market in MarketType if (cap := driver.limits(market).connections) is not None]
        return min(caps, default=self._room.sockets)
