"""chDB as a server's engine: one handle per call, so nothing that a call sets outlives it. Knows no HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chdb

from workers.embedded.clickhouse.errors import NOT_IMPLEMENTED, READONLY, QueryError
from workers.embedded.clickhouse.request import Call
from workers.embedded.clickhouse.sql import DEFAULT_FORMAT

# chDB encodes each block by itself: chunks of other formats do not join to one document.
STREAMED = frozenset({"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"})
INSERT_SLICE = 4 << 20
# ChdbError is a RuntimeError, and bare ones come too; of bytes that are no text it cannot even read its own complaint.
CHDB_ERRORS = RuntimeError, UnicodeDecodeError


@dataclass(slots=True)
class Answer:
    """What a call came to; `chunks` of a stream may still raise QueryError. `close` must follow, read or not."""

    format: str | None
    chunks: Iterator[bytes]
    summary: dict[str, int] | None
    handle: Any = field(repr=False)

    def next(self) -> bytes | None:
        return next(self.chunks, None)

    def close(self) -> None:
        """Stop a running stream and give the handle back."""
        close = getattr(self.chunks, "close", None)
        if close is not None:
            close()
        self.handle.close()


class Engine:
    """The one process's chDB on one folder. Methods block; call them from threads."""

    def __init__(self, path: Path, *, max_memory_bytes: int, max_seconds: int) -> None:
        """Raise QueryError when the folder cannot be opened."""
        self._path = str(path)
        self._caps = {"max_memory_usage": max_memory_bytes, "max_execution_time": max_seconds}
        self._keep = self._open()  # an engine without a handle would be shut down and started for every call
        self.version = str(self._keep.query("SELECT version()", "TabSeparated").bytes().decode()).strip()

    def close(self) -> None:
        self._keep.close()

    def run(self, call: Call) -> Answer:
        """Run one statement up to its first bytes. Raises QueryError; whatever is raised leaves no handle open."""
        handle = self._open()
        with ExitStack() as failed:
            failed.callback(handle.close)
            try:
                answer = self._run(handle, call)
            except CHDB_ERRORS as error:
                raise QueryError.of(error) from error
            failed.pop_all()
        return answer

    def _open(self) -> Any:
        try:
            return chdb.connect(self._path)
        except RuntimeError as error:
            raise QueryError.of(error) from error

    def _run(self, handle: Any, call: Call) -> Answer:
        statement = call.statement
        self._guard(handle, call)
        if call.database:
            handle.query(f"USE {quote_name(call.database)}")
        handle.query("SET " + ", ".join(f"{k} = {quote_text(v)}" for k, v in self._settings(call.settings).items()))
        if statement.data is not None and statement.format is not None:
            return _insert(handle, statement.plain, statement.format, statement.data)
        fmt = statement.format or call.default_format or DEFAULT_FORMAT
        if statement.selects and fmt in STREAMED:
            return _stream(handle, call, fmt)
        return _whole(handle, call, fmt)

    def _settings(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The call's settings; what limits the process may be lowered, not raised (0 means no limit)."""
        settings = {"session_timezone": "UTC", **asked}  # whatever the machine's own zone is
        for name, cap in self._caps.items():
            value = settings.get(name, "0")
            lower = value.isdecimal() and 0 < int(value) < cap
            settings[name] = value if lower else str(cap)
        return settings

    def _guard(self, handle: Any, call: Call) -> None:
        statement = call.statement
        text = statement.text if statement.data is None else statement.plain + b"FORMAT Null"
        facts = handle._conn.classify_query(text)
        if facts["statement_count"] > 1:
            raise QueryError.refused(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "Only one statement per request is supported")
        if call.read_only and facts["query_class"].name != "READ_ONLY":
            raise QueryError.refused(READONLY, "READONLY", "GET implies readonly: use POST for what changes data")


def quote_text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(value: str) -> str:
    return "`" + value.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _insert(handle: Any, head: bytes, fmt: str, data: memoryview) -> Answer:
    inserter = handle.send_insert(head, fmt)
    with ExitStack() as failed:
        failed.callback(inserter.cancel)
        for start in range(0, len(data), INSERT_SLICE):
            inserter.append(data[start : start + INSERT_SLICE])
        result = inserter.finish()
        failed.pop_all()
    summary = {
        "written_rows": result.rows_written,
        "written_bytes": result.bytes_written,
        "elapsed_ns": int(result.elapsed * 1e9),
    }
    return Answer(format=None, chunks=iter(()), summary=summary, handle=handle)


def _whole(handle: Any, call: Call, fmt: str) -> Answer:
    result = handle.query(call.statement.text, fmt, params=dict(call.parameters))
    data = result.bytes() or b""
    summary = {
        "read_rows": result.storage_rows_read(),
        "read_bytes": result.storage_bytes_read(),
        "written_rows": result.rows_written(),
        "written_bytes": result.bytes_written(),
        "result_rows": result.rows_read(),
        "elapsed_ns": int(result.elapsed() * 1e9),
    }
    has_result = bool(data) or call.statement.verb in ("SHOW", "SELECT", "WITH", "(")
    return Answer(format=fmt if has_result else None, chunks=iter((data,)), summary=summary, handle=handle)


def _stream(handle: Any, call: Call, fmt: str) -> Answer:
    """The first chunk is fetched here, so that what fails at once fails with a status of its own."""
    source = handle.send_query(call.statement.text, fmt, params=dict(call.parameters))
    with ExitStack() as failed:
        failed.callback(source.close)
        first = source.fetch()
        failed.pop_all()
    if first is None:
        empty = _native_header(handle, call) if fmt == "Native" else b""
        return Answer(format=fmt, chunks=iter((empty,)), summary=None, handle=handle)
    return Answer(format=fmt, chunks=_chunks(source, first.bytes()), summary=None, handle=handle)


def _chunks(source: Any, first: bytes) -> Iterator[bytes]:
    try:
        yield first
        for chunk in source:
            yield chunk.bytes()
    except CHDB_ERRORS as error:
        raise QueryError.of(error) from error
    finally:
        source.close()


def _native_header(handle: Any, call: Call) -> bytes:
    """Columns without rows: chDB writes nothing for an empty result, clients want its names and types."""
    inner = call.statement.plain.rstrip(b"; \t\r\n")
    described = handle.query(b"DESCRIBE (" + inner + b"\n)", "TabSeparatedRaw", params=dict(call.parameters)).bytes()
    rows = [line.split(b"\t")[:2] for line in described.splitlines()]
    return _varint(len(rows)) + _varint(0) + b"".join(_varint(len(text)) + text for row in rows for text in row)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
