"""The browser's socket from end to end: a real server, a real Redis, a real client."""

import asyncio
import time
from datetime import timedelta

import pytest
import redis.asyncio
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from msgspec import json
from uvicorn.protocols.utils import ClientDisconnected
from websockets.exceptions import InvalidStatus

from apps.feeds.bus import codec
from apps.feeds.market import BookKey, MarketType
from apps.feeds.tests.listings import list_pairs
from apps.feeds.tests.published import ladder
from apps.feeds.tests.waiting import until
from apps.monitoring.services import enable_pairs
from apps.users.models import User
from apps.users.services import SYSTEM
from apps.users.tests.people import person
from ctweb.live.consumer import LiveConsumer
from ctweb.live.protocol import Close
from ctweb.live.session import Session as TabSession
from ctweb.tests.bus import book_status, daemon_status, fresh, message, prints
from ctweb.tests.live_server import LiveServer

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

BTC = "binance:spot:BTC/USDT"


@pytest.fixture
def viewer(db) -> User:
    list_pairs()
    return person("viewer")


@pytest.fixture
async def server(redis_url):
    async with LiveServer(redis_url).running() as running:
        yield running


@pytest.fixture
async def bus(redis_url):
    async with redis.asyncio.from_url(redis_url) as client:
        yield client


async def publish(bus, source, **changes):
    raw = message(source, published_ns=time.time_ns(), **changes)
    await bus.set(codec.book_name(source.key), raw)
    await bus.publish(codec.book_name(source.key), raw)


def moved(best_bid: float, version: int):
    source = fresh(version=version)
    source.builder.book = ladder(best_bid)
    return source


async def test_a_book_comes_from_its_key_and_then_from_its_channel(server, viewer, bus):
    await publish(bus, moved(100.0, 1))
    async with server.browser(viewer) as tab:
        welcome = await tab.hello()
        assert (welcome["user"], welcome["max_books"], welcome["tick_ms"]) == ("viewer", 64, 100)
        answer = await tab.sub(7, "book", key=BTC, depth=20)
        assert (answer["ok"], answer["tick"], answer["lot"], answer["limit_ms"]) == (True, "0.01", "0.00001", 5000)
        first = await tab.until(7, lambda one: "b" in one and one["b"])
        assert (first["s"], first["b"][0], len(first["b"])) == ("LIVE", ["100.00", "1.00000"], 20)
        began = time.monotonic()
        await publish(bus, moved(101.0, 2))
        second = await tab.until(7, lambda one: "b" in one)
        assert second["b"][0][0] == "101.00"
        assert 0 <= second["age"] <= (time.monotonic() - began) * 1000 + 1


async def test_a_message_lost_on_the_way_is_found_in_the_key(server, viewer, bus):
    async with server.browser(viewer) as tab:
        await tab.hello()
        await tab.sub(7, "book", key=BTC)
        await tab.until(7, lambda one: one["s"] == "DOWN")
        await bus.set(codec.book_name(BTC), message(moved(102.0, 3), published_ns=time.time_ns()))
        assert (await tab.until(7, lambda one: one.get("b")))["b"][0][0] == "102.00"


async def test_a_book_whose_key_expires_is_down_without_levels(server, viewer, bus):
    await publish(bus, moved(100.0, 1))
    async with server.browser(viewer) as tab:
        await tab.hello()
        await tab.sub(7, "book", key=BTC)
        await tab.until(7, lambda one: one["s"] == "LIVE")
        await bus.delete(codec.book_name(BTC))
        down = await tab.until(7, lambda one: one["s"] == "DOWN")
        assert (down["b"], down["a"], down["why"]) == ([], [], "no daemon publishes this book")


async def test_many_tabs_cost_one_encoding(server, viewer, bus):
    await publish(bus, moved(100.0, 1))
    async with asyncio.TaskGroup() as tabs:
        ready = asyncio.Barrier(8)
        for _ in range(8):
            tabs.create_task(watch_one_change(server, viewer, bus, ready))
    await until(lambda: not server.hub._books)  # nobody looks any more


async def watch_one_change(server, viewer, bus, ready):
    async with server.browser(viewer) as tab:
        await tab.hello()
        await tab.sub(1, "book", key=BTC)
        await tab.until(1, lambda one: one.get("b"))
        feed = server.hub._books[codec.book_name(BTC)]
        if await ready.wait() == 0:
            await publish(bus, moved(200.0, 2))
        await tab.until(1, lambda one: one.get("b") and one["b"][0][0] == "200.00")
        assert feed.encodes <= 3  # before the first message, the first, the second
        await ready.wait()


