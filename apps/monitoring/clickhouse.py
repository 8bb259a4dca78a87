"""The one way to ClickHouse, embedded or a server: the same client, the same tables."""

import re
from threading import Lock
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from msgspec import Struct

from apps.monitoring.rows import TRADES, UPDATES

DEDUPLICATION_WINDOW = 10_000
NO_TABLE, NO_DATABASE = 60, 81
NOT_NOW = {  # the same request may succeed later; what is not listed here will fail again
    159,  # TIMEOUT_EXCEEDED
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    209,  # SOCKET_TIMEOUT
    210,  # NETWORK_ERROR
    236,  # ABORTED
    241,  # MEMORY_LIMIT_EXCEEDED
    242,  # TABLE_IS_READ_ONLY
    243,  # NOT_ENOUGH_SPACE
    252,  # TOO_MANY_PARTS
}

_clients: dict[tuple[str, int], Client] = {}
_making = Lock()
SHARED_COLUMNS = """
    batch_id LowCardinality(String),
    exchange LowCardinality(String),
    market_type LowCardinality(String),
    pair LowCardinality(String),
    symbol LowCardinality(String),
    stream LowCardinality(String),
    epoch UInt64 CODEC(Delta(8), ZSTD(1)),
    event_no UInt64 CODEC(Delta(8), ZSTD(1)),
    ts_recv DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ts_exchange DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))"""
TABLE_COLUMNS = {
    UPDATES: """
    is_snapshot UInt8,
    from_rest UInt8,
    first_seq Int64 CODEC(Delta(8), ZSTD(1)),
    seq Int64 CODEC(Delta(8), ZSTD(1)),
    prev_seq Int64 CODEC(Delta(8), ZSTD(1)),
    bid_prices Array(Float64) CODEC(ZSTD(1)),
    bid_amounts Array(Float64) CODEC(ZSTD(1)),
    ask_prices Array(Float64) CODEC(ZSTD(1)),
    ask_amounts Array(Float64) CODEC(ZSTD(1))""",
    TRADES: """
    price Float64 CODEC(ZSTD(1)),
    amount Float64 CODEC(ZSTD(1)),
    trade_id String CODEC(ZSTD(1)),
    side LowCardinality(String)""",
}
TABLE = """
CREATE TABLE IF NOT EXISTS {table} ({shared},{columns}
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts_recv)
ORDER BY (pair, exchange, market_type, ts_recv, event_no)
TTL toDateTime(ts_recv) + toIntervalDay({days})
SETTINGS non_replicated_deduplication_window = {window},
    ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
"""
# The seeds' columns under the seeds' names first, in their order; then what we know besides.
VIEWS = {
    "orderbook_deltas": """
SELECT toDateTime(ts_recv, 'UTC') AS timestamp, exchange AS exchange_id, pair, market_type,
    level.1 AS side, level.2 AS price, level.3 AS amount, if(amount = 0, 'delete', 'update') AS action,
    ts_recv, ts_exchange, symbol, first_seq, seq, prev_seq, stream, epoch, event_no
FROM orderbook_updates
ARRAY JOIN arrayConcat(
    arrayMap((price, amount) -> ('bid', price, amount), bid_prices, bid_amounts),
    arrayMap((price, amount) -> ('ask', price, amount), ask_prices, ask_amounts)
) AS level
WHERE NOT is_snapshot""",
    "orderbook_snapshots": """
SELECT toDateTime(ts_recv, 'UTC') AS timestamp, exchange AS exchange_id, pair, market_type,
    arrayZip(bid_prices, bid_amounts) AS bids, arrayZip(ask_prices, ask_amounts) AS asks, seq AS sequence_num,
    ts_recv, ts_exchange, symbol, from_rest, prev_seq, stream, epoch, event_no
FROM orderbook_updates
WHERE is_snapshot""",
}


class AwayError(Exception):
    """ClickHouse cannot be reached, or says not now: nothing is known of what was asked, ask again later."""


class UnsafeTableError(Exception):
    """A table exists that would store a batch twice, or under another layout."""


class Address(Struct, frozen=True, kw_only=True):
    """CLICKHOUSE_URL, taken apart: `http://user:password@host:port/database`."""

    host: str
    port: int
    database: str
    username: str
    password: str
    secure: bool

    @classmethod
    def parse(cls, url: str) -> "Address":
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or (8443 if secure else 8123),
            database=unquote(parts.path.strip("/")) or "default",
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            secure=secure,
        )


def connect(url: str) -> Client:
    """A client for any number of threads, with database and tables made where they are missing.

    It keeps no session and repeats no insert by itself. Raise AwayError when ClickHouse does not answer.
    """
    address = Address.parse(url)
    try:
        client = clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            secure=address.secure,
            connect_timeout=3,
            send_receive_timeout=60,
            query_retries=0,
            autogenerate_session_id=False,
            dedicated_pool=True,
        )
        client.command(f"CREATE DATABASE IF NOT EXISTS {quoted(address.database)}")
    except ClickHouseError as error:
        raise away_or(error) from error
    client.database = address.database
    return client


def shared(url: str, days: int) -> Client:
    """This process's client, with the tables ready. Raise AwayError or UnsafeTableError."""
    with _making:
        client = _clients.get((url, days))
        if client is None:
            client = connect(url)
            prepare(client, days)
            _clients[url, days] = client
        return client


def forget(url: str, days: int) -> None:
    """Look at the tables again before the next use: somebody took them away."""
    with _making:
        _clients.pop((url, days), None)


def prepare(client: Client, days: int) -> None:
    """Make tables and views, or bring them up to date: rows live `days` days. Safe at any time, from anywhere.

    Raise AwayError, or UnsafeTableError for tables of somebody else's making.
    """
    try:
        _prepare(client, days)
    except ClickHouseError as error:
        raise away_or(error) from error


def _prepare(client: Client, days: int) -> None:
    for table, columns in TABLE_COLUMNS.items():
        client.command(
            TABLE.format(table=table, shared=SHARED_COLUMNS, columns=columns, days=days, window=DEDUPLICATION_WINDOW)
        )
        definition = str(client.command(f"SHOW CREATE TABLE {table}"))
        _refuse_unsafe(table, definition)
        if f"toIntervalDay({days})" not in definition:
            ttl = f"ALTER TABLE {table} MODIFY TTL toDateTime(ts_recv) + toIntervalDay({days})"
            client.command(ttl, settings={"materialize_ttl_after_modify": 0})
    for view, select in VIEWS.items():
        client.command(f"CREATE OR REPLACE VIEW {view} AS {select}")


def away_or(error: ClickHouseError) -> Exception:
    """AwayError when the same may succeed later without anybody doing anything, else the error itself."""
    if isinstance(error, DatabaseError) and error.code is not None and error.code not in NOT_NOW:
        return error
    return AwayError(str(error.__cause__ or error)[-400:])  # the cause stands at the end, behind a long address


def quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _refuse_unsafe(table: str, definition: str) -> None:
    """A table without a window would take a repeated batch a second time."""
    window = re.search(r"non_replicated_deduplication_window = (\d+)", definition)
    replicated = re.search(r"ENGINE = (Replicated|Shared)", definition)
    if replicated is None and (window is None or int(window[1]) < DEDUPLICATION_WINDOW):
        raise UnsafeTableError(f"{table}: non_replicated_deduplication_window must be at least {DEDUPLICATION_WINDOW}")
    if "PARTITION BY toYYYYMMDD(ts_recv)" not in definition:
        raise UnsafeTableError(f"{table}: must be PARTITION BY toYYYYMMDD(ts_recv)")
