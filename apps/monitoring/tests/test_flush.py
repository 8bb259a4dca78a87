"""One segment, sent in every way it may be sent: stored once or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from msgspec.structs import replace

from apps.monitoring.clickhouse import AwayError, connect, prepare
from apps.monitoring.flush import Quarantined, TablesGoneError, _settings, send, stored
from apps.monitoring.rows import COLUMNS, UPDATES
from apps.monitoring.tests.sealed import outgoing, seal


@pytest.fixture
def client(clickhouse_url):
    client = connect(clickhouse_url)
    prepare(client, 3650)
    yield client
    client.close()


def numbers(client) -> list[int]:
    return [row[0] for row in client.query("SELECT event_no FROM orderbook_updates ORDER BY event_no").result_rows]


def test_every_row_of_a_segment_arrives(client, tmp_path):
    send(client, outgoing(seal(tmp_path, rows=1000)))
    assert numbers(client) == list(range(1, 1001))


def test_a_large_segment_is_one_part(client, tmp_path):
    send(client, outgoing(seal(tmp_path, rows=60_000)))
    query = (
        "SELECT count() FROM system.parts WHERE database = currentDatabase() AND active AND table = 'orderbook_updates'"
    )
    assert client.query(query).result_rows == [(1,)]


@pytest.mark.parametrize("again", [False, True])
def test_a_segment_sent_twice_is_stored_once(client, tmp_path, again):
    batch = seal(tmp_path)
    send(client, outgoing(batch))
    send(client, outgoing(batch, again=again))
    assert len(numbers(client)) == 100


def test_segments_sent_many_times_by_many_threads_are_stored_once(client, tmp_path):
    batches = [seal(tmp_path, rows=50, first_no=1 + 50 * number) for number in range(15)]
    sends = [outgoing(batch, again=turn % 3 == 2) for turn in range(5) for batch in batches]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda segment: send(client, segment), sends))
    assert numbers(client) == list(range(1, 751))


def test_a_batch_is_known_by_its_rows_when_its_token_is_forgotten(client, tmp_path):
    batch = seal(tmp_path)
    send(client, outgoing(batch))
    client.command(f"ALTER TABLE {UPDATES} MODIFY SETTING non_replicated_deduplication_window = 0")
    send(client, outgoing(batch, again=True))
    assert len(numbers(client)) == 100


def test_the_token_is_bound_to_the_content(tmp_path):
    segment = outgoing(seal(tmp_path))
    assert segment.token == f"{segment.batch_id}:{segment.sha256[:16]}"
    assert replace(segment, sha256="0" * 64).token != segment.token


def test_clickhouse_is_told_the_token_and_stores_nothing_else_under_it(client, tmp_path):
    first, other = outgoing(seal(tmp_path, rows=100)), outgoing(seal(tmp_path, rows=50, first_no=101))
    send(client, first)
    client.raw_insert(UPDATES, COLUMNS[UPDATES], other.path.read_bytes(), fmt="RowBinary", settings=_settings(first))
    assert len(numbers(client)) == 100


def test_a_changed_segment_is_not_sent(client, tmp_path):
    batch = seal(tmp_path)
    data = bytearray(Path(batch.path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(batch.path).write_bytes(data)
    with pytest.raises(Quarantined, match="sha256"):
        send(client, outgoing(batch))
    assert numbers(client) == []


def test_a_cut_segment_is_not_sent(client, tmp_path):
    batch = seal(tmp_path)
    Path(batch.path).write_bytes(Path(batch.path).read_bytes()[:-1])
    with pytest.raises(Quarantined, match="sha256"):
        send(client, outgoing(batch))


def test_a_segment_that_is_gone_is_asked_for_by_name(client, tmp_path):
    batch = seal(tmp_path)
    Path(batch.path).unlink()
    with pytest.raises(Quarantined, match="is gone"):
        send(client, outgoing(batch))


def test_a_segment_that_is_gone_but_stored_is_done(client, tmp_path):
    batch = seal(tmp_path)
    send(client, outgoing(batch))
    Path(batch.path).unlink()
    send(client, outgoing(batch, again=True))
    assert stored(client, batch.batch_id) == 100


def test_a_batch_of_which_a_part_is_there_waits_for_a_person(client, tmp_path):
    batch = seal(tmp_path, rows=2)
    data = Path(batch.path).read_bytes()
    client.raw_insert(UPDATES, COLUMNS[UPDATES], data[: len(data) // 2], fmt="RowBinary")
    with pytest.raises(Quarantined, match="1 of 2 rows"):
        send(client, outgoing(batch, again=True))


def test_rows_that_were_lost_under_a_known_token_wait_for_a_person(client, tmp_path):
    batch = seal(tmp_path)
    send(client, outgoing(batch))
    client.command(f"ALTER TABLE {UPDATES} DELETE WHERE 1", settings={"mutations_sync": 1})
    with pytest.raises(Quarantined, match="does not have it"):
        send(client, outgoing(batch, again=True))


def test_missing_tables_are_told_from_a_refusal(client, tmp_path):
    batch = seal(tmp_path)
    client.command(f"DROP TABLE {UPDATES}")
    with pytest.raises(TablesGoneError):
        send(client, outgoing(batch))


def test_a_refusal_is_no_outage(client, tmp_path):
    batch = seal(tmp_path)
    client.command(f"ALTER TABLE {UPDATES} DROP COLUMN prev_seq")
    with pytest.raises(DatabaseError) as caught:
        send(client, outgoing(batch))
    assert not isinstance(caught.value, AwayError)
