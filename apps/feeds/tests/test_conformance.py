"""What every exchange has to pass: real sockets to the simulator, books held as a daemon holds them.

A new exchange joins by its line in the registry and its simulator; nothing here knows any of them by name. All tests of
one market share its pool, whose first pair no test may disturb.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from apps.feeds.book.continuity import WholeBooks
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.market import MarketType, Side
from apps.feeds.simulator.server import Simulator
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.stand import BOOK_MESSAGES_S, Stand, patience, stand
from apps.feeds.tests.waiting import until

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]
MOST_PAIRS = 50  # of one socket, the most that a user may set


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncIterator[Simulator]:
    simulator = Simulator(seed=3, rate=BOOK_MESSAGES_S, patience=patience())
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=EVERY, ids=lambda one: f"{one[0]}-{one[1]}")
async def on(request: pytest.FixtureRequest, simulator: Simulator) -> AsyncIterator[Stand]:
    async with stand(simulator, *request.param) as made:
        yield made
        assert await made.breaches() == {}


def continues(on: Stand, pair: Subscription) -> bool:
    """Whether a lost message can be told at all: where every message is the whole book, none is missed."""
    return not isinstance(on.driver.rule(on.market, pair.depth), WholeBooks)


def numbered(on: Stand, pair: Subscription) -> bool:
    """Whether each lost message shows by its number; a checksum shows only what the next message does not mend."""
    return all(event.seq is not None for event in on.desk.events_of[pair.instrument.symbol])


# Starting and stopping


async def test_a_pair_is_subscribed_with_its_first_data_and_live_with_its_first_whole_book(on: Stand):
    async with on.holding() as [pair]:
        book = on.book(pair)
        assert book.subscribed_ns is not None
        assert book.synced_ns is not None
        assert book.subscribed_ns <= book.synced_ns
        assert book.builder.book is not None
        assert not book.builder.book.crossed
        assert min(book.builder.book.bids_count, book.builder.book.asks_count) > 0


async def test_a_book_of_every_offered_depth_moves_with_the_exchanges_own(on: Stand):
    pairs = [on.take(1, depth=depth)[0] for depth in on.driver.depths(on.market)]
    async with on.holding_these(pairs):
        for pair in pairs:
            await on.moved(pair)
            await on.true(pair)


async def test_as_many_pairs_as_a_socket_takes_start_on_one_within_all_limits(on: Stand):
    limits = on.driver.limits(on.market)
    count = min(limits.pairs_per_connection, MOST_PAIRS, len(on.instruments)) - 1
    async with stand(on.simulator, on.exchange, on.market) as bulk:
        pairs = bulk.take(count, depth=min(on.driver.depths(on.market), key=lambda depth: depth or 1000))
        bulk.hold(*pairs)
        await bulk.live(*pairs)
        topic = Topic(kind=TopicKind.BOOK, symbol=pairs[0].instrument.symbol, depth=pairs[0].depth)
        category = on.driver.category(on.market, topic)
        [books] = [link for link in bulk.pool.links() if link.category == category]
        assert books.pairs >= count
        assert bulk.desk.losses == []


async def test_a_pair_that_is_dropped_leaves_the_wire_and_the_others_go_on(on: Stand):
    async with on.holding(2) as [pair, other]:
        with on.undisturbed():
            on.drop(pair)
            assert pair.key not in on.pool.current()
            await until(lambda: not on.listened(pair))
            await on.moved(other)


async def test_a_symbol_that_the_exchange_does_not_know_is_told_with_the_reason_and_stops_no_other(on: Stand):
    symbol = on.neighbour.instrument.symbol
    strange = replace(on.neighbour.instrument, symbol=("zz" if symbol.islower() else "ZZ") + symbol, pair="ZZ/ZZ")
    unknown = Subscription(instrument=strange, depth=on.depth)
    async with on.holding() as [pair]:
        on.hold(unknown)
        await on.desk.until(lambda: strange.symbol in on.desk.refusals or unknown.key in on.desk.waits)
        assert on.desk.refusals.get(strange.symbol) or on.desk.waits.get(unknown.key)
        on.drop(unknown)
        await on.moved(pair)
        await on.live(on.neighbour)


async def test_when_the_pool_ends_no_socket_is_left(on: Stand):
    before = on.sockets()
    async with stand(on.simulator, on.exchange, on.market) as short:
        assert on.sockets() > before
        links = short.pool.links()
    assert short.desk.losses == ["closed by us"] * len(links)
    await until(lambda: on.sockets() == before)


# Messages, one by one


async def test_a_level_that_goes_away_leaves_the_book(on: Stand):
    async with on.holding() as [pair]:
        await on.desk.until(lambda: on.desk.removed[pair.instrument.symbol] > 0)
        await on.true(pair)


async def test_messages_that_come_twice_change_nothing(on: Stand):
    async with on.holding() as [pair]:
        with on.undisturbed():
            await on.spoil("duplicate", pair, count=3)
            await on.true(pair)


async def test_messages_that_change_places_do_no_harm(on: Stand):
    async with on.holding() as [pair]:
        with on.undisturbed():
            await on.spoil("reorder", pair)
            await on.true(pair)


async def test_a_lost_message_costs_its_own_book_and_no_other(on: Stand):
    async with on.holding() as [pair]:
        with on.undisturbed():
            for _ in range(1 if numbered(on, pair) else 10):
                await on.spoil("gap", pair)
                await on.true(pair)
                if on.resyncs(pair):
                    break
        assert bool(on.resyncs(pair)) == continues(on, pair)


async def test_a_crossed_book_is_dropped_and_built_anew(on: Stand):
    async with on.holding() as [pair]:
        with on.undisturbed():
            await on.spoil("cross", pair)
            await on.true(pair)
        reasons = {reason.partition(":")[0] for reason in on.resyncs(pair)}
        assert reasons in ({"crossed"}, {"checksum"}), "whichever tells first, and nothing else"


async def test_a_wrong_checksum_drops_the_book_where_the_exchange_sends_one(on: Stand):
    async with on.holding() as [pair]:
        checked = any(event.checksum is not None for event in on.desk.events_of[pair.instrument.symbol])
        with on.undisturbed():
            await on.spoil("checksum", pair)
            await on.true(pair)
        assert on.resyncs(pair) == (["checksum"] if checked else [])


async def test_a_frame_that_cannot_be_read_is_counted_and_costs_nothing(on: Stand):
    async with on.holding() as [pair]:
        before = on.desk.malformed_frames
        with on.undisturbed():
            await on.spoil("malformed", pair, count=2)
            await on.true(pair)
        await on.desk.until(lambda: on.desk.malformed_frames - before >= 2)
        assert on.resyncs(pair) == []


async def test_a_whole_book_in_the_place_of_an_update_is_taken(on: Stand):
    async with on.holding() as [pair]:
        with on.undisturbed():
            await on.spoil("resnapshot", pair)
            await on.true(pair)


async def test_prints_come_once_each_and_none_is_missing(on: Stand):
    async with on.holding() as [pair]:
        prints = on.desk.prints[pair.instrument.symbol]
        await on.desk.until(lambda: len(prints) >= 3)
        await on.fault("freeze", pair)
        told = await _printed(on, pair)
        await on.desk.until(lambda: len(prints) >= told)
        assert len(prints) == told
        assert len({one.trade_id for one in prints}) == len(prints)
        assert {one.side for one in prints} <= {Side.BUY, Side.SELL}


async def _printed(on: Stand, pair: Subscription) -> int:
    """Prints that the simulator wrote to the sockets that are open."""
    sockets = {socket["connection"] for socket in (await on.ask("/_sim/state"))["sockets"]}
    rows = [row for row in await on.ask("/_sim/log") if row["connection"] in sockets]
    return sum(row["trades"] for row in rows if row["symbol"] == pair.instrument.symbol)


# Sockets


async def test_a_cut_socket_comes_back_without_ghost_levels(on: Stand):
    async with on.holding() as [pair]:
        losses = len(on.desk.losses)
        await on.fault("disconnect")
        await on.desk.until(lambda: len(on.desk.losses) > losses)
        await on.live(pair, on.neighbour)
        await on.true(pair)
        await on.true(on.neighbour)
        assert on.desk.served_without_socket == 0
