"""What strangers say on the browser's socket: refused or closed with its code, nothing of ours breaks."""

import asyncio
import os
import socket
from contextlib import suppress

import pytest
import redis.asyncio
from asgiref.sync import sync_to_async
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.tests.listings import list_pairs
from apps.feeds.tests.waiting import until
from apps.trading.models import Account
from apps.trading.publishing import channel
from apps.trading.tests import rows
from apps.users.models import User
from apps.users.tests.people import person
from ctweb.live.feeds import AccountFeed
from ctweb.live.protocol import MAX_SUBSCRIPTIONS, Close
from ctweb.live.session import Session
from ctweb.live.subs import AccountSubscription
from ctweb.tests.live_server import LiveServer, session_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FLOODS = 3 * int(os.environ.get("CT_FAULTS", "1"))
NO_MESSAGES = [
    *("", " ", "null", "1", '"hello"', "[]", "{}", '{"op":null}', '{"op":["sub"]}', '{"op":"hello"}', '{"op":"Sub"}'),
    *(
        '{"op":"hello","v":"1"}',
        '{"op":"hello","v":2}',
        '{"op":"hello","v":1e309}',
        '{"op":"hello","v":1}{}',
        "\u0661",
    ),
]
NO_OPS = [
    *('{"op":"hello","v":1}', '{"op":"sub"}', '{"op":"sub","id":1}', '{"op":"sub","id":null,"topic":"account"}'),
    *('{"op":"sub","id":1,"topic":1}', '{"op":"sub","id":1,"topic":"account","key":1}', '{"op":"unsub","id":"1"}'),
    *('{"op":"sub","id":1,"topic":"book","depth":10000000000}', '{"op":"sub","id":1e400,"topic":"account"}'),
    *('{"op":"ack","n":99}', '{"op":"ack","n":1.5}', '{"op":"sub","id":' + "9" * 400 + ',"topic":"account"}'),
    *("[" * 15_000, '{"op":"sub","id":1,"topic":"account","key":"' + "x" * 17_000 + '"}', "x" * 1_000_000),
]
NO_ACCOUNTS = [
    *(
        "{theirs}",
        " {mine}",
        "{mine} ",
        "0{mine}",
        "+{mine}",
        "-{mine}",
        "{mine}.0",
        "{mine},{theirs}",
        "*",
        "account:{mine}",
    ),
    *(
        "",
        "0",
        "-1",
        str(2**63),
        "9" * 300,
        "NaN",
        "null",
        "١",
        "' OR 1=1--",
        "../{theirs}",
        "<script>",
        "\x00",
        "{mine}\x00",
    ),
]


@pytest.fixture
def anna(db) -> User:
    list_pairs()
    return person("trader", "anna")


@pytest.fixture
def accounts(anna) -> dict[str, Account]:
    boris = person("trader", "boris")
    return {"mine": rows.account(owner=anna, name="hers"), "theirs": rows.account(owner=boris, name="his")}


@pytest.fixture
async def server(redis_url):
    async with LiveServer(redis_url).running() as running:
        yield running


async def alive(server: LiveServer, user: User) -> None:
    """Whoever behaves is served, and nothing failed."""
    async with server.browser(user) as tab:
        await tab.hello()
        assert (await tab.sub(1, "daemons"))["ok"]
    assert not server.hub.failures


@pytest.mark.parametrize("greeted", [False, True])
async def test_what_is_no_message_closes_the_socket_with_its_code(server, anna, greeted):
    for text in NO_OPS if greeted else NO_MESSAGES:
        async with server.browser(anna) as tab:
            if greeted:
                await tab.hello()
            with suppress(ConnectionClosed):  # of the largest, the rest is not waited for
                await tab.socket.send(text)
            assert await tab.closed() == Close.BAD_MESSAGE, text[:80]
    await alive(server, anna)


@pytest.mark.parametrize("content", [b'{"op":"hello","v":1}', b"", b"\xff\xfe", b"\x00" * 1000])
async def test_bytes_are_no_messages(server, anna, content):
    async with server.browser(anna) as tab:
        await tab.socket.send(content)
        assert await tab.closed() == Close.BAD_MESSAGE


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://", "x", ""]
)
async def test_a_page_of_another_place_opens_no_socket(server, anna, origin):
    headers = {"Cookie": f"sessionid={await session_of(anna)}", "Origin": origin}
    with pytest.raises(InvalidStatus, match="403"):
        async with connect(f"ws://127.0.0.1:{server.port}/ws/live/", additional_headers=headers):
            pass


@pytest.mark.parametrize(
    "cookie", ["", "sessionid=", "sessionid=x", "sessionid=" + "x" * 5000, "sessionid=' OR 1=1--", "=;;="]
)
async def test_without_a_session_nobody_is_let_in(server, anna, cookie):
    headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}", "Authorization": "Token x"}
    async with connect(f"ws://127.0.0.1:{server.port}/ws/live/?token=x", additional_headers=headers) as page:
        with pytest.raises(ConnectionClosed):
            await page.recv()
        assert page.close_code == Close.SIGNED_OUT


