"""The embedded ClickHouse as a process: one per folder, quick to stop, and killed without loss."""

import json
import signal
import subprocess
import sys
import threading
from time import monotonic

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from apps.feeds.tests.waiting import timed
from tests.gateway import Gateway

TABLE = (
    "CREATE TABLE IF NOT EXISTS t (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY n"
    " SETTINGS non_replicated_deduplication_window = 10000"
)


@pytest.fixture
def gateway(tmp_path):
    with Gateway(tmp_path / "clickhouse") as running:
        yield running


def connect(gateway: Gateway) -> Client:
    return clickhouse_connect.get_client(
        port=gateway.port, autogenerate_session_id=False, query_retries=0, dedicated_pool=True
    )


def start_another(gateway: Gateway, path: object, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workers.embedded.clickhouse", "--path", str(path), "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def test_a_second_process_on_a_folder_ends_with_one_line(gateway):
    second = start_another(gateway, gateway.path, 0)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"clickhouse: another process has {gateway.path} open\n"


def test_a_port_in_use_ends_with_one_line(gateway, tmp_path):
    second = start_another(gateway, tmp_path / "other", gateway.port)
    assert second.returncode == 1
    assert second.stderr == f"clickhouse: cannot listen on 127.0.0.1:{gateway.port}: Address already in use\n"


def test_it_logs_in_lines_of_json(tmp_path):
    command = [sys.executable, "-m", "workers.embedded.clickhouse", "--path", str(tmp_path / "log"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = [json.loads(process.stderr.readline())]
        process.send_signal(signal.SIGTERM)
        lines += map(json.loads, process.stderr)
    assert process.returncode == 0
    assert [line["event"] for line in lines] == ["listening", "stopping", "stopped"]
    assert lines[0]["url"].startswith("http://127.0.0.1:")


def test_data_outlives_a_restart(gateway):
    client = connect(gateway)
    client.command(TABLE)
    client.command("INSERT INTO t VALUES (1, 1)")
    assert gateway.end(signal.SIGTERM) == 0
    gateway.start()
    assert client.command("SELECT count() FROM t") == 1
    client.close()


def test_sigterm_stops_a_busy_process_within_three_seconds(gateway):
    client = connect(gateway)
    failures: list[Exception] = []

    def ask() -> None:
        try:
            client.query(
                "SELECT sleep(3), sleep(3), sleep(3)", settings={"function_sleep_max_microseconds_per_block": 0}
            )
        except OperationalError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    other = connect(gateway)  # its own queries show that the first one had its chance to start
    other.close()
    with timed() as seconds:
        assert gateway.end(signal.SIGTERM) == 0
        assert seconds() < 3
    asking.join(180)
    client.close()
    assert len(failures) == 1


@pytest.mark.faults
def test_batches_sent_again_after_kills_are_there_exactly_once(gateway):
    rows, batches = 5000, 40
    client = connect(gateway)
    client.command(TABLE)
    killer_stop = threading.Event()

    def kill_now_and_then() -> None:
        while not killer_stop.wait(0.4):
            gateway.end(signal.SIGKILL)
            gateway.start()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        for batch in range(batches):
            data = b"".join(batch.to_bytes(4, "little") + n.to_bytes(4, "little") for n in range(rows))
            send_until_answered(client, data, f"batch {batch}")
    finally:
        killer_stop.set()
        killer.join()
    assert client.query("SELECT count(), uniqExact(batch, n) FROM t").result_rows == [(rows * batches,) * 2]
    client.close()


def send_until_answered(client: Client, data: bytes, token: str) -> None:
    deadline = monotonic() + 180
    while monotonic() < deadline:
        try:
            client.raw_insert("t", None, data, fmt="RowBinary", settings={"insert_deduplication_token": token})
        except OperationalError:
            continue
        return
    raise TimeoutError(token)
