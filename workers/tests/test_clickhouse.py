"""The embedded ClickHouse, seen by the one client that everybody uses."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.compression import get_compressor
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from apps.feeds.tests.waiting import timed
from tests.gateway import Gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    """A client with an empty table `t` that remembers tokens."""
    client = clickhouse_connect.get_client(port=gateway.port, autogenerate_session_id=False, query_retries=0)
    client.command("DROP TABLE IF EXISTS t")
    client.command(
        "CREATE TABLE t (n UInt32, s String DEFAULT '') ENGINE = MergeTree ORDER BY n"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    yield client
    client.close()


@pytest.fixture
async def async_client(gateway: Gateway) -> AsyncIterator[AsyncClient]:
    client = await clickhouse_connect.get_async_client(port=gateway.port, autogenerate_session_id=False)
    yield client
    await client.close()


def count(client: Client) -> int:
    return int(client.query("SELECT count() FROM t").result_rows[0][0])


def packed(data: bytes, encoding: str | None) -> bytes:
    if encoding == "deflate":
        return zlib.compress(data)
    compressor = get_compressor(encoding)
    return bytes(compressor.compress_block(data)) + bytes(compressor.flush() or b"")


def test_rows_of_every_kind_come_back_as_they_were(client):
    client.command("DROP TABLE IF EXISTS kinds")
    client.command(
        "CREATE TABLE kinds (low LowCardinality(String), maybe Nullable(Int64), money Decimal(38, 18),"
        " levels Array(Tuple(Float64, Float64)), at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY low"
    )
    rows = [
        ("a", None, Decimal("12345678.123456789012345678"), [(1.5, 0.0), (2.25, 3.0)]),
        ("b", -1, Decimal("-0.000000000000000001"), []),
    ]
    client.insert("kinds", rows, column_names=["low", "maybe", "money", "levels"])
    assert client.query("SELECT low, maybe, money, levels FROM kinds ORDER BY low").result_rows == rows


@pytest.mark.parametrize("encoding", [None, "lz4", "zstd", "gzip", "deflate"])
def test_prepared_bytes_are_inserted_in_every_encoding(client, encoding):
    text = b"".join(b'{"n": %d, "s": "row %d"}\n' % (n, n) for n in range(5000))
    summary = client.raw_insert("t", ["n", "s"], packed(text, encoding), fmt="JSONEachRow", compression=encoding)
    assert summary.written_rows == 5000
    assert client.query("SELECT count(), sum(n), max(s) FROM t").result_rows == [(5000, 12497500, "row 999")]


@pytest.mark.parametrize("encoding", [False, "lz4", "zstd", "gzip", "deflate"])
def test_answers_are_read_in_every_encoding(gateway, encoding):
    client = clickhouse_connect.get_client(port=gateway.port, autogenerate_session_id=False, compress=encoding)
    rows = client.query("SELECT number, toString(number) FROM numbers(300000)").result_rows
    assert rows[-1] == (299999, "299999")
    assert len(rows) == 300000
    client.close()


def test_several_compressed_frames_are_one_body(client):
    frames = packed(b"\x01\x00\x00\x00\x00", "lz4") + packed(b"\x02\x00\x00\x00\x00", "lz4")
    client.raw_insert("t", ["n", "s"], frames, fmt="RowBinary", compression="lz4")
    assert client.query("SELECT n FROM t ORDER BY n").result_rows == [(1,), (2,)]


def test_binary_data_may_hold_anything_that_looks_like_sql(client):
    text = b"; DROP TABLE t FORMAT Native\n'"
    client.raw_insert("t", ["n", "s"], b"\x0a\x0d\x3b\x00" + bytes([len(text)]) + text, fmt="RowBinary")
    assert client.query("SELECT n, s FROM t").result_rows == [(0x003B0D0A, text.decode())]


def test_a_token_sent_twice_is_stored_once(client):
    for _ in range(3):
        client.raw_insert("t", ["n"], b"1\n2\n", fmt="CSV", settings={"insert_deduplication_token": "batch"})
    client.raw_insert("t", ["n"], b"1\n2\n", fmt="CSV", settings={"insert_deduplication_token": "another"})
    assert count(client) == 4


def test_a_bad_row_inserts_nothing_of_its_body(client):
    with pytest.raises(DatabaseError, match="CANNOT_READ_ALL_DATA") as caught:
        client.raw_insert("t", ["n"], b"\x01\x00\x00\x00\x02", fmt="RowBinary")
    assert caught.value.code == 33
    assert count(client) == 0


def test_values_and_selects_are_inserted_as_statements(client):
    client.command("INSERT INTO t (n, s) VALUES (1, 'FORMAT Native'), (2, ';')")
    client.command("INSERT INTO t (n) SELECT number FROM numbers(10, 5)")
    client.command("INSERT INTO t (n, s) FORMAT Values", data="(3, 'x')")
    assert count(client) == 8


def test_parameters_are_bound_and_never_read_as_sql(client):
    hostile = "x'); DROP TABLE t; --\\\n\t\"`{s:String}"
    answer = client.query(
        "SELECT {s:String}, {n:Array(UInt8)}, {none:Nullable(String)}",
        parameters={"s": hostile, "n": [1, 2], "none": None},
    )
    assert answer.result_rows == [(hostile, [1, 2], None)]
    assert count(client) == 0


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("SELECT nope", 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT 1 FROM nope", 60, "UNKNOWN_TABLE"),
        ("SELECT FROM WHERE", 62, "SYNTAX_ERROR"),
        ("SELECT 1 FROM nowhere.nope", 81, "UNKNOWN_DATABASE"),
        ("SELECT nope(1)", 46, "UNKNOWN_FUNCTION"),
        ("SELECT throwIf(1)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT 1; SELECT 2", 48, "NOT_IMPLEMENTED"),
    ],
)
def test_errors_carry_code_and_name(client, query, code, name):
    with pytest.raises(DatabaseError) as caught:
        client.query(query)
    assert (caught.value.code, caught.value.name) == (code, name)


def test_a_database_is_chosen_per_query(client, gateway):
    client.command("CREATE DATABASE IF NOT EXISTS other")
    other = clickhouse_connect.get_client(port=gateway.port, autogenerate_session_id=False, database="other")
    assert other.command("SELECT currentDatabase()") == "other"
    assert client.command("SELECT currentDatabase()") == "default"
    other.close()


def test_settings_hold_for_their_query_only(client):
    ask = "SELECT getSetting('max_block_size')"
    usual = client.command(ask)
    assert client.command(ask, settings={"max_block_size": 77}) == 77
    assert client.command(ask) == usual


def test_limits_can_be_lowered_but_not_raised(client):
    ask = "SELECT getSetting('max_memory_usage'), getSetting('max_execution_time')"
    assert client.command(ask, settings={"max_memory_usage": 0, "max_execution_time": 999}) == ["1073741824", "30"]
    assert client.command(ask, settings={"max_memory_usage": 5000000, "max_execution_time": 2}) == ["5000000", "2"]
    with pytest.raises(DatabaseError, match="MEMORY_LIMIT_EXCEEDED"):
        client.query("SELECT uniqExact(number) FROM numbers(3000000)", settings={"max_memory_usage": 5000000})


def test_an_unknown_setting_is_refused(gateway):
    client = clickhouse_connect.get_client(port=gateway.port, autogenerate_session_id=False)
    with pytest.raises(DatabaseError) as caught:
        client.query("SELECT 1", settings={"no_such_setting": "1"})
    assert caught.value.code == 115
    client.close()


def test_an_empty_result_keeps_its_columns(client):
    answer = client.query("WITH 5 AS five SELECT n, s AS text FROM t WHERE n = five -- none\n")
    assert answer.column_names == ("n", "text")
    assert [kind.name for kind in answer.column_types] == ["UInt32", "String"]
    assert answer.result_rows == []


def test_statements_about_tables_answer_as_a_server_does(client):
    assert client.command("EXISTS TABLE t") == 1
    assert ("t",) in client.query("SHOW TABLES").result_rows
    assert [row[:2] for row in client.query("DESCRIBE TABLE t").result_rows] == [("n", "UInt32"), ("s", "String")]


@pytest.mark.parametrize("fmt", ["JSONEachRow", "CSVWithNames", "JSON", "RowBinary", "TabSeparated"])
def test_raw_answers_are_one_document_in_any_format(client, fmt):
    whole = client.raw_query("SELECT number AS n FROM numbers(150000)", fmt=fmt)
    assert whole.count(b'"n"') == {"JSONEachRow": 150000, "CSVWithNames": 1, "JSON": 150001}.get(fmt, 0)
    if fmt == "JSON":
        assert len(json.loads(whole)["data"]) == 150000
    if fmt == "RowBinary":
        assert whole[-8:] == (149999).to_bytes(8, "little")
        assert len(whole) == 8 * 150000


def test_an_error_in_the_middle_of_an_answer_reaches_the_client(client):
    query = "SELECT throwIf(number = 900000) FROM numbers(1000000)"
    answer = client.query(query, settings={"max_block_size": 10000})
    with pytest.raises(StreamFailureError, match="FUNCTION_THROW_IF") as caught:
        _ = answer.result_rows
    assert caught.value.code == 395


async def test_queries_of_an_async_client_run_side_by_side(async_client):
    with timed() as seconds:
        await asyncio.gather(*(async_client.query("SELECT sleep(1)") for _ in range(6)))
        assert seconds() < 4


async def test_an_async_client_inserts_and_streams(client, async_client):
    await async_client.insert("t", [[n, str(n)] for n in range(1000)], column_names=["n", "s"])
    async with await async_client.query_rows_stream("SELECT n FROM t ORDER BY n") as stream:
        assert [row[0] async for row in stream] == list(range(1000))


def test_clients_at_once_do_not_see_each_others_state(gateway):
    async def work(number: int) -> None:
        client = await clickhouse_connect.get_async_client(port=gateway.port, autogenerate_session_id=False)
        for turn in range(10):
            size = 1000 + number * 10 + turn
            row = await client.query("SELECT getSetting('max_block_size')", settings={"max_block_size": size})
            assert row.result_rows == [(size,)]
        await client.close()

    async def all_at_once() -> None:
        await asyncio.gather(*(work(number) for number in range(8)))

    asyncio.run(all_at_once())


def test_memory_does_not_grow_with_the_length_of_an_answer(gateway, client):
    def resident_mb() -> int:
        lines = Path(f"/proc/{gateway.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024

    before = resident_mb()
    with client.query_column_block_stream("SELECT number, toString(number) FROM numbers(3000000)") as blocks:
        assert sum(len(block[0]) for block in blocks) == 3000000
    assert resident_mb() - before < 80
