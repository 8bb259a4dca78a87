"""One connection on bad days: cuts, silence, nonsense, missing answers, announced ends."""

import random
import time
from collections.abc import Callable
from http import HTTPStatus

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Heartbeat
from apps.feeds.subscriptions import Diff
from apps.feeds.tests.standing_clock import StandingClock
from apps.feeds.tests.toy import (
    BEAT,
    FAST,
    LIMITS,
    Notes,
    Peer,
    ToyDriver,
    ToyServer,
    key,
    obey,
    pool_on,
    running,
    subscription,
    toy_server,
)
from apps.feeds.transport.dial import MAX_FRAME_BYTES
from apps.feeds.transport.link import LinkState

PAIRS = Diff(add=[subscription("AAA"), subscription("BBB")], remove=[])


async def both_live(sink: Notes) -> None:
    await sink.until(lambda: sink.seqs("AAA") and sink.seqs("BBB"))


async def test_a_cut_is_reported_before_anything_else_and_then_mended():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            before = len(sink.story)
            await server.peers[0].hang_up()
            await sink.until(lambda: sink.seqs("AAA") == [1, 1] and sink.seqs("BBB") == [1, 1])
            assert sink.story[before : before + 3] == ["closed", "opened", "asked"]
            link, topics, reason, retry_in_s = sink.losses[0]
            assert {topic.symbol for topic in topics} == {"AAA", "BBB"}
            assert len(topics) == 4
            assert reason.startswith("closed by the network")
            assert 0.0 <= retry_in_s <= FAST.backoff_first_s
            assert (link.reconnects, link.state) == (1, LinkState.OPEN)


async def test_the_exchange_s_own_reason_for_closing_is_told():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].socket.close(4004, "no data")
            await sink.until(lambda: sink.losses)
            assert sink.losses[0][2] == "closed by the exchange: 4004 (private use) no data"


async def test_delays_grow_while_the_exchange_is_away_and_each_failure_is_told():
    async with toy_server() as server:
        sink = Notes()
        pool = pool_on(server, sink, rng=Highest())
    async with running(pool):
        pool.apply(PAIRS)
        await sink.until(lambda: len(sink.losses) >= 4)
        assert [delay for _, _, _, delay in sink.losses[:4]] == [0.01, 0.02, 0.04, 0.05]
        assert all(reason.startswith("cannot connect: ") for _, _, reason, _ in sink.losses)


async def test_an_exchange_that_wants_us_to_stay_away_is_left_alone_by_all_connections():
    async with toy_server() as server:
        server.full = HTTPStatus.TOO_MANY_REQUESTS
        sink = Notes()
        async with running(pool_on(server, sink, pairs_per_connection=1)) as pool:
            pool.apply(PAIRS)
            await sink.until(lambda: len(sink.losses) == 2)
            assert {reason for _, _, reason, _ in sink.losses} == {"cannot connect: HTTP 429"}
            assert all(retry_in_s > FAST.backoff_most_s for _, _, _, retry_in_s in sink.losses)
            server.full = None
            await both_live(sink)
            knocks = [*server.turned_away, *(peer.opened for peer in server.peers)]
            assert all(later - earlier >= 0.35 for earlier, later in zip(knocks, knocks[2:], strict=False))


async def test_a_socket_that_proves_nothing_does_not_shorten_the_delay():
    async with toy_server() as server:

        async def hang_up(peer: Peer, command: dict) -> None:
            await peer.hang_up()

        server.answer = hang_up
        sink = Notes()
        async with running(pool_on(server, sink, rng=Highest())) as pool:
            pool.apply(PAIRS)
            await sink.until(lambda: len(sink.losses) >= 3)
            assert [delay for _, _, _, delay in sink.losses[:3]] == [0.01, 0.02, 0.04]


class Highest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return b


async def test_a_malformed_frame_is_handed_on_and_stops_nothing():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            peer = server.peers[0]
            for number in range(19):
                await peer.raw(f"nonsense {number}")
            await peer.raw(b"\xff\xfe not text")
            await peer.send(book="AAA", seq=2)
            await sink.until(lambda: sink.seqs("AAA") == [1, 2] or sink.losses)
            assert sink.bad_frames[0] == b"nonsense 0"


