"""More frames than can be worked off: others have their turn, it is known how late we are, and it has an end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from apps.feeds.subscriptions import Diff
from apps.feeds.tests.toy import FAST, Notes, ToyServer, pool_on, running, subscription, toy_server
from apps.feeds.tests.waiting import until
from apps.feeds.transport import dial, session
from apps.feeds.transport.link import Link, MarketData
from apps.feeds.transport.pool import Pool
from apps.feeds.transport.turns import ALL_S, ONE_S, Turns

FRAMES = 300
WORK_S = 0.001
MANY, LARGE = 40, 100_000  # messages and their bytes: more than is read from the network in one go

ONE = Diff(add=[subscription("AAA")], remove=[])


class Busy(Notes):
    """Works on each event for a millisecond."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lates: list[float] = []

    def events(self, link: Link, events: list[MarketData]) -> None:
        done = time.thread_time() + WORK_S
        while time.thread_time() < done:
            pass
        self.lates.append(link.late_s)
        super().events(link, events)


@asynccontextmanager
async def subscribed(sink: Notes) -> AsyncIterator[tuple[ToyServer, Pool]]:
    async with toy_server() as server, running(pool_on(server, sink)) as pool:
        pool.apply(ONE)
        await sink.until(lambda: sink.seqs("AAA"))
        yield server, pool


async def burst(server: ToyServer, frames: int = FRAMES) -> None:
    for number in range(frames):
        await server.peers[0].send(book="AAA", seq=2 + number)


async def test_a_socket_with_a_backlog_leaves_others_their_turn():
    sink, seen = Busy(), [0]

    async def others() -> None:
        while True:
            await asyncio.sleep(0)
            seen.append(len(sink.data))

    async with subscribed(sink) as (server, pool):
        await burst(server)
        turns = asyncio.create_task(others())
        await sink.until(lambda: pool.turns.behind)
        await sink.until(lambda: len(sink.data) > FRAMES)
        turns.cancel()
    assert sink.seqs("AAA") == list(range(1, FRAMES + 2))
    most = ONE_S / WORK_S + 1
    assert max(after - before for before, after in pairwise(seen)) <= most


async def test_many_that_are_behind_share_what_one_would_take_alone():
    turns = Turns()
    assert turns.share_s == ONE_S
    for number in range(20):
        await turns.next(number, behind=True)
    assert turns.share_s == ALL_S / 20
    for number in range(10):
        await turns.next(number, behind=False)
    assert turns.share_s == ALL_S / 10
    for number in range(10, 20):
        turns.leave(number)
    assert turns.share_s == ONE_S


async def test_how_long_a_frame_waited_is_known_with_it():
    sink = Busy()
    async with subscribed(sink) as (server, _):
        await burst(server)
        await sink.until(lambda: len(sink.data) > FRAMES)
        await server.peers[0].send(book="AAA", seq=FRAMES + 2)
        await sink.until(lambda: len(sink.data) > FRAMES + 1)
    assert sink.lates[FRAMES] > 0.5 * FRAMES * WORK_S
    assert sink.lates[FRAMES + 1] < sink.lates[FRAMES]


async def test_a_socket_that_cannot_be_caught_up_with_is_left_for_a_fresh_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session, "MOST_WAITING", FRAMES // 2)
    sink = Busy()
    async with subscribed(sink) as (server, pool):
        await burst(server)
        await sink.until(lambda: len(server.peers) > 1 and sink.seqs("AAA")[-1] == 1)
        _, topics, reason, _ = sink.losses[0]
        assert pool.turns.behind == 0
    assert reason.endswith(" frames behind")
    assert {topic.symbol for topic in topics} == {"AAA"}
    assert len(sink.data) < FRAMES


async def test_a_message_in_parts_is_one_and_pings_are_none():
    async with toy_server() as server:
        socket = await dial.dial(server.url.replace("http", "ws"), FAST)
        await server.until(lambda: server.peers)
        there = server.peers[0].socket
        for _ in range(3):
            await there.send(["a", "b", "c"])
            await there.ping()
        before = time.monotonic()
        for left in (2, 1, 0):
            message, came = await socket.receive()
            assert (message, socket.waiting) == (b"abc", left)
            assert came <= time.monotonic()
        await there.send("later")
        assert (await socket.receive())[1] >= before
        await socket.close()


async def test_what_has_come_waits_here_where_it_is_seen_and_not_in_the_network():
    async with toy_server() as server:
        socket = await dial.dial(server.url.replace("http", "ws"), FAST)
        await server.until(lambda: server.peers)
        for _ in range(MANY):
            await server.peers[0].raw("x" * LARGE)
        await until(lambda: socket.waiting == MANY)
        await socket.close()


async def test_a_session_that_does_not_read_leaves_the_rest_to_the_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dial, "MOST_WAITING", MANY // 4)
    async with toy_server() as server:
        socket = await dial.dial(server.url.replace("http", "ws"), FAST)
        await server.until(lambda: server.peers)
        sending = asyncio.gather(*(server.peers[0].raw("x" * LARGE) for _ in range(MANY)))
        await until(lambda: not socket.transport.is_reading())
        assert MANY // 4 < socket.waiting < MANY
        for _ in range(MANY):
            assert len((await socket.receive())[0]) == LARGE
        await sending
        await socket.close()
