"""One sealed segment to ClickHouse: sent again any number of times, stored once."""

import hashlib
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from msgspec import Struct

from apps.monitoring.clickhouse import NO_DATABASE, NO_TABLE, AwayError, away_or
from apps.monitoring.rows import COLUMNS
from apps.monitoring.segments import named

COUNT = "SELECT count() FROM {table} WHERE toYYYYMMDD(ts_recv) = {{day:UInt32}} AND batch_id = {{batch:String}}"


class Segment(Struct, frozen=True, kw_only=True):
    """What the ledger says of a segment; `again`: it may have been sent before."""

    batch_id: str
    path: Path
    rows: int
    sha256: str
    again: bool

    @property
    def token(self) -> str:
        """Bound to the content: ClickHouse drops other rows under a known token without a word."""
        return f"{self.batch_id}:{self.sha256[:16]}"


class Quarantined(Exception):
    """ClickHouse and the segment do not agree: sending it could store wrong rows or rows twice. A person must look."""


class TablesGoneError(AwayError):
    """The tables are not there: they must be made before anything is sent again."""


def send(client: Client, segment: Segment) -> None:
    """Return when ClickHouse has every row exactly once.

    Raise AwayError when nothing is known, Quarantined when a person must look, ClickHouseError when it was refused.
    """
    if segment.again and _is_stored(client, segment):
        return
    table = named(segment.batch_id).table
    try:
        data = _read(segment)
    except FileNotFoundError as error:  # another worker may have sent it meanwhile and put it away
        if _is_stored(client, segment):
            return
        raise Quarantined(f"{segment.path} is gone and ClickHouse does not have it") from error
    try:
        client.raw_insert(table, COLUMNS[table], data, fmt="RowBinary", settings=_settings(segment))
    except ClickHouseError as error:
        raise _judged(error) from error
    if segment.again and not _is_stored(client, segment):  # its token outlived its rows
        raise Quarantined("ClickHouse dropped it as known, but does not have it")


def stored(client: Client, batch_id: str) -> int:
    """Rows of a batch that ClickHouse has. Raise AwayError."""
    _, table, day = named(batch_id)
    if table not in COLUMNS:
        raise ValueError(f"no such table: {table}")
    query = COUNT.format(table=table)
    try:
        return int(client.query(query, parameters={"day": int(day), "batch": batch_id}).result_rows[0][0])
    except ClickHouseError as error:
        raise _judged(error) from error


def _is_stored(client: Client, segment: Segment) -> bool:
    """The deduplication window forgets; the rows themselves do not."""
    have = stored(client, segment.batch_id)
    if have not in (0, segment.rows):
        raise Quarantined(f"ClickHouse has {have} of {segment.rows} rows")
    return have > 0


def _read(segment: Segment) -> bytes:
    data = segment.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise Quarantined(f"{segment.path} is not what was sealed: its sha256 differs")
    return data


def _settings(segment: Segment) -> dict[str, str | int]:
    """One block, one part: a token covers what is inserted under it only if it is always cut the same way."""
    return {
        "async_insert": 0,
        "insert_deduplicate": 1,
        "insert_deduplication_token": segment.token,
        "max_insert_block_size": max(segment.rows, 1_000_000),
        "min_insert_block_size_rows": segment.rows,
        "min_insert_block_size_bytes": 0,
        "max_insert_threads": 1,
        "input_format_parallel_parsing": 0,
    }


def _judged(error: ClickHouseError) -> Exception:
    if isinstance(error, DatabaseError) and error.code in (NO_TABLE, NO_DATABASE):
        return TablesGoneError(str(error))
    return away_or(error)