async def test_twenty_malformed_frames_in_ten_seconds_close_the_socket():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            for _ in range(19):
                await server.peers[0].raw("{")
            await server.peers[0].send(book="AAA", seq=2)
            await sink.until(lambda: sink.seqs("AAA") == [1, 2])
            assert sink.losses == []
            await server.peers[0].raw("{")
            await sink.until(lambda: sink.losses and sink.seqs("AAA") == [1, 2, 1])
            assert sink.losses[0][2] == "20 malformed frames within 10 s"
            assert len(sink.bad_frames) == 20


async def test_malformed_frames_that_are_rare_enough_never_close_it():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, malformed_s=0.0))) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            for _ in range(50):
                await server.peers[0].raw("{")
            await server.peers[0].send(book="AAA", seq=2)
            await sink.until(lambda: sink.seqs("AAA") == [1, 2])
            assert sink.losses == []


async def test_a_frame_over_eight_megabytes_closes_the_socket():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].raw(" " * (MAX_FRAME_BYTES + 1))
            await sink.until(lambda: len(sink.seqs("AAA")) == 2)
            assert "1009" in sink.losses[0][2]


async def test_a_fault_of_the_driver_costs_one_reconnect_and_is_logged(caplog):
    class Faulty(ToyDriver):
        def parse(self, market_type, frame, received_ns):
            if b"boom" in frame:
                raise ZeroDivisionError("boom")
            return super().parse(market_type, frame, received_ns)

    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=Faulty())) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].raw("boom")
            await sink.until(lambda: len(sink.seqs("AAA")) == 2)
            assert sink.losses[0][2] == "internal error: ZeroDivisionError('boom')"
            assert "session of toy:spot:public:1 failed" in caplog.text


async def test_pings_of_the_exchange_are_answered_at_once():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].send(op="ping")
            await server.until(lambda: {"op": "pong"} in server.peers[0].commands)


EVERY_S, ANSWER_S = 10.0, 3.0


async def beat(clock: StandingClock, beats: Callable[[], int]) -> None:
    """See three heartbeats go out, each on time and not a moment earlier."""
    before = beats()
    for count in (1, 2, 3):
        clock.skip(0.99 * EVERY_S)
        await clock.settle()
        assert beats() == before + count - 1
        clock.skip(0.02 * EVERY_S)
        await clock.settle()
        assert beats() == before + count
    clock.skip(ANSWER_S)
    await clock.settle()


async def test_our_heartbeat_goes_out_on_time_and_an_answer_keeps_the_socket(monkeypatch: pytest.MonkeyPatch):
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(beat=replace(BEAT, every_s=EVERY_S, answer_s=ANSWER_S))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            pool.apply(PAIRS)
            await both_live(sink)
            await beat(clock, lambda: server.peers[0].commands.count({"op": "ping"}))
            assert sink.losses == []
            clock.run()


async def test_without_a_heartbeat_of_its_own_an_exchange_is_asked_by_protocol_pings(monkeypatch: pytest.MonkeyPatch):
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(beat=Heartbeat(send=None, every_s=EVERY_S, answer_s=ANSWER_S))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            pool.apply(PAIRS)
            await both_live(sink)
            await clock.settle()
            frames = pool.links()[0].frames
            await beat(clock, lambda: server.peers[0].pings)
            assert (pool.links()[0].frames, sink.losses) == (frames, [])
            clock.run()


async def deaf(peer: Peer, command: dict) -> None:
    if command["op"] != "ping":
        await obey(peer, command)


async def test_a_socket_without_any_frame_is_asked_early_and_given_up_when_it_does_not_answer():
    async with toy_server() as server:
        server.answer = deaf
        sink = Notes()
        driver = ToyDriver(beat=replace(BEAT, every_s=60.0, answer_s=0.1))
        async with running(pool_on(server, sink, driver=driver, timing=replace(FAST, quiet_s=0.05))) as pool:
            pool.apply(PAIRS)
            await sink.until(lambda: len(sink.opened_links) == 2)
            assert sink.losses[0][2] == "no frame within 0.1 s of a ping"


