"""What only some exchanges do: tokens, greetings, beats of their own, snapshots on the socket, sockets closed for one
symbol, few sockets for an address."""

import json
import time
from itertools import count

from msgspec.structs import replace

from apps.feeds.drivers.base import Heartbeat, Rate, Request, TopicKind
from apps.feeds.errors import Retryable
from apps.feeds.subscriptions import Diff
from apps.feeds.tests.standing_clock import StandingClock
from apps.feeds.tests.toy import (
    FAST,
    LIMITS,
    Notes,
    Peer,
    ToyDriver,
    key,
    obey,
    pool_on,
    running,
    subscription,
    toy_server,
)
from apps.feeds.tests.waiting import until

ONE_BY_ONE = replace(LIMITS, topics_per_frame=1, closes_within_s=1.0)


def pairs(*symbols: str) -> Diff:
    return Diff(add=[subscription(symbol) for symbol in symbols], remove=[])


async def live(sink: Notes, *symbols: str) -> None:
    await sink.until(lambda: all(sink.seqs(symbol) for symbol in symbols))


# Tokens


async def test_every_socket_is_opened_with_a_token_of_its_own():
    numbers = count(1)

    async def fetch(exchange: str, request: Request) -> bytes:
        assert (exchange, request.method, request.url) == ("toy", "POST", "https://rest.toy.test/token")
        return str(next(numbers)).encode()

    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(tokens=True), fetch=fetch)) as pool:
            pool.apply(pairs("AAA"))
            await live(sink, "AAA")
            await server.peers[0].hang_up()
            await sink.until(lambda: sink.seqs("AAA") == [1, 1])
            paths = [peer.socket.request.path for peer in server.peers if peer.socket.request]
            assert paths == [f"/stream.toy.test/ws/public?token={number}" for number in (1, 2)]


async def test_without_a_token_no_socket_is_opened_and_the_line_tries_again():
    answers = [Retryable("busy", after_s=0.01), b"none", b"7"]

    async def fetch(exchange: str, request: Request) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(tokens=True), fetch=fetch)) as pool:
            pool.apply(pairs("AAA"))
            await live(sink, "AAA")
            assert len(server.peers) == 1
            reasons = [reason for _, _, reason, _ in sink.losses]
            assert reasons == ["no token for a socket: busy", "no token for a socket: not a token"]


# Greetings


async def test_commands_wait_for_the_greeting():
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, greeted=True))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            pool.apply(pairs("AAA"))
            await server.until(lambda: server.peers)
            await server.peers[0].send(op="nothing")
            await until(lambda: pool.links()[0].frames == 1)
            assert server.peers[0].commands == []
            await server.peers[0].send(op="welcome")
            await live(sink, "AAA")


async def test_a_socket_without_a_greeting_is_given_up():
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, greeted=True))
        async with running(pool_on(server, sink, driver=driver, timing=replace(FAST, open_s=0.1))) as pool:
            pool.apply(pairs("AAA"))
            await sink.until(lambda: "no greeting within 0.1 s" in [reason for _, _, reason, _ in sink.losses])


# Frames and beats


async def test_binary_frames_go_both_ways():
    class Binary(ToyDriver):
        def _commands(self, op, topics, first_id):
            return [
                replace(command, frame=command.frame.encode()) for command in super()._commands(op, topics, first_id)
            ]

    kinds: list[type] = []

    async with toy_server() as server:

        async def answer(peer: Peer, command: dict) -> None:
            peer.carry(command)
            await peer.raw(json.dumps({"ok": True, "id": command["id"]}).encode())
            await peer.raw(json.dumps({"book": "AAA", "seq": 1, "snapshot": True}).encode())

        server.heard = kinds.append
        server.answer = answer
        sink = Notes()
        async with running(pool_on(server, sink, driver=Binary())) as pool:
            pool.apply(pairs("AAA"))
            await live(sink, "AAA")
            assert set(kinds) == {bytes}


