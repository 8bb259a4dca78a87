"""The chain from recorder to ClickHouse while its processes are killed: every event once, or inside a gap."""

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest

from apps.monitoring import folders
from apps.monitoring.blocks import INDEX_BYTES
from apps.monitoring.clickhouse import AwayError, connect, shared
from apps.monitoring.flush import send
from apps.monitoring.gaps import Gap
from apps.monitoring.rows import COLUMNS
from apps.monitoring.spool import Spool
from apps.monitoring.tests.events import STREAM
from apps.monitoring.tests.sealed import outgoing
from tests.gateway import Gateway

pytestmark = pytest.mark.faults
LIVES = 4
LIFE_S = 1.0
APART = 1_000_000  # the exchange's numbers go on while we are dead


class Flusher:
    """Sends what lies in the folder until stopped, over any outage."""

    def __init__(self, spool: Path, url: str) -> None:
        self._spool, self._url = spool, url
        self._tried: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finish(self) -> None:
        """Send the rest and stop."""
        self._stop.set()
        self._thread.join(60)
        assert list(folders.sealed(self._spool)) == []

    def _run(self) -> None:
        while not self._stop.wait(0.05) or list(folders.sealed(self._spool)):
            for batch in folders.sealed(self._spool):
                again = batch.batch_id in self._tried
                self._tried.add(batch.batch_id)
                try:
                    send(shared(self._url, 3650), outgoing(batch, again=again))
                except AwayError:
                    break
                folders.retire(Path(batch.path), datetime.now(UTC))


@pytest.fixture
def gateway(tmp_path) -> Iterator[Gateway]:
    with Gateway(tmp_path / "clickhouse") as running:
        yield running


@contextmanager
def recording(spool: Path, epoch: int, *, rows_a_segment: int = 700) -> Iterator[subprocess.Popen]:
    """A daemon that records until it is ended; its first rows are whole on disk in every table."""
    arguments = [str(spool), str(epoch), str(epoch * APART), str(rows_a_segment)]
    command = [sys.executable, "-m", "apps.monitoring.tests.recording", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "recording\n"
        yield process


def live(spool: Path, epoch: int, end_with: signal.Signals) -> None:
    with recording(spool, epoch) as process:
        sleep(LIFE_S * random.random())  # the moment of the kill is what is being tried
        process.send_signal(end_with)


def wait_for_blocks(spool: Path, least: int) -> None:
    """Until the open segment of every table has so many blocks."""
    deadline = monotonic() + 60
    while min(index.stat().st_size for index in spool.glob("d1/*.idx")) < least * INDEX_BYTES:
        assert monotonic() < deadline, "the daemon records nothing"
        sleep(0.01)


def kill_gateway_often(gateway: Gateway, stop: threading.Event) -> None:
    while not stop.wait(0.3 + random.random() / 2):
        gateway.end(signal.SIGKILL)
        sleep(0.2)
        gateway.start()


def test_kills_of_daemon_and_database_lose_and_double_nothing(tmp_path, gateway):
    spool = tmp_path / "spool"
    url = f"{gateway.url}/ct"
    flusher = Flusher(spool, url)
    stop = threading.Event()
    killer = threading.Thread(target=kill_gateway_often, args=(gateway, stop))
    killer.start()
    try:
        for life in range(1, LIVES + 1):
            live(spool, life, signal.SIGTERM if life in (2, LIVES) else signal.SIGKILL)
    finally:
        stop.set()
        killer.join()
        flusher.finish()
    client = connect(url)
    assert list(spool.glob("*/*.part")) == []
    for table in COLUMNS:
        check_numbers(client, table)
    check_seqs(client, gaps=[gap for _, some in folders.gaps(spool) for gap in some])
    client.close()


def check_numbers(client, table: str) -> None:
    """Within a life every number from 1 to the last is there once."""
    rows = client.query(f"SELECT epoch, count(), uniqExact(event_no), max(event_no) FROM {table} GROUP BY epoch")
    for epoch, count, unique, last in rows.result_rows:
        assert (epoch, count) == (epoch, unique) == (epoch, last)
    assert len(rows.result_rows) == LIVES


def check_seqs(client, gaps: list[Gap]) -> None:
    """Each book's record is whole from its first event to its last, but for one gap between two lives."""
    query = "SELECT pair, epoch, min(seq), max(seq), count() FROM orderbook_updates GROUP BY pair, epoch ORDER BY epoch"
    found = client.query(query).result_rows
    assert all(count == last - first + 1 for _, _, first, last, count in found)
    assert Counter(pair for pair, *_ in found) == dict.fromkeys(["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"], LIVES)
    ends = {(pair, epoch): (first, last) for pair, epoch, first, last, _ in found}
    between = {
        (pair, epoch, ends[pair, epoch - 1][1], first) for (pair, epoch), (first, _) in ends.items() if epoch > 1
    }
    assert {(gap.pair, gap.epoch, gap.from_seq, gap.to_seq) for gap in gaps} == between
    assert len(gaps) == len(between)


def test_a_power_cut_costs_what_was_not_synced_and_says_so(tmp_path):
    spool = tmp_path / "spool"
    with recording(spool, 1, rows_a_segment=1_000_000) as process:
        wait_for_blocks(spool, 10)
        process.kill()
    for part in spool.glob("d1/*.part"):  # blocks that never reached the disk
        with part.open("r+b") as file:
            file.truncate(part.stat().st_size * 2 // 3)
    folder = Spool(spool, "d1")
    state, sealed = folder.recover()
    folder.close()
    assert sum(batch.rows for batch in sealed) > 0
    latest = max(batch.spans[0].last_no for batch in sealed if batch.table == "orderbook_updates")
    assert state.numbers["orderbook_updates"][STREAM] == (1, latest)
    assert not state.clean