async def test_any_frame_after_the_ping_proves_life(monkeypatch: pytest.MonkeyPatch):
    async with toy_server() as server:

        async def data_for_pong(peer: Peer, command: dict) -> None:
            if command["op"] == "ping":
                await peer.send(op="nothing")
            else:
                await obey(peer, command)

        server.answer = data_for_pong
        sink = Notes()
        driver = ToyDriver(beat=replace(BEAT, every_s=EVERY_S, answer_s=ANSWER_S))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            pool.apply(PAIRS)
            await both_live(sink)
            await beat(clock, lambda: server.peers[0].commands.count({"op": "ping"}))
            assert sink.losses == []
            clock.run()


async def test_a_socket_that_answers_pings_but_brings_no_data_is_replaced_with_growing_patience():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, idle_s=0.1))) as pool:
            pool.apply(PAIRS)
            await sink.until(lambda: len(sink.losses) == 3)
            assert [reason for _, _, reason, _ in sink.losses] == [
                "no market data for 0.1 s",
                "no market data for 0.2 s",
                "no market data for 0.4 s",
            ]


async def test_a_subscribe_without_an_answer_is_sent_again():
    async with toy_server() as server:
        asked: list[dict] = []

        async def second_time(peer: Peer, command: dict) -> None:
            asked.append(command)
            if len(asked) > 1:
                await obey(peer, command)

        server.answer = second_time
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, ack_s=0.05, ack_tries=100))) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            assert asked[0]["topics"] == asked[1]["topics"]
            assert sink.losses == []


async def test_a_socket_that_answers_no_command_is_given_up_after_three():
    async with toy_server() as server:

        async def silent(peer: Peer, command: dict) -> None:
            """Read, and never answer."""

        server.answer = silent
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, ack_s=0.05))) as pool:
            pool.apply(PAIRS)
            await sink.until(lambda: sink.losses)
            assert sink.losses[0][2].startswith("3 commands for ")
            await server.until(lambda: len(server.peers[0].ops("subscribe")) == 3)


async def test_data_before_the_answer_proves_the_subscription():
    async with toy_server() as server:

        async def data_only(peer: Peer, command: dict) -> None:
            for name in command["topics"]:
                if name.startswith("book."):
                    await peer.send(book=name.rpartition(".")[2], seq=1, snapshot=True)
                else:
                    await peer.send(trade=name.rpartition(".")[2], id="1")

        server.answer = data_only
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            pool.resubscribe(key("AAA"))  # what is not known to be subscribed would wait for its answer
            await server.until(lambda: server.peers[0].ops("unsubscribe"))
            assert len(server.peers[0].ops("subscribe")) == 1
            assert sink.losses == []


async def test_a_book_that_is_acknowledged_and_silent_is_renewed_once_and_then_reported():
    async with toy_server() as server:

        async def mute_a(peer: Peer, command: dict) -> None:
            if command["op"] == "subscribe":
                await peer.send(ok=True, id=command["id"])
                if "book.20.BBB" in command["topics"]:
                    await peer.send(book="BBB", seq=1, snapshot=True)
            else:
                await obey(peer, command)

        server.answer = mute_a
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, first_data_s=1.0))) as pool:
            pool.apply(PAIRS)
            await sink.until(lambda: sink.waits)
            assert sink.waits == [(key("AAA"), "subscribed twice, and no data came")]
            assert server.peers[0].ops("unsubscribe") == [["book.20.AAA"]]
            assert server.peers[0].ops("subscribe")[1:] == [["book.20.AAA"]]
            await server.peers[0].send(book="AAA", seq=9, snapshot=True)
            await sink.until(lambda: sink.seqs("AAA") == [9])
            assert sink.story[-2:] == ["asked", "AAA"]
            assert (sink.losses, set(pool.current())) == ([], {key("AAA"), key("BBB")})


async def stream(server: ToyServer, seq: int) -> None:
    """The exchange sends the same event to every socket that is subscribed."""
    for peer in server.open_peers:
        if "book.20.AAA" in peer.topics:
            await peer.send(book="AAA", seq=seq)
            await peer.send(trade="AAA", id=f"t{seq}")
            await peer.send(book="BBB", seq=seq)