async def test_each_beat_has_the_frame_of_its_number():
    beat = Heartbeat(send=lambda number: json.dumps({"op": "ping", "id": number}), every_s=0.01, answer_s=0.01)
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(beat=beat))) as pool:
            pool.apply(pairs("AAA"))
            await server.until(lambda: server.peers and len(_beats(server.peers[0])) >= 3)
            assert _beats(server.peers[0])[:3] == [1, 2, 3]


async def test_where_the_server_alone_asks_nothing_is_sent_and_its_silence_is_found():
    beat = Heartbeat(send=None, every_s=0.01, answer_s=0.2, listens=True)
    async with toy_server() as server:
        sink = Notes()
        timing = replace(FAST, quiet_s=0.01)
        async with running(pool_on(server, sink, driver=ToyDriver(beat=beat), timing=timing)) as pool:
            pool.apply(pairs("AAA"))
            await live(sink, "AAA")
            await sink.until(lambda: sink.losses)
            assert sink.losses[0][2] == "no frame for 0.2 s"
            assert server.peers[0].pings == 0
            assert server.peers[0].ops("ping") == []


def _beats(peer: Peer) -> list[int]:
    return [command["id"] for command in peer.commands if command["op"] == "ping"]


# Snapshots on the stream's own socket


async def test_a_snapshot_is_asked_for_on_the_socket_of_the_book_and_not_twice_in_a_row(monkeypatch):
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, ack_s=1.0, snapshot_s=10.0))) as pool:
            pool.apply(pairs("AAA", "BBB"))
            await live(sink, "AAA", "BBB")
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            for _ in range(3):
                pool.ask_snapshot(key("BBB"))
            await clock.settle()
            assert _snapshots(server.peers[0]) == ["BBB"]
            pool.ask_snapshot(key("BBB"))
            clock.skip(9.9)
            await clock.settle()
            assert _snapshots(server.peers[0]) == ["BBB"]
            clock.skip(0.2)
            await clock.settle()
            assert _snapshots(server.peers[0]) == ["BBB", "BBB"]
            pool.ask_snapshot(key("CCC"))  # nobody holds it
            clock.run()


async def test_one_snapshot_at_a_time_is_asked_for_and_the_pace_counts_from_its_answer(monkeypatch):
    """So that no stall on the way, or of the exchange, brings two questions there at once."""
    slow = replace(LIMITS, commands=Rate(1, 2.0))
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(rules=slow))) as pool:
            pool.apply(pairs("AAA", "BBB"))
            await live(sink, "AAA", "BBB")
            [peer] = server.peers
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            for symbol in ("AAA", "BBB"):
                pool.ask_snapshot(key(symbol))
            for seconds in (0.0, 5.0, 5.0):  # longer than the pace, shorter than an answer is awaited
                clock.skip(seconds)
                await clock.settle()
            [first] = _snapshots(peer)
            await peer.send(book=first, seq=7, snapshot=True, asked=True)
            for seconds in (0.0, 1.9):
                clock.skip(seconds)
                await clock.settle()
                assert _snapshots(peer) == [first]
            clock.skip(0.5)
            await clock.settle()
            assert sorted(_snapshots(peer)) == ["AAA", "BBB"]
            clock.run()


async def test_a_question_for_a_snapshot_that_is_never_answered_holds_up_no_other_for_long():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, ack_s=0.3))) as pool:
            pool.apply(pairs("AAA", "BBB"))
            await live(sink, "AAA", "BBB")
            for symbol in ("AAA", "BBB"):
                pool.ask_snapshot(key(symbol))
            await server.until(lambda: sorted(_snapshots(server.peers[0])) == ["AAA", "BBB"])


