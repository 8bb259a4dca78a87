"""The pool: which pair lies on which socket, and that one pair's change is no other pair's business."""

import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Rate
from apps.feeds.market import MarketType
from apps.feeds.subscriptions import Diff, Subscription
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
from apps.feeds.transport.link import LinkState
from apps.feeds.transport.pool import Pool

SYMBOLS = [f"S{number:02}" for number in range(60)]


def add(*symbols: str, depth: int = 20) -> Diff:
    return Diff(add=[subscription(symbol, depth) for symbol in symbols], remove=[])


def remove(*symbols: str) -> Diff:
    return Diff(add=[], remove=[key(symbol) for symbol in symbols])


def hold(pool: Pool, wanted: Subscription) -> bool:
    """Ask for it as the daemon does, again and again; whether it has its place."""
    pool.apply(Diff(add=[wanted], remove=[]))
    return wanted.key in pool.current()


async def test_a_pair_is_subscribed_with_its_book_and_its_trades():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA"))
            await sink.until(lambda: sink.seqs("AAA") == [1])
            await server.peers[0].send(trade="AAA", id="t1")
            await sink.until(lambda: sink.trades("AAA") == ["t1"])
            assert pool.current() == {key("AAA"): 20}
            assert sink.story == ["opened", "asked", "asked", "acknowledged", "acknowledged", "AAA", "AAA"]
            assert server.peers[0].commands[0]["topics"] == ["book.20.AAA", "trades.AAA"]


async def test_pairs_fill_a_socket_before_the_next_is_opened():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add(*SYMBOLS))
            await sink.until(lambda: all(sink.seqs(symbol) for symbol in SYMBOLS))
            assert [(link.id, link.pairs, link.state) for link in pool.links()] == [
                ("toy:spot:public:1", 40, LinkState.OPEN),
                ("toy:spot:public:2", 20, LinkState.OPEN),
            ]
            assert all(
                len(topics) <= LIMITS.topics_per_frame for peer in server.peers for topics in peer.ops("subscribe")
            )


async def test_the_exchange_may_allow_fewer_pairs_than_the_setting():
    async with toy_server() as server:
        driver = ToyDriver(rules=replace(LIMITS, pairs_per_connection=3))
        async with running(pool_on(server, Notes(), driver=driver)) as pool:
            pool.apply(add("A", "B", "C", "D"))
            assert [link.pairs for link in pool.links()] == [3, 1]


async def test_trades_that_need_sockets_of_their_own_cost_few_of_them():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(trades_apart=True))) as pool:
            pool.apply(add(*SYMBOLS))
            await sink.until(lambda: len(sink.acknowledged_topics) == 120)
            pairs = [(link.category, link.pairs) for link in pool.links()]
            assert pairs == [("public", 40), ("public", 20), ("market", 60)]


async def test_a_full_pool_says_which_limit_makes_a_pair_wait_until_there_is_room():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, pairs_per_connection=2, max_connections=1)) as pool:
            pool.apply(add("AAA", "BBB", "CCC"))
            await sink.until(lambda: sink.seqs("AAA") and sink.seqs("BBB"))
            reason = "no room: 0 of 1 connections are free, and those for toy spot public hold their 2 pairs"
            assert sink.waits == [(key("CCC"), reason)]
            assert set(pool.current()) == {key("AAA"), key("BBB")}
            pool.apply(Diff(add=[subscription("CCC")], remove=[key("AAA")]))
            await sink.until(lambda: sink.seqs("CCC"))


async def test_sockets_that_grew_thin_are_put_together_when_another_market_needs_one():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, pairs_per_connection=2, max_connections=2)) as pool:
            pool.apply(add("AAA", "BBB", "CCC", "DDD"))
            await sink.until(lambda: all(sink.seqs(symbol) for symbol in ("AAA", "BBB", "CCC", "DDD")))
            pool.apply(remove("AAA", "CCC"))
            dated = subscription("EEE")
            dated = replace(dated, instrument=replace(dated.instrument, market_type=MarketType.FUTURES))
            pool.apply(Diff(add=[dated], remove=[]))
            assert [name for name, _ in sink.waits] == [dated.key]
            await server.until(lambda: len(server.open_peers) == 1)
            await until(lambda: hold(pool, dated))
            await sink.until(lambda: sink.seqs("EEE") and sink.seqs("BBB") == [1, 1])
            assert [(link.id, link.pairs) for link in pool.links()] == [
                ("toy:spot:public:2", 2),
                ("toy:futures:public:1", 1),
            ]
            assert sink.seqs("DDD") == [1]


async def test_a_pair_that_needs_two_sockets_takes_none_when_only_one_is_free():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(trades_apart=True), max_connections=1)) as pool:
            pool.apply(add("AAA"))
            assert [name for name, _ in sink.waits] == [key("AAA")]
            assert pool.links() == []


