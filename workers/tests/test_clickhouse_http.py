"""The embedded ClickHouse below the client: what HTTP itself promises, and what is refused."""

import http.client
import zlib
from collections.abc import Iterator

import pytest

from tests.gateway import Gateway

Reply = tuple[int, http.client.HTTPMessage, bytes]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


def ask(gateway: Gateway, method: str, target: str, body: bytes | None = None, **headers: str) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    answer = reply.status, reply.headers, reply.read()
    connection.close()
    return answer


def test_ping_answers_ok(gateway):
    assert ask(gateway, "GET", "/ping")[::2] == (200, b"Ok.\n")


def test_a_query_comes_by_get_by_post_or_half_by_each(gateway):
    assert ask(gateway, "GET", "/?query=SELECT%201")[2] == b"1\n"
    assert ask(gateway, "POST", "/", b"SELECT 2")[2] == b"2\n"
    assert ask(gateway, "POST", "/?query=SELECT", b"3 FORMAT JSONEachRow")[2] == b'{"3":3}\n'
    assert ask(gateway, "POST", "/?default_format=CSV&param_s=a", b"SELECT {s:String}")[2] == b'"a"\n'


def test_get_reads_only(gateway):
    status, headers, body = ask(gateway, "GET", "/?query=CREATE%20DATABASE%20evil")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (403, "164")
    assert b"READONLY" in body


def test_answers_name_query_format_and_work_done(gateway):
    ask(gateway, "POST", "/", b"CREATE OR REPLACE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
    _, headers, _ = ask(gateway, "POST", "/?query_id=mine", b"INSERT INTO t FORMAT CSV\n1\n2\n")
    assert headers["X-ClickHouse-Query-Id"] == "mine"
    assert '"written_rows": "2"' in headers["X-ClickHouse-Summary"]
    assert headers["X-ClickHouse-Format"] is None
    assert ask(gateway, "POST", "/", b"SELECT 1 FORMAT CSV")[1]["X-ClickHouse-Format"] == "CSV"


@pytest.mark.parametrize(
    "target", ["/?session_id=1", "/?role=admin", "/?compress=1", "/?decompress=1", "/?session_id=1&session_timeout=9"]
)
def test_what_is_not_supported_is_refused_by_name(gateway, target):
    status, headers, body = ask(gateway, "POST", target, b"SELECT 1")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (501, "48")
    assert b"does not support" in body


def test_external_data_is_refused(gateway):
    form = {"Content_Type": "multipart/form-data; boundary=x"}
    assert ask(gateway, "POST", "/?query=SELECT%201", b"--x--", **form)[0] == 501


def test_pages_of_a_browser_are_refused(gateway):
    assert ask(gateway, "POST", "/", b"SELECT 1", Origin="https://evil.example")[0] == 403
    assert ask(gateway, "GET", "/?query=SELECT%201", Host="evil.example:8123")[0] == 403
    assert ask(gateway, "GET", "/?query=SELECT%201", Host=f"localhost:{gateway.port}")[0] == 200


def test_an_unknown_encoding_is_refused(gateway):
    assert ask(gateway, "POST", "/", b"SELECT 1", Content_Encoding="br")[0] == 501


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate"])
def test_a_damaged_body_is_refused(gateway, encoding):
    status, headers, _ = ask(gateway, "POST", "/", b"SELECT 1", Content_Encoding=encoding)
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (400, "271")


def test_a_cut_body_is_refused(gateway):
    cut = zlib.compress(b"SELECT 1, '" + bytes(range(65, 91)) * 20 + b"'")[:-8]
    assert ask(gateway, "POST", "/", cut, Content_Encoding="deflate")[0] == 400


def test_a_body_that_inflates_without_end_is_stopped(gateway):
    bomb = zlib.compress(bytes(300 << 20), 9)
    assert len(bomb) < 1 << 20
    assert ask(gateway, "POST", "/?query=INSERT+INTO+t+FORMAT+RowBinary", bomb, Content_Encoding="deflate")[0] == 413


def test_a_body_over_the_cap_is_refused(gateway):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    connection.request("POST", "/?query=INSERT+INTO+t+FORMAT+RowBinary", bytes((64 << 20) + 1))
    assert connection.getresponse().status == 413
    connection.close()


def test_a_long_answer_arrives_while_it_is_made(gateway):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)  # the whole takes 100 s
    connection.request("POST", "/?max_block_size=1", b"SELECT sleepEachRow(0.1) FROM numbers(1000)")
    assert connection.getresponse().read(2) == b"0\n"
    connection.close()


def test_a_reader_that_leaves_does_not_keep_its_query(gateway):
    for _ in range(12):  # more than there are threads
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        connection.request("POST", "/", b"SELECT number FROM numbers(1000000000)")
        connection.getresponse().read(10)
        connection.close()
    assert ask(gateway, "POST", "/", b"SELECT 1")[2] == b"1\n"