@pytest.mark.parametrize("announced", [True, False])
async def test_a_socket_that_will_end_is_replaced_without_a_hole_or_a_repeat(announced):
    async with toy_server() as server:

        async def current_snapshot(peer: Peer, command: dict) -> None:
            if command["op"] != "subscribe":
                await obey(peer, command)
                return
            peer.carry(command)
            await peer.send(ok=True, id=command["id"])
            for symbol in ("AAA", "BBB"):
                await peer.send(book=symbol, seq=last[0], snapshot=True)

        last = [1]
        server.answer = current_snapshot
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, connection_age_s=None if announced else 0.3))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            driver.rules = LIMITS  # the next one does not age
            old = server.peers[0]
            if announced:
                await old.send(op="closing")
            while old.open:
                last[0] += 1
                await stream(server, last[0])
                await server.pause()
            await stream(server, last[0] + 1)
            expected = list(range(1, last[0] + 2))
            await sink.until(lambda: sink.seqs("BBB")[-1] == expected[-1])
            assert sink.seqs("AAA") == sink.seqs("BBB") == expected
            assert sink.trades("AAA") == [f"t{seq}" for seq in expected[1:]]
            assert (sink.losses, len(sink.opened_links)) == ([], 1)
            assert len(sink.asked_topics) == len(sink.acknowledged_topics) == 4
            assert old.socket.close_code == 1000


async def test_while_no_successor_is_to_be_had_the_old_socket_stays_in_service():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, handover_s=0.2))) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            server.full = HTTPStatus.SERVICE_UNAVAILABLE
            await server.peers[0].send(op="closing")
            await server.until(lambda: len(server.turned_away) >= 3)
            await server.peers[0].send(book="AAA", seq=2)
            await sink.until(lambda: sink.seqs("AAA") == [1, 2])
            server.full = None
            await server.until(lambda: len(server.peers) == 2)
            await server.until(lambda: len(server.open_peers) == 1)
            assert (sink.losses, server.peers[1].open) == ([], True)


async def test_a_successor_that_has_nothing_in_common_takes_over_with_a_snapshot_in_the_end():
    async with toy_server() as server:

        async def far_ahead(peer: Peer, command: dict) -> None:
            await obey(peer, command)
            if peer is not server.peers[0]:
                await peer.send(book="AAA", seq=1001)

        server.answer = far_ahead
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, handover_s=0.2))) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].send(op="closing")
            await server.until(lambda: len(server.peers) == 2 and not server.peers[0].open)
            await server.peers[1].send(book="AAA", seq=1002)
            await sink.until(lambda: sink.seqs("AAA")[-1] == 1002)
            assert sink.seqs("AAA") == [1, 1, 1001, 1002]
            assert sink.losses == []


async def test_a_successor_that_is_lost_takes_the_whole_line_with_it():
    async with toy_server() as server:

        async def no_second(peer: Peer, command: dict) -> None:
            if peer is server.peers[0] or len(server.peers) > 2:
                await obey(peer, command)
            else:
                await peer.hang_up()

        server.answer = no_second
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].send(op="closing")
            await sink.until(lambda: len(sink.opened_links) == 2 and len(sink.seqs("AAA")) == 2)
            assert len(sink.losses) == 1
            await server.until(lambda: len(server.open_peers) == 1)


async def test_an_old_socket_that_dies_before_its_successor_is_ready_ends_both():
    async with toy_server() as server:

        async def second_is_silent(peer: Peer, command: dict) -> None:
            if [peer] != server.peers[1:2]:
                await obey(peer, command)

        server.answer = second_is_silent
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].send(op="closing")
            await server.until(lambda: len(server.peers) == 2)
            await server.peers[0].hang_up()
            await sink.until(lambda: len(sink.opened_links) == 2)
            await server.until(lambda: len(server.open_peers) == 1)
            assert len(sink.losses) == 1


async def test_wishes_that_change_while_a_socket_is_replaced_reach_both():
    async with toy_server() as server:

        async def second_is_mute(peer: Peer, command: dict) -> None:
            if peer is server.peers[0]:
                await obey(peer, command)
            else:
                peer.carry(command)
                await peer.send(ok=True, id=command["id"])

        server.answer = second_is_mute
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(PAIRS)
            await both_live(sink)
            await server.peers[0].send(op="closing")
            await server.until(lambda: len(server.peers) == 2 and "book.20.AAA" in server.peers[1].topics)
            pool.apply(Diff(add=[subscription("CCC")], remove=[key("BBB")]))
            for peer in server.peers[:2]:
                await server.until(lambda: {"book.20.CCC", "book.20.BBB"} & peer.topics == {"book.20.CCC"})  # noqa: B023