async def test_an_exchange_without_a_driver_makes_its_pairs_wait():
    async with toy_server() as server:
        sink = Notes()
        pool = pool_on(server, sink)
        stranger = replace(subscription("AAA").instrument, exchange="nowhere")
        pool.apply(Diff(add=[replace(subscription("AAA"), instrument=stranger)], remove=[]))
        assert [reason for _, reason in sink.waits] == ["no driver for nowhere"]


async def test_adding_and_removing_a_pair_costs_the_others_no_message():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA", "BBB", "CCC"))
            await sink.until(lambda: all(sink.seqs(symbol) for symbol in ("AAA", "BBB", "CCC")))
            peer = server.peers[0]
            for seq in range(2, 60):
                await peer.send(book="AAA", seq=seq)
                await peer.send(book="CCC", seq=seq)
                if seq == 20:
                    pool.apply(remove("BBB"))
                    await server.until(lambda: peer.ops("unsubscribe"))
                if seq == 40:
                    pool.apply(add("DDD"))
                    await sink.until(lambda: sink.seqs("DDD"))
            await sink.until(lambda: sink.seqs("CCC")[-1] == 59)
            assert peer.ops("unsubscribe") == [["book.20.BBB", "trades.BBB"]]
            assert sink.seqs("AAA") == sink.seqs("CCC") == list(range(1, 60))
            assert len(server.peers) == 1


async def test_data_of_a_removed_pair_goes_nowhere():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA", "BBB"))
            await sink.until(lambda: sink.seqs("AAA") and sink.seqs("BBB"))
            pool.apply(remove("AAA"))
            await server.peers[0].send(book="AAA", seq=2)
            await server.peers[0].send(book="BBB", seq=2)
            await sink.until(lambda: sink.seqs("BBB") == [1, 2])
            assert sink.seqs("AAA") == [1]
            assert pool.links()[0].stray == 1


async def test_a_new_depth_takes_the_old_topic_off_the_wire_first():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA", depth=20))
            await sink.until(lambda: sink.seqs("AAA"))
            pool.apply(Diff(add=[subscription("AAA", 50)], remove=[key("AAA")]))
            await sink.until(lambda: len(sink.seqs("AAA")) == 2)
            assert [command["topics"][0] for command in server.peers[0].commands] == [
                "book.20.AAA",
                "book.20.AAA",
                "book.50.AAA",
            ]
            assert pool.current() == {key("AAA"): 50}
            assert len(server.peers) == 1


async def test_resubscribing_one_book_leaves_its_trades_and_all_other_pairs_alone():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA", "BBB"))
            await sink.until(lambda: sink.seqs("AAA") and sink.seqs("BBB"))
            pool.resubscribe(key("AAA"))
            await sink.until(lambda: sink.seqs("AAA") == [1, 1])
            assert [(command["op"], command["topics"]) for command in server.peers[0].commands[1:]] == [
                ("unsubscribe", ["book.20.AAA"]),
                ("subscribe", ["book.20.AAA"]),
            ]


async def test_a_socket_is_closed_when_its_last_pair_goes():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA"))
            await sink.until(lambda: sink.seqs("AAA"))
            link = pool.links()[0]
            pool.apply(remove("AAA"))
            await server.until(lambda: not server.open_peers)
            await sink.until(lambda: link.state is LinkState.CLOSED)
            assert pool.links() == []


async def test_a_stopped_pool_has_closed_all_its_sockets_politely():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, pairs_per_connection=1)) as pool:
            pool.apply(add("AAA", "BBB"))
            await sink.until(lambda: sink.seqs("AAA") and sink.seqs("BBB"))
        assert [link.state for link in pool.links()] == [LinkState.CLOSED] * 2
        assert [reason for _, _, reason, _ in sink.losses] == ["closed by us"] * 2
        await server.until(lambda: not server.open_peers)
        assert [peer.socket.close_code for peer in server.peers] == [1000, 1000]


async def test_pairs_given_before_the_start_are_held_from_the_start():
    async with toy_server() as server:
        sink = Notes()
        pool = pool_on(server, sink)
        pool.apply(add("AAA"))
        async with running(pool):
            await sink.until(lambda: sink.seqs("AAA"))


def refusing(*names: str, whole_frame: bool = False):
    """An answer that refuses some topics by name."""

    async def answer(peer: Peer, command: dict) -> None:
        bad = [name for name in command.get("topics", ()) if name in names]
        if command["op"] != "subscribe" or not bad:
            await obey(peer, command)
            return
        await peer.send(
            ok=False, id=command["id"], topics=bad[:1] if whole_frame else bad, code="60018", whole_frame=whole_frame
        )
        if not whole_frame:
            await obey(peer, {**command, "topics": [name for name in command["topics"] if name not in bad]})

    return answer


async def test_a_refused_book_takes_its_pair_out_for_a_while():
    async with toy_server() as server:
        server.answer = refusing("book.20.AAA")
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA", "BBB"))
            await sink.until(lambda: sink.refusals and sink.seqs("BBB"))
            assert [(topic.symbol, code) for topic, code in sink.refusals] == [("AAA", "60018")]
            assert set(pool.current()) == {key("BBB")}
            await server.until(lambda: "trades.AAA" not in server.peers[0].topics)
            asked = len(sink.asked_topics)
            pool.apply(add("AAA"))
            assert set(pool.current()) == {key("BBB")}
            assert len(sink.asked_topics) == asked


