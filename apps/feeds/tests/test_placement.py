"""Who holds which shard: no daemon is given what its sockets cannot carry while another has room."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from apps.feeds.market import MarketType
from apps.feeds.placement import Load, Room, assign, loads
from apps.feeds.shards import ranking, shard_of
from apps.feeds.tests.toy import LIMITS, ToyDriver, subscription
from apps.feeds.transport.groups import Group

SPOT = Group("toy", MarketType.SPOT, "public")
DRIVERS = {"toy": ToyDriver(), "few": ToyDriver(exchange_id="few", rules=replace(LIMITS, connections=1))}
ROOM = Room(sockets=20, pairs_per_socket=40)
SHARDS: dict[str, Load] = {f"toy:spot:{n}": {SPOT: 2} for n in range(16)}


def sockets(shards: dict[str, Load], owners: dict[str, str], daemon: str, of_one: int) -> int:
    """What the daemon needs in the end."""
    pairs = Counter[Group]()
    for shard, owner in owners.items():
        if owner == daemon:
            pairs.update(shards[shard])
    return sum(-(-count // of_one) for count in pairs.values())


def test_a_shard_needs_a_place_for_the_books_and_the_trades_of_each_pair():
    pairs = [subscription("AAA"), subscription("CCC", depth=50)]
    together, apart = {"toy": ToyDriver()}, {"toy": ToyDriver(trades_apart=True)}
    shard, other = (shard_of(pair.key) for pair in pairs)
    assert shard != other
    assert loads(pairs, together) == {shard: {SPOT: 1}, other: {SPOT: 1}}
    assert loads(pairs[:1], apart) == {shard: {SPOT: 1, Group("toy", MarketType.SPOT, "market"): 1}}


def test_with_room_for_all_each_shard_goes_to_the_first_of_its_ranking():
    rooms = {"d1": ROOM, "d2": ROOM}
    owners = assign(SHARDS, rooms, DRIVERS)
    assert owners == {shard: ranking(shard, {"d1": 800, "d2": 800})[0] for shard in SHARDS}


def test_what_a_full_daemon_cannot_carry_goes_to_the_other():
    rooms = {"d1": Room(1, 10), "d2": Room(1, 40)}
    owners = assign(SHARDS, rooms, DRIVERS)
    assert sockets(SHARDS, owners, "d1", 10) <= 1
    assert sockets(SHARDS, owners, "d2", 40) <= 1


def test_markets_that_need_more_sockets_than_one_daemon_has_are_split_up():
    markets = [Group("toy", market, f"category {n}") for market in MarketType for n in range(11)]
    shards = {f"toy:{group.market_type}:{group.category}": {group: 20} for group in markets}
    owners = assign(shards, {"d1": ROOM, "d2": ROOM}, DRIVERS)
    assert all(sockets(shards, owners, daemon, 40) <= 20 for daemon in ("d1", "d2"))
    assert Counter(assign(shards, {"d1": Room(20, 40), "d2": Room(2, 40)}, DRIVERS).values()) == {"d1": 20, "d2": 2}


def test_what_finds_room_nowhere_waits_at_the_first_of_its_ranking():
    rooms = {"d1": Room(1, 2), "d2": Room(1, 2)}
    owners = assign(SHARDS, rooms, DRIVERS)
    assert owners.keys() == SHARDS.keys()
    first = {shard: ranking(shard, {"d1": 2, "d2": 2})[0] for shard in SHARDS}
    assert sum(owners[shard] != first[shard] for shard in SHARDS) <= 1  # the last one that found a socket elsewhere


def test_an_exchange_that_allows_few_sockets_is_shared_out_too():
    group = Group("few", MarketType.SPOT, "public")
    shards = {f"few:spot:{n}": {group: 20} for n in range(4)}
    assert Counter(assign(shards, {"d1": ROOM, "d2": ROOM}, DRIVERS).values()) == {"d1": 2, "d2": 2}


def test_without_room_nobody_holds_anything():
    assert assign(SHARDS, {}, DRIVERS) == {}
    assert assign(SHARDS, {"drained": Room(0, 40)}, DRIVERS) == {}


LOADS = st.dictionaries(
    st.integers(0, 40).map("toy:spot:{}".format),
    st.dictionaries(st.sampled_from("abcdef").map(lambda name: Group("toy", MarketType.SPOT, name)), st.integers(1, 3)),
    max_size=30,
)


@given(shards=LOADS, first=st.integers(1, 8), second=st.integers(1, 8))
def test_nobody_waits_where_the_other_could_carry_it(shards: dict[str, Load], first: int, second: int):
    rooms = {"d1": Room(first, 2), "d2": Room(second, 2)}
    drivers = {"toy": ToyDriver(rules=replace(LIMITS, pairs_per_connection=2))}
    owners = assign(shards, rooms, drivers)
    assert owners == assign(dict(reversed(shards.items())), rooms, drivers)
    placed: dict[str, str] = {}
    for shard in sorted(shards):
        lacks = {daemon: lacks_sockets(shards, placed, shard, daemon, rooms[daemon]) for daemon in rooms}
        placed[shard] = owners[shard]
        assert not lacks[owners[shard]] or all(lacks.values())


def lacks_sockets(shards: dict[str, Load], placed: dict[str, str], shard: str, daemon: str, room: Room) -> bool:
    """Whether the daemon would have to open one too many for this shard."""
    before = sockets(shards, placed, daemon, room.pairs_per_socket)
    after = sockets(shards, {**placed, shard: daemon}, daemon, room.pairs_per_socket)
    return before < after > room.sockets