async def test_trades_best_prices_and_the_fleet_are_topics_too(server, viewer, bus):
    await sync_to_async(enable_pairs)(
        keys=[BookKey("binance", MarketType.SPOT, "BTC/USDT")], enabled=True, actor=SYSTEM
    )
    await publish(bus, moved(100.0, 1))
    await bus.set(codec.trades_name(BTC), prints("t1"))
    status = daemon_status(book_status(BTC), now_ms=time.time_ns() // 1_000_000)
    await bus.set(codec.daemon_name("d1"), json.encode(status))
    async with server.browser(viewer) as tab:
        await tab.hello()
        for id, (topic, key) in enumerate(
            [("trades", BTC), ("best", BTC), ("fleet", ""), ("fleet", BTC), ("daemons", "")]
        ):
            assert (await tab.sub(id, topic, key=key))["ok"]
        heard = {}
        while len(heard) < 5 or not heard[0]["t"]:
            frame = await tab.hear("f")
            await tab.say(op="ack", n=frame["n"])
            for one in frame["m"]:
                if one["id"] not in heard or (
                    one["id"] == 0 and not heard[0]["t"]
                ):  # what changed later is another story
                    heard[one["id"]] = one
    assert heard[0]["t"] == [["t1", "buy", "100.25", "0.50000", 1_700_000_000_000]]
    assert heard[1]["b"] == [["100.00", "1.00000"]]
    assert (heard[2]["full"], [row[:2] for row in heard[2]["rows"]]) == (True, [[BTC, "LIVE"]])
    assert [row[0] for row in heard[3]["rows"]] == [BTC]
    assert [one["id"] for one in heard[4]["daemons"]] == ["d1"]
    assert heard[4]["stores"] == {"database": 1.0, "redis": None}


async def test_a_tab_that_does_not_ack_gets_two_frames_and_then_the_newest(server, viewer, bus, monkeypatch):
    monkeypatch.setattr("ctweb.live.protocol.SLOW_AFTER_S", 60.0)  # a machine may need more than five for all this
    async with server.browser(viewer) as tab:
        await tab.hello()
        await tab.sub(7, "book", key=BTC)
        seen = []
        for version in range(1, 8):
            await publish(bus, moved(100.0 + version, version))
            feed = server.hub._books[codec.book_name(BTC)]
            await until(lambda feed=feed, version=version: feed.value and feed.value.version == version)
            await server.hub.ticked()
            await server.hub.ticked()
        await tab.say(op="ack", n=2)
        while not seen or seen[-1]["n"] < 3:
            seen.append(await tab.hear("f"))
        assert [frame["n"] for frame in seen] == [1, 2, 3]
        assert seen[2]["m"][0]["b"][0][0] == "107.00"
        assert seen[2]["conflated"] > 0


async def test_a_paused_tab_gets_no_books_until_it_resumes(server, viewer, bus):
    await publish(bus, moved(100.0, 1))
    async with server.browser(viewer) as tab:
        await tab.hello()
        await tab.sub(7, "book", key=BTC)
        await tab.until(7, lambda one: one.get("b"))
        await tab.say(op="pause")
        await tab.say(op="ping")
        await tab.hear("pong")
        await publish(bus, moved(101.0, 2))
        heartbeat = await tab.hear("f")
        assert heartbeat["m"] == []
        await tab.say(op="ack", n=heartbeat["n"])
        await tab.say(op="resume")
        assert (await tab.until(7, lambda one: "b" in one))["b"][0][0] == "101.00"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"topic": "book", "key": "binance:spot:NO/SUCH"}, "unknown_key"),
        ({"topic": "book", "key": "nonsense"}, "unknown_key"),
        ({"topic": "trades", "key": ""}, "unknown_key"),
        ({"topic": "orders"}, "unknown_topic"),
    ],
)
async def test_a_refused_subscription_says_why_and_the_socket_lives(server, viewer, fields, code):
    async with server.browser(viewer) as tab:
        await tab.hello()
        answer = await tab.sub(7, **fields)
        assert (answer["id"], answer["ok"], answer["code"]) == (7, False, code)
        assert answer["why"]
        assert (await tab.sub(8, "daemons"))["ok"]


async def test_the_65th_book_is_refused(server, viewer):
    async with server.browser(viewer) as tab:
        await tab.hello()
        answers = [await tab.sub(id, "book", key=BTC, depth=5) for id in range(65)]
        assert [answer["ok"] for answer in answers] == [True] * 64 + [False]
        assert answers[-1]["code"] == "too_many"


@pytest.mark.parametrize("text", ["{", '{"op":"nonsense"}', '{"op":"pause"}', '{"op":"hello","v":2}', "x" * 20_000])
async def test_a_bad_message_closes_with_its_code(server, viewer, text):
    async with server.browser(viewer) as tab:
        await tab.socket.send(text)
        assert await tab.closed() == Close.BAD_MESSAGE


async def test_more_than_100_messages_a_second_close_the_socket(server, viewer):
    async with server.browser(viewer) as tab:
        await tab.hello()
        for _ in range(250):
            await tab.say(op="ping")
        assert await tab.closed() == Close.TOO_MANY


