"""News of accounts on the browser's socket: in order, only to those who may see them."""

import asyncio

import pytest
import redis.asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from msgspec import json

from apps.feeds.tests.waiting import until
from apps.trading.models import Account
from apps.trading.publishing import channel
from apps.trading.tests import rows
from apps.users.models import User
from apps.users.tests.people import person
from ctweb.live.feeds import ACCOUNT_EVENTS, AccountFeed
from ctweb.live.subs import AccountSubscription
from ctweb.tests.live_server import LiveServer


def fed(count: int, feed: AccountFeed | None = None) -> AccountFeed:
    feed = feed or AccountFeed("account:7")
    for number in range(feed.version, feed.version + count):
        feed.offer(json.encode({"type": "order", "id": number}))
    return feed


def ids(message: bytes | None) -> list[int]:
    return [] if message is None else [one["id"] for one in json.decode(message)["e"]]


def test_what_happened_is_sent_once_and_in_order():
    feed = fed(2)
    one = AccountSubscription(3, feed, account_id=7)
    assert one.due(0) is None  # what happened before is in the database
    fed(3, feed)
    assert ids(one.due(0)) == [2, 3, 4]
    assert one.due(0) is None


def test_what_is_too_much_for_a_frame_is_counted():
    feed = AccountFeed("account:7")
    one = AccountSubscription(3, feed, account_id=7)
    fed(ACCOUNT_EVENTS + 5, feed)
    found = json.decode(one.due(0))
    assert (len(found["e"]), found["skipped"], one.conflated) == (ACCOUNT_EVENTS, 5, 5)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"a":1}{"b":2}'])
def test_what_is_no_message_is_counted_and_not_sent(raw):
    feed = AccountFeed("account:7")
    one = AccountSubscription(3, feed, account_id=7)
    feed.offer(raw)
    assert (feed.malformed, one.due(0)) == (1, None)


def test_that_there_is_no_key_of_the_name_is_no_news():
    feed = AccountFeed("account:7")
    feed.offer(None)
    assert (feed.version, feed.malformed) == (0, 0)


pytest_db = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def anna(db) -> User:
    return person("trader", "anna")


@pytest.fixture
def account(anna) -> Account:
    return rows.account(owner=anna)


@pytest.fixture
async def server(redis_url):
    async with LiveServer(redis_url).running() as running:
        yield running


@pytest.fixture
async def bus(redis_url):
    async with redis.asyncio.from_url(redis_url) as client:
        yield client


async def tell(bus, account: Account, **event) -> None:
    """Once somebody listens."""
    name = channel(account.pk)
    async with asyncio.timeout(60):
        while not (await bus.pubsub_numsub(name))[0][1]:
            await bus.ping()
    await bus.publish(name, json.encode(event))


@pytest_db
async def test_an_owner_hears_what_happens_on_his_account(server, anna, account, bus):
    async with server.browser(anna) as tab:
        await tab.hello()
        assert (await tab.sub(7, "account", key=str(account.pk)))["ok"]
        await tell(bus, account, type="order", id=5, status="OPEN")
        heard = await tab.until(7, lambda one: one["e"])
        assert heard["e"][0] == {"type": "order", "id": 5, "status": "OPEN"}
    await until(lambda: not server.hub._accounts)  # nobody looks any more


@pytest_db
@pytest.mark.parametrize("key", ["{theirs}", "999999", "", "x", "account:1", "0{theirs}"])
async def test_somebody_elses_account_is_not_there(server, account, key):
    boris = await sync_to_async(person)("trader", "boris")
    async with server.browser(boris) as tab:
        await tab.hello()
        answer = await tab.sub(7, "account", key=key.format(theirs=account.pk))
        assert (answer["ok"], answer["code"]) == (False, "unknown_key")


@pytest_db
async def test_an_account_that_may_no_longer_be_seen_is_no_longer_heard(server, account, bus, monkeypatch):
    monkeypatch.setattr("ctweb.live.consumer._RECHECK_USER_S", 0.1)
    olga = await sync_to_async(person)("admin", "olga")
    async with server.browser(olga) as tab:
        await tab.hello()
        assert (await tab.sub(7, "account", key=str(account.pk)))["ok"]
        await sync_to_async(demote)(olga)
        await until(lambda: not server.hub._accounts)


def demote(user: User) -> None:
    user.groups.set([Group.objects.get(name="trader")])
