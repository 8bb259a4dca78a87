"""No key of an exchange shows anywhere in a whole running system, whatever is done to it (reliability.md X8).

Twenty accounts of all exchanges get keys that nobody else has. Then the system works, fails and is looked at, and all
that it kept and said is searched for any part of them. Another secret is planted in every kind of place: it is found.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis

from apps.trading.publishing import channel
from bench.system import STARTER_SET
from tests.secrecy import deeds, stores
from tests.secrecy.canaries import RUNS, Find, Scanner, secret
from tests.secrecy.desk import Desk
from tests.secrecy.ears import PageEar, Person, RedisEar
from tests.secrecy.running import Run
from tests.secrecy.test_scanner import WRITTEN

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

PLANTED = secret("planted on purpose")
TEXTS = [write(PLANTED) for write in WRITTEN.values()]
PLACES = (
    *(f"redis {kind}" for kind in ("string", "list", "hash", "set", "zset", "stream", "rdb")),
    *("heard redis monitor", "heard http", "heard socket", "file log/planted", "temporary planted"),
    *("table planted.words", "table planted.bytes", "table audit.after"),
    *("clickhouse planted.words", "process cmdline"),
)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def test_no_key_shows_anywhere_whatever_is_done_to_the_system(tmp_path: Path, kind: str):
    run = Run(tmp_path, kind)
    with run.database, ExitStack() as opened:
        system = opened.enter_context(run.system)
        system.wait("the starter set", lambda: system.books().get("live") == STARTER_SET)
        run.database.execute("UPDATE MONITORING SET ENABLED = 0 WHERE TRADE_PAIR NOT LIKE 'BTC/%'")
        opened.enter_context(RedisEar(system.redis_url, run.heard / "redis monitor"))
        desk = Desk(system, Person(system.url, system.login, run.heard / "http"))
        topics = [("account", str(one.id)) for one in desk.accounts] + [("fleet", ""), ("daemons", "")]
        page = opened.enter_context(PageEar(system.url, system.login, topics, run.heard / "socket"))
        system.wait("the page listens", lambda: page.answered >= len(topics))
        desk.store_keys()
        deeds.refuse_keys(desk)
        system.wait("every account was looked at", desk.ready)
        deeds.trade(desk)
        deeds.break_down(run, desk)
        deeds.look_around(desk)
        deeds.rotate(run, desk)
        deeds.kill(run, desk)
        with planted(run, desk) as process:
            found = [*alive(run, process), *run.database.tables()]
    found += [*stores.files(run.data, "file"), *stores.files(run.temporary, "temporary")]
    found += [*stores.files(run.heard, "heard"), *run.database.files()]
    assert shown(found, secrets_of(desk)) == set()
    control = shown(found, [("planted", PLANTED)])
    for place in (*PLACES, run.database.place):
        assert {find.form for find in control if find.where.startswith(place)} == {*RUNS}, place


def secrets_of(desk: Desk) -> Iterator[tuple[str, str]]:
    for name, keys in [*((one.name, one.keys) for one in desk.accounts), *deeds.REFUSED.items()]:
        parts = {"key": keys.key, "secret": keys.secret, "passphrase": keys.passphrase}
        yield from ((f"{part} of {name}", text) for part, text in parts.items() if text)


def shown(found: list[tuple[str, bytes]], secrets: Iterable[tuple[str, str]]) -> set[Find]:
    scanner = Scanner(secrets)
    return {find for where, content in found for find in scanner.scan(content, where)}


@contextmanager
def planted(run: Run, desk: Desk) -> Iterator[Path]:
    """Put another secret, in each form, into each kind of place; a process that was told of it, in /proc."""
    one, text = desk.accounts[2], " ".join(TEXTS)
    for name in TEXTS:
        assert desk.person.ask("PATCH", f"/api/v1/accounts/{one.id}", {"name": name}).status == 200
    with redis.Redis.from_url(run.system.redis_url) as client:
        client.set("planted:string", text)
        client.rpush("planted:list", text)
        client.hset("planted:hash", "field", text)
        client.sadd("planted:set", text)
        client.zadd("planted:zset", {text: 1.0})
        client.xadd("planted:stream", {"field": text})

        def heard() -> bool:
            client.publish(channel(one.id), f'{{"type": "order", "text": "{text}"}}')
            return PLANTED.encode() in (run.heard / "socket").read_bytes()

        run.system.wait("the page hears it", heard)
    for place in (run.temporary / "planted", run.system.folder.log / "planted"):
        place.write_text(text)
    run.database.plant(text)
    stores.query(run.system, "CREATE TABLE planted (words String) ENGINE = MergeTree ORDER BY words")
    stores.query(run.system, f"INSERT INTO planted VALUES ('{text}')")
    process = subprocess.Popen([sys.executable, "-c", "input()", text], stdin=subprocess.PIPE)
    try:
        yield Path(f"/proc/{process.pid}")
    finally:
        process.communicate()


def alive(run: Run, process: Path) -> Iterator[tuple[str, bytes]]:
    """What only a running system can be asked for."""
    yield from stores.redis_keys(run.system.redis_url)
    yield from stores.redis_file(run.system.redis_url)
    yield from stores.history(run.system)
    yield from stores.processes([process, *(Path(f"/proc/{pid}") for pid in run.pids().values())])
