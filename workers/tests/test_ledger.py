import asyncio
import socket
from contextlib import suppress

import pytest
from django.db import OperationalError

from apps.feeds.tests.waiting import timed, until
from apps.monitoring.segments import SealedBatch
from workers import ledger as module
from workers.ledger import BROKER_QUIET_S, Ledger, Registrar


def batch(batch_id: str) -> SealedBatch:
    return SealedBatch(
        batch_id=batch_id,
        table="trades",
        daemon="d1",
        host="here",
        path=f"/spool/d1/{batch_id}.seg",
        day="20261120",
        rows=1,
        bytes=1,
        sha256="0" * 64,
        sealed_ns=1,
        spans=[],
    )


class Book:
    """What was registered; the first calls fail."""

    def __init__(self, failures: int = 0) -> None:
        self.names: list[str] = []
        self.failures = failures

    def register(self, batch: SealedBatch) -> None:
        if self.failures:
            self.failures -= 1
            raise OperationalError("server has gone away")
        self.names.append(batch.batch_id)


async def test_segments_are_registered_in_order_and_again_when_the_database_is_back(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    book = Book(failures=3)
    ledger = Ledger(register=book.register)
    running = asyncio.create_task(ledger.run())
    for name in ("a", "b", "c"):
        ledger.sealed(batch(name))
    await until(lambda: book.names == ["a", "b", "c"])
    running.cancel()
    await ledger.close()


async def test_what_is_sealed_while_the_process_stops_is_registered_on_the_way_out():
    book = Book()
    ledger = Ledger(register=book.register)
    ledger.sealed(batch("last"))
    await ledger.close()
    assert book.names == ["last"]


async def test_a_database_that_stays_away_does_not_hold_up_the_stop():
    ledger = Ledger(register=Book(failures=99).register)
    ledger.sealed(batch("a"))
    async with asyncio.timeout(60):
        await ledger.close()


@pytest.fixture
def stalled_broker(monkeypatch, settings):
    """A Redis that takes connections and says nothing."""
    from ctweb import celery_app

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(celery_app.conf, "broker_url", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        yield silent


def callers(server: socket.socket) -> int:
    """How many connected since this was asked last."""
    count = 0
    server.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_broker_that_stalls_holds_up_the_registration_for_seconds_and_only_once(stalled_broker, monkeypatch):
    noted, now = [], 100.0
    monkeypatch.setattr(module.batches, "register", noted.append)
    register = Registrar(clock=lambda: now)
    with timed() as seconds:
        register(batch("a"))
        assert seconds() < 2.5
    assert callers(stalled_broker) > 0
    now += BROKER_QUIET_S - 0.1
    register(batch("b"))
    assert callers(stalled_broker) == 0
    assert [one.batch_id for one in noted] == ["a", "b"]
