"""Ledger, folder and ClickHouse brought to the same state, after whatever was away or killed in between."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from time import time

import pytest
from django.utils import timezone
from msgspec.structs import replace

from apps.feeds.market import BookKey, MarketType
from apps.monitoring import batches, clickhouse, flush, folders, history, tasks
from apps.monitoring.gaps import Gap
from apps.monitoring.models import BatchState, ChBatch, FeedGap
from apps.monitoring.rows import UPDATES, prefix, text, update_row
from apps.monitoring.spool import Spool
from apps.monitoring.tests.events import NOON_NS, STREAM, delta, instrument
from apps.monitoring.tests.sealed import seal
from ctweb.celery import app
from tests.gateway import Gateway

pytestmark = pytest.mark.django_db
KEY = BookKey("binance", MarketType.SPOT, "BTC/USDT")


@pytest.fixture(autouse=True)
def eager():
    """Tasks that are sent run at once, where they are sent."""
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager = app.conf.task_eager_propagates = False


@pytest.fixture
def spool(settings, tmp_path, clickhouse_url) -> Path:
    settings.CT_DATA_DIR = tmp_path
    settings.CT_HISTORY_DAYS = 3650
    settings.CLICKHOUSE_URL = clickhouse_url
    return tmp_path / "spool"


def stored() -> int:
    client = tasks._client()
    return int(client.query(f"SELECT count() FROM {UPDATES}").result_rows[0][0])


def ledger(batch_id: str) -> ChBatch:
    return ChBatch.objects.get(pk=batch_id)


def old(batch_id: str) -> None:
    """Let the ledger believe that a batch has waited for an hour."""
    ChBatch.objects.filter(pk=batch_id).update(sealed_at=timezone.now() - timedelta(hours=1))


def test_a_flushed_segment_is_done_and_out_of_the_way(spool):
    batch = seal(spool)
    batches.register(batch)
    tasks.flush_segment(batch.batch_id)
    row = ledger(batch.batch_id)
    assert (row.state, row.attempts, row.rows) == (BatchState.DONE, 0, 100)
    assert row.done_at is not None
    assert stored() == 100
    assert not Path(batch.path).exists()
    assert len(list(spool.glob(f"d1/done/*/{batch.batch_id}.seg"))) == 1


def test_flushing_again_and_again_changes_nothing(spool):
    batch = seal(spool)
    batches.register(batch)
    for _ in range(3):
        tasks.flush_segment(batch.batch_id)
    assert stored() == 100


def test_a_segment_that_nobody_knows_is_not_sent(spool):
    tasks.flush_segment("d1-orderbook_updates-20250301-unknown")
    assert stored() == 0


def test_the_scan_registers_and_flushes_what_it_finds(spool):
    batch = seal(spool)
    tasks.scan_spools()
    assert ledger(batch.batch_id).state == BatchState.DONE
    assert stored() == 100


def test_the_scan_puts_gaps_into_the_ledger_once(spool):
    gap = Gap(
        exchange="binance",
        market_type="spot",
        pair="BTC/USDT",
        stream=STREAM,
        epoch=7,
        from_ns=NOON_NS,
        to_ns=NOON_NS + 10**9,
        from_seq=5,
        to_seq=9,
        reason="the daemon was killed",
        daemon="d1",
    )
    folder = Spool(spool, "d1")
    folder.write_gaps([gap])
    folder.write_gaps([replace(gap, to_ns=NOON_NS + 2 * 10**9)])
    folder.close()
    tasks.scan_spool()
    (row,) = FeedGap.objects.all()
    assert (row.from_seq, row.to_seq, row.reason) == (5, 9, "the daemon was killed")
    assert row.to_ts - row.from_ts == timedelta(seconds=2)
    assert list(spool.glob("*/gaps-*")) == []


def test_what_a_vanished_daemon_left_open_is_sealed_and_sent(spool):
    folder = Spool(spool, "gone")
    batch_id = f"gone-{UPDATES}-20250301-1"
    head = text(batch_id) + prefix(instrument(), STREAM, 7)
    folder.append(batch_id, UPDATES, [head + update_row(delta(no), no) for no in (1, 2, 3)], NOON_NS)
    (part,) = (spool / "gone").glob("*.part")
    os.utime(part, (time() - 3600, time() - 3600))
    tasks.scan_spool()
    assert ChBatch.objects.count() == 0, "its daemon lives: it holds the folder"
    folder.close()
    tasks.scan_spool()
    old(batch_id)
    tasks.scan_spool()
    assert ledger(batch_id).state == BatchState.DONE
    assert stored() == 3


def test_an_outage_costs_no_attempts_and_no_rows(settings, tmp_path):
    settings.CT_DATA_DIR, settings.CT_HISTORY_DAYS = tmp_path, 3650
    gateway = Gateway(tmp_path / "clickhouse")
    with gateway:
        settings.CLICKHOUSE_URL = f"{gateway.url}/ct"
        batch = seal(tmp_path / "spool")
        batches.register(batch)
        assert stored() == 0
        gateway.end(signal.SIGKILL)
        for _ in range(batches.MOST_ATTEMPTS + 2):
            tasks.flush_segment(batch.batch_id)
            tasks.scan_spool()
        row = ledger(batch.batch_id)
        assert (row.state, row.attempts) == (BatchState.SEALED, 0)
        assert "Connection refused" in row.last_error
        gateway.start()
        old(batch.batch_id)
        tasks.scan_spool()
        assert ledger(batch.batch_id).state == BatchState.DONE
        assert stored() == 100


def test_tables_that_were_taken_away_are_made_again(spool):
    batch = seal(spool)
    batches.register(batch)
    tasks._client().command(f"DROP TABLE {UPDATES}")
    tasks.flush_segment(batch.batch_id)
    assert ledger(batch.batch_id).state == BatchState.SEALED
    tasks.flush_segment(batch.batch_id)
    assert ledger(batch.batch_id).state == BatchState.DONE


def test_refusals_are_counted_and_the_fifth_puts_the_segment_aside(spool):
    batch = seal(spool)
    batches.register(batch)
    tasks._client().command(f"ALTER TABLE {UPDATES} DROP COLUMN prev_seq")
    for _ in range(batches.MOST_ATTEMPTS + 1):
        tasks.flush_segment(batch.batch_id)
    row = ledger(batch.batch_id)
    assert (row.state, row.attempts) == (BatchState.QUARANTINE, batches.MOST_ATTEMPTS)
    assert Path(batch.path).exists()


def test_a_changed_file_is_put_aside_with_its_reason(spool):
    batch = seal(spool)
    batches.register(batch)
    Path(batch.path).write_bytes(b"x" * batch.bytes)
    tasks.flush_segment(batch.batch_id)
    row = ledger(batch.batch_id)
    assert row.state == BatchState.QUARANTINE
    assert "sha256" in row.last_error
    assert stored() == 0


@pytest.mark.parametrize("killed_before", ["register", "send", "done", "retire"])
def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(spool, monkeypatch, killed_before):
    class KilledError(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise KilledError

    place = {"register": batches, "send": flush, "done": batches, "retire": folders}[killed_before]
    batch = seal(spool)
    with monkeypatch.context() as patch:
        patch.setattr(place, killed_before, kill)
        with pytest.raises(KilledError):
            tasks.scan_spool()
    ChBatch.objects.update(first_sent_at=timezone.now() - timedelta(hours=1))
    for _ in range(2):
        tasks.scan_spool()
    assert ledger(batch.batch_id).state == BatchState.DONE
    assert not Path(batch.path).exists()
    assert stored() == 100


def test_the_audit_sends_again_what_clickhouse_lost_and_forgot(spool):
    batch = seal(spool)
    batches.register(batch)
    tasks.flush_segment(batch.batch_id)
    tasks._client().command(f"TRUNCATE TABLE {UPDATES}")
    tasks.audit_history()
    assert ledger(batch.batch_id).state == BatchState.SEALED
    tasks.flush_segment(batch.batch_id)
    assert ledger(batch.batch_id).state == BatchState.DONE
    assert stored() == 100


def test_the_audit_puts_aside_a_batch_of_which_a_part_is_lost(spool):
    batch = seal(spool)
    batches.register(batch)
    tasks.flush_segment(batch.batch_id)
    tasks._client().command(f"ALTER TABLE {UPDATES} DELETE WHERE event_no = 1", settings={"mutations_sync": 1})
    tasks.audit_history()
    assert ledger(batch.batch_id).last_error == "ClickHouse has 99 of 100 rows"
    assert ledger(batch.batch_id).state == BatchState.QUARANTINE


def test_done_segments_are_deleted_after_a_day(spool):
    batch = seal(spool)
    now = timezone.now()
    folders.retire(Path(batch.path), now)
    folders.clean(spool, now + timedelta(hours=23))
    kept = len(list(spool.glob("d1/done/*/*.seg")))
    folders.clean(spool, now + timedelta(hours=26))
    assert (kept, list(spool.glob("d1/done/*"))) == (1, [])


def test_the_history_of_a_pair_is_read_back(spool):
    batch = seal(spool, rows=10)
    batches.register(batch)
    tasks.flush_segment(batch.batch_id)
    since = timezone.datetime.fromtimestamp(NOON_NS / 1e9, tz=timezone.get_current_timezone())
    found = history.updates(KEY, since, since + timedelta(minutes=1), limit=4)
    assert [row["seq"] for row in found] == [1, 2, 3, 4]
    assert found[1]["bids"] == [(100.0, 2.0), (99.5, 0.0)]
    assert (found[1]["prev_seq"], found[1]["is_snapshot"]) == (1, False)
    assert history.trades(KEY, since, since + timedelta(minutes=1)) == []
    assert history.updates(BookKey("okx", MarketType.SPOT, "BTC/USDT"), since, since + timedelta(minutes=1)) == []


def test_a_day_is_complete_or_says_what_is_missing(spool):
    for first_no in (1, 14):  # 11, 12 and 13 are nowhere
        batch = seal(spool, rows=10, first_no=first_no)
        batches.register(batch)
        tasks.flush_segment(batch.batch_id)
    since = timezone.datetime.fromtimestamp(NOON_NS / 1e9, tz=timezone.get_current_timezone())
    until = since + timedelta(minutes=10)
    FeedGap.objects.create(
        exchange="binance",
        market_type="spot",
        pair="BTC/USDT",
        stream=STREAM,
        from_ts=since + timedelta(minutes=1),
        to_ts=since + timedelta(minutes=2),
        reason="test",
        daemon="d1",
    )
    (day,) = history.completeness(KEY, since, until)
    assert (day["updates"], day["snapshots"], day["trades"]) == (20, 0, 0)
    assert (day["gaps"], day["gap_s"], day["missing"]) == (1, 60.0, 3)


def test_an_answer_that_never_comes_is_an_outage(settings, unused_tcp_port):
    settings.CLICKHOUSE_URL = f"http://127.0.0.1:{unused_tcp_port}/ct"
    now = timezone.now()
    with pytest.raises(clickhouse.AwayError):
        history.updates(KEY, now, now)
