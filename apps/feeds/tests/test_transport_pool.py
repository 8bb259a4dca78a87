"""The pool against a server that does what the test says."""

import pytest

from apps.feeds.market import PublicTrade
from apps.feeds.subscriptions import Diff
from apps.feeds.tests.toy import Notes, ToyDriver, key, pool_on, running, subscription, toy_server


def add(*symbols: str, depth: int = 20) -> Diff:
    return Diff(add=[subscription(symbol, depth) for symbol in symbols], remove=[])


def remove(*symbols: str) -> Diff:
    return Diff(add=[], remove=[key(symbol) for symbol in symbols])


async def test_a_pair_is_subscribed_with_its_book_and_its_trades():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA"))
            await sink.until(lambda: sink.seqs("AAA") == [1])
            await server.peers[0].send(trade="AAA", id="t1")
            await sink.until(lambda: sink.trades("AAA"))
            assert pool.current() == {key("AAA"): 20}
            assert sink.story == ["opened", "asked", "asked", "acknowledged", "acknowledged", "AAA", "AAA"]
            assert server.peers[0].commands[0]["topics"] == ["book.20.AAA", "trades.AAA"]
            assert isinstance(sink.data[-1], PublicTrade)


async def test_a_full_pool_says_which_limit_makes_a_pair_wait():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink, pairs_per_connection=2, max_connections=1)) as pool:
            pool.apply(add("AAA", "BBB", "CCC"))
            await sink.until(lambda: sink.seqs("AAA") and sink.seqs("BBB"))
            assert sink.waits == [
                (key("CCC"), "no room: 0 of 1 connections are free, and those for toy spot public hold their 2 pairs")
            ]
            assert set(pool.current()) == {key("AAA"), key("BBB")}
            pool.apply(Diff(add=[subscription("CCC")], remove=[key("AAA")]))
            await sink.until(lambda: sink.seqs("CCC"))


async def test_removing_one_pair_costs_the_others_nothing():
    async with toy_server() as server:
        sink = Notes()
        async with running(pool_on(server, sink)) as pool:
            pool.apply(add("AAA", "BBB", "CCC"))
            await sink.until(lambda: all(sink.seqs(symbol) for symbol in ("AAA", "BBB", "CCC")))
            peer = server.peers[0]
            for seq in range(2, 50):
                await peer.send(book="AAA", seq=seq)
                await peer.send(book="CCC", seq=seq)
                if seq == 20:
                    pool.apply(remove("BBB"))
            await sink.until(lambda: sink.seqs("CCC")[-1] == 49)
            await server.until(lambda: peer.ops("unsubscribe"))
            assert peer.ops("unsubscribe") == [["book.20.BBB", "trades.BBB"]]
            assert sink.seqs("AAA") == sink.seqs("CCC") == list(range(1, 50))
            assert len(server.peers) == 1