async def test_an_answer_without_a_snapshot_lets_the_question_be_put_again():
    async def refuse(peer: Peer, command: dict) -> None:
        if command["op"] == "snapshot":
            await peer.send(ok=False, id=command["id"])
        await obey(peer, command)

    async with toy_server() as server:
        server.answer = refuse
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, snapshot_s=0.05))) as pool:
            pool.apply(pairs("AAA"))
            await live(sink, "AAA")
            pool.ask_snapshot(key("AAA"))
            await server.until(lambda: _snapshots(server.peers[0]) == ["AAA"] * 3)
            assert (sink.refusals, sink.losses) == ([], [])


def _snapshots(peer: Peer) -> list[str]:
    return [command["book"] for command in peer.commands if command["op"] == "snapshot"]


# Sockets that are closed for one symbol


async def closes_for_bad(peer: Peer, command: dict) -> None:
    if any("BAD" in name for name in command.get("topics", ())):
        await peer.hang_up()
        return
    await obey(peer, command)


async def test_the_symbol_that_ends_sockets_is_found_and_refused_and_the_others_go_on():
    async with toy_server() as server:
        server.answer = closes_for_bad
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(rules=ONE_BY_ONE))) as pool:
            pool.apply(pairs("AAA", "BAD", "BBB", "CCC"))
            await sink.until(lambda: sink.refusals)
            await live(sink, "AAA", "BBB", "CCC")
            [(topic, code)] = sink.refusals
            assert (topic.symbol, topic.kind, code) == ("BAD", TopicKind.BOOK, "socket closed")
            assert set(pool.current()) == {key("AAA"), key("BBB"), key("CCC")}
            assert len(server.peers) <= 3  # the first, the one that asked for it alone, and the present one


async def test_what_cost_a_socket_is_not_asked_for_again_when_other_refusals_are():
    async with toy_server() as server:
        server.answer = closes_for_bad
        sink = Notes()
        timing = replace(FAST, refused_s=0.0)
        async with running(pool_on(server, sink, driver=ToyDriver(rules=ONE_BY_ONE), timing=timing)) as pool:
            pool.apply(pairs("AAA", "BAD"))
            await sink.until(lambda: sink.refusals and sink.seqs("AAA") and server.open_peers)
            sockets = len(server.peers)
            pool.apply(pairs("BAD", "DDD"))
            await live(sink, "DDD")
            assert len(server.peers) == sockets
            assert key("BAD") not in pool.current()


async def test_a_socket_cut_in_the_middle_of_a_start_costs_no_pair():
    async with toy_server() as server:

        async def cut_once(peer: Peer, command: dict) -> None:
            if len(server.peers) == 1 and "book.20.BBB" in command.get("topics", ()):
                await peer.hang_up()
            else:
                await obey(peer, command)

        server.answer = cut_once
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(rules=ONE_BY_ONE))) as pool:
            pool.apply(pairs("AAA", "BBB", "CCC"))
            await live(sink, "AAA", "BBB", "CCC")
            assert sink.refusals == []


async def test_an_exchange_that_closes_every_socket_loses_its_first_pair_only_after_three():
    async with toy_server() as server:

        async def hang_up(peer: Peer, command: dict) -> None:
            await peer.hang_up()

        server.answer = hang_up
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(rules=ONE_BY_ONE))) as pool:
            pool.apply(pairs("AAA"))
            await sink.until(lambda: sink.refusals)
            assert len(server.peers) >= 4  # both topics of the pair at first, then the book alone


# Few sockets for one address


async def test_no_more_sockets_are_opened_than_the_exchange_allows():
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, connections=2))
        async with running(pool_on(server, sink, driver=driver, pairs_per_connection=1)) as pool:
            pool.apply(pairs("AAA", "BBB", "CCC"))
            await live(sink, "AAA", "BBB")
            assert sink.waits == [
                (
                    key("CCC"),
                    "no room: 0 of 2 connections to toy are free, and those for toy spot public hold their 1 pairs",
                )
            ]
            assert len(server.peers) == 2