async def test_no_word_for_another_account_opens_its_channel(server, anna, accounts):
    numbers = {name: account.pk for name, account in accounts.items()}
    async with server.browser(anna) as tab:
        await tab.hello()
        for id, key in enumerate(NO_ACCOUNTS):
            answer = await tab.sub(id, "account", key=key.format(**numbers))
            assert (answer["ok"], answer["code"]) == (False, "unknown_key"), key
        for topic in ("orders", "Account", "account:*", "accounts", "", "x" * 5000, "__class__"):
            assert (await tab.sub(900, topic, key=str(numbers["theirs"])))["code"] == "unknown_topic", topic
        assert (await tab.sub(901, "account", key=str(numbers["mine"])))["ok"]
    assert {*server.hub._accounts} <= {channel(numbers["mine"])}


async def test_an_id_is_used_once_and_can_be_given_back_twice(server, anna, accounts):
    key = str(accounts["mine"].pk)
    async with server.browser(anna) as tab:
        await tab.hello()
        assert (await tab.sub(7, "account", key=key))["ok"]
        assert (await tab.sub(7, "account", key=key))["code"] == "id_in_use"
        for _ in range(2):
            await tab.say(op="unsub", id=7)
        await tab.say(op="unsub", id=2**53 - 1)
        assert (await tab.sub(7, "account", key=key))["ok"]


def test_a_socket_has_room_for_so_many_subscriptions():
    session, feed = Session(0.0), AccountFeed("account:1")
    for id in range(MAX_SUBSCRIPTIONS):
        assert session.room_for(book=False) is None
        session.add(AccountSubscription(id, feed, account_id=1))
    assert session.room_for(book=False) == f"at most {MAX_SUBSCRIPTIONS} subscriptions"
    session.close()
    assert feed.watchers == 0


async def test_a_flood_of_subscriptions_closes_the_socket_and_frees_what_it_held(server, anna, accounts):
    async with server.browser(anna) as tab:
        await tab.hello()
        with suppress(ConnectionClosed):
            for id in range(10_000):
                await tab.say(op="sub", id=id, topic="account", key=str(accounts["mine"].pk))
        assert await tab.closed() == Close.TOO_MANY
    await until(lambda: not server.hub._accounts and not server.hub._members)
    await alive(server, anna)


async def flood(server: LiveServer, user: User) -> int | None:
    """Say a thousand things without a pause; the code that closed the socket."""
    async with server.browser(user) as tab:
        await tab.hello()
        with suppress(ConnectionClosed):
            for _ in range(1000):
                await tab.say(op="ping")
        return await tab.closed()


async def test_a_thousand_messages_at_once_close_their_socket_and_hold_up_nobody_else(server, anna):
    """Well formed and small: that they are so many is all that is wrong with them."""
    answers = [await asyncio.gather(flood(server, anna), alive(server, anna)) for _ in range(FLOODS)]
    codes = {code for code, _ in answers}
    assert Close.TOO_MANY in codes
    assert codes <= {Close.TOO_MANY, Close.SLOW}  # a machine that stood still for seconds finds nothing acknowledged
    await until(lambda: not server.hub._members)
    await alive(server, anna)


async def test_many_who_come_and_go_at_once_leave_nothing_behind(server, anna, accounts):
    cookie = f"sessionid={await session_of(anna)}"

    async def come_and_go(number: int) -> None:
        where = f"ws://127.0.0.1:{server.port}/ws/live/"
        headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}"}
        async with connect(where, additional_headers=headers) as page:
            await page.send('{"op":"hello","v":1}')
            if number % 2:
                page.transport.abort()

    await asyncio.gather(*(come_and_go(number) for number in range(60)), return_exceptions=True)
    await until(lambda: not server.hub._members)
    await alive(server, anna)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /ws/live/ HTTP/1.1\r\n",
        b"GET /ws/live/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\xff" * 5000,
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_half_a_handshake_and_then_nothing_holds_up_nobody(server, anna, said):
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(said)
    writer.write_eof()
    await alive(server, anna)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_a_socket_that_is_closed_for_writing_only_is_let_go(server, anna):
    async with server.browser(anna) as tab:
        await tab.hello()
        tab.socket.transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
        await until(lambda: not server.hub._members)
    await alive(server, anna)


@pytest.mark.parametrize(
    "raw", ["x", "{}", '{"type":"order"}', "[1]", '{"type":"order","text":"' + "<script>" * 1000 + '"}']
)
async def test_whatever_stands_on_an_accounts_channel_breaks_no_socket(server, anna, accounts, redis_url, raw):
    name = channel(accounts["mine"].pk)
    async with server.browser(anna) as tab, redis.asyncio.from_url(redis_url) as bus:
        await tab.hello()
        assert (await tab.sub(7, "account", key=str(accounts["mine"].pk)))["ok"]
        async with asyncio.timeout(60):
            while not (await bus.pubsub_numsub(name))[0][1]:
                await bus.ping()
        await bus.publish(name, raw)
        await bus.publish(name, '{"type":"order","id":5}')
        heard = await tab.until(7, lambda one: one["e"] and one["e"][-1].get("id") == 5)
        assert all(isinstance(one, dict) for one in heard["e"])
    assert not server.hub.failures


async def test_who_is_no_longer_a_trader_or_is_switched_off_hears_nothing_more(server, anna, monkeypatch):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    async with server.browser(anna) as tab:
        await tab.hello()
        await sync_to_async(User.objects.filter(pk=anna.pk).update)(is_active=False)
        assert await tab.closed() == Close.SIGNED_OUT