async def test_nobody_and_somebody_without_a_role_are_told_why_they_are_sent_away(server, db):
    nobody = await sync_to_async(person)(None)
    async with server.browser(None) as tab:
        assert await tab.closed() == Close.SIGNED_OUT
    async with server.browser(nobody) as tab:
        assert await tab.closed() == Close.ROLE


async def test_a_page_of_another_host_cannot_open_a_socket(server, viewer):
    with pytest.raises(InvalidStatus, match="403"):
        async with server.browser(viewer, origin="https://evil.example"):
            pass


async def test_whoever_signs_out_loses_the_socket(server, viewer, monkeypatch):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    async with server.browser(viewer) as tab:
        await tab.hello()
        await sync_to_async(_sign_out_everywhere)()
        assert await tab.closed() == Close.SIGNED_OUT


def _sign_out_everywhere() -> None:
    Session.objects.all().delete()


async def test_while_the_database_is_away_nobody_is_sent_off(server, viewer, monkeypatch, caplog):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    async with server.browser(viewer) as tab:
        await tab.hello()
        await sync_to_async(move_sessions)(Session._meta.db_table, "away")
        try:
            await until(lambda: "nobody knows who sits behind a live socket" in caplog.text)
        finally:
            await sync_to_async(move_sessions)("away", Session._meta.db_table)
        await tab.say(op="ping")
        await tab.hear("pong")
        await sync_to_async(_sign_out_everywhere)()
        assert await tab.closed() == Close.SIGNED_OUT


def move_sessions(name: str, to: str) -> None:
    """The sessions cannot be read where they are looked for."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {to}")


async def test_a_fault_of_ours_closes_the_socket_and_is_counted(server, viewer, monkeypatch, caplog):
    monkeypatch.setattr(TabSession, "frame", lambda *_: 1 / 0)
    async with server.browser(viewer) as tab:
        await tab.hello()
        assert await tab.closed() == 1011
    assert server.hub.failures == {"socket": 1}
    assert "ZeroDivisionError" in caplog.text


async def test_a_page_that_only_listens_keeps_its_session_from_growing_idle(server, viewer, monkeypatch):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    async with server.browser(viewer) as tab:
        await tab.hello()
        await sync_to_async(age)(noted_s=29 * 60)
        await listened_until(tab, lambda: left_s() > 29 * 60)


async def test_a_hidden_page_does_not_keep_its_session(server, viewer, monkeypatch):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    async with server.browser(viewer) as tab:
        await tab.hello()
        await tab.say(op="pause")
        await tab.say(op="ping")
        await tab.hear("pong")
        await sync_to_async(age)(noted_s=29 * 60, left_s=0.5)
        assert await tab.closed() == Close.SIGNED_OUT


async def test_a_page_that_listens_for_half_a_day_is_signed_out(server, viewer, monkeypatch):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    async with server.browser(viewer) as tab:
        await tab.hello()
        await sync_to_async(age)(noted_s=60, began_s=12 * 3600 + 1)
        assert await tab.closed() == Close.SIGNED_OUT


def age(*, noted_s: float, left_s: float = 60, began_s: float = 3600) -> None:
    """As if the only session had begun and been used so long ago."""
    row = Session.objects.get()
    data = {**row.get_decoded(), "noted": time.time() - noted_s, "began": time.time() - began_s}
    row.session_data = Session.get_session_store_class()().encode(data)
    row.expire_date = timezone.now() + timedelta(seconds=left_s)
    row.save()


def left_s() -> float:
    return (Session.objects.get().expire_date - timezone.now()).total_seconds()


async def listened_until(tab, condition) -> None:
    """The tab does nothing but acknowledge."""
    async with asyncio.timeout(30):
        while not await sync_to_async(condition)():
            await tab.say(op="ack", n=(await tab.hear("f"))["n"])


async def test_a_tab_that_is_closed_under_a_frame_is_no_failure(server, viewer, monkeypatch, caplog):
    asked = asyncio.Event()

    async def closed(consumer: LiveConsumer, text_data: str) -> None:
        asked.set()
        raise ClientDisconnected

    async with server.browser(viewer) as tab:
        await tab.hello()
        monkeypatch.setattr(LiveConsumer, "send", closed)
        async with asyncio.timeout(30):
            await asked.wait()
    await until(lambda: not server.hub._members)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("error", [ClientDisconnected(), RuntimeError("after sending 'websocket.close'")], ids=repr)
async def test_a_tab_that_is_closed_under_an_answer_is_taken_off_as_any_other(
    server, viewer, monkeypatch, caplog, error
):
    asked = asyncio.Event()

    async def closed(consumer: LiveConsumer, text_data: str) -> None:
        asked.set()
        raise error

    monkeypatch.setattr(LiveConsumer, "send", closed)
    async with server.browser(viewer) as tab:
        await tab.say(op="hello", v=1)
        async with asyncio.timeout(30):
            await asked.wait()
    await until(lambda: not server.hub._members)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