async def test_what_was_refused_is_asked_for_again_later():
    async with toy_server() as server:
        server.answer = refusing("book.20.AAA", "trades.BBB")
        sink = Notes()
        async with running(pool_on(server, sink, timing=replace(FAST, refused_s=0.05))) as pool:
            pool.apply(add("AAA", "BBB"))
            await sink.until(lambda: len(sink.refusals) >= 2)
            assert set(pool.current()) == {key("BBB")}
            server.answer = obey

            def back() -> bool:
                if key("AAA") not in pool.current():
                    pool.apply(add("AAA"))
                return bool(sink.seqs("AAA")) and "trades.BBB" in server.peers[0].topics

            await until(back)


async def test_refused_trades_are_asked_for_again_on_the_socket_of_their_book_though_it_is_full():
    async with toy_server() as server:
        server.answer = refusing("trades.AAA")
        sink = Notes()
        pool = pool_on(server, sink, timing=replace(FAST, refused_s=0.05), pairs_per_connection=1, max_connections=1)
        async with running(pool):
            pool.apply(add("AAA"))
            await sink.until(lambda: sink.refusals and sink.seqs("AAA"))
            server.answer = obey
            await server.until(lambda: server.peers[0].topics == {"book.20.AAA", "trades.AAA"})
            assert (len(server.peers), sink.seqs("AAA")) == (1, [1])


async def test_after_the_refusal_of_a_whole_frame_all_others_run():
    async with toy_server() as server:
        server.answer = refusing("book.20.CCC", "trades.EEE", whole_frame=True)
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, commands_in_flight=1))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            pool.apply(add("AAA", "BBB", "CCC", "DDD", "EEE"))
            await sink.until(lambda: all(sink.seqs(symbol) for symbol in ("AAA", "BBB", "DDD", "EEE")))
            await sink.until(lambda: len(sink.refusals) == 2)
            assert set(pool.current()) == {key(symbol) for symbol in ("AAA", "BBB", "DDD", "EEE")}
            await server.until(lambda: "trades.CCC" not in server.peers[0].topics)


@pytest.mark.parametrize("most", [1, 2])
async def test_so_many_commands_at_a_time_wait_for_their_answers(most: int):
    async with toy_server() as server:

        async def slow(peer: Peer, command: dict) -> None:
            held.append((peer, command))
            assert len(held) <= most

        held: list[tuple[Peer, dict]] = []
        server.answer = slow
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, commands_in_flight=most, topics_per_frame=2))
        async with running(pool_on(server, sink, driver=driver, timing=FAST)) as pool:
            pool.apply(add("AAA", "BBB", "CCC"))
            for answered in range(3):
                known = min(answered + most, 3)
                await server.until(lambda waiting=known - answered: len(held) >= waiting)
                assert len(server.peers[0].commands) == known
                await obey(*held.pop(0))
            await sink.until(lambda: all(sink.seqs(symbol) for symbol in ("AAA", "BBB", "CCC")))


async def keep(pace: Rate, seen: Callable[[], int], total: int, clock: StandingClock) -> None:
    """See that `seen` rises to `total` by the pace's count in each stretch of its time, and not a moment earlier."""
    for count in range(pace.count, total + 1, pace.count):
        await clock.settle()
        assert seen() == count
        clock.skip(0.99 * pace.per_s)
        await clock.settle()
        assert seen() == count
        clock.skip(0.2 * pace.per_s)


async def test_commands_keep_the_exchange_s_pace(monkeypatch: pytest.MonkeyPatch):
    pace = Rate(2, 10.0)
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, commands=pace, topics_per_frame=2))
        async with running(pool_on(server, sink, driver=driver)) as pool:
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            pool.apply(add("A", "B", "C", "D", "E", "F"))
            await keep(pace, lambda: sum(len(peer.commands) for peer in server.peers), 6, clock)
            clock.run()


async def test_new_sockets_keep_the_exchange_s_pace(monkeypatch: pytest.MonkeyPatch):
    pace = Rate(1, 10.0)
    async with toy_server() as server:
        sink = Notes()
        driver = ToyDriver(rules=replace(LIMITS, connects=pace))
        async with running(pool_on(server, sink, driver=driver, pairs_per_connection=1)) as pool:
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            pool.apply(add("A", "B", "C"))
            await keep(pace, lambda: len(server.peers), 3, clock)
            clock.run()


@pytest.mark.parametrize("apart", [False, True])
async def test_links_count_what_comes(apart):
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, driver=ToyDriver(trades_apart=apart))) as pool:
            pool.apply(add("AAA"))
            await sink.until(lambda: len(sink.acknowledged_topics) == 2 and sink.seqs("AAA"))
            frames = sum(link.frames for link in pool.links())
            assert frames == (3 if apart else 2)
            assert all(link.bytes > 0 and link.opened_ns > 0 for link in pool.links())
