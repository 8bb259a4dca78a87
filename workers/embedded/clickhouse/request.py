"""One HTTP request as a value: what to run, where, with which settings and parameters. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import uuid4

from workers.embedded.clickhouse.errors import NOT_IMPLEMENTED, QueryError
from workers.embedded.clickhouse.sql import Statement, parse

# What a server's HTTP layer takes for itself; all other URL parameters are settings of this one query.
IGNORED = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "http_headers_progress_interval_ms",
        "password",
        "quota_key",
        "send_progress_in_http_headers",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
REFUSED = {
    "session_id": "sessions: send settings and the database with each query",
    "session_check": "sessions",
    "session_timeout": "sessions",
    "role": "roles",
    "compress": "blocks in ClickHouse's own compression: use Accept-Encoding",
    "decompress": "blocks in ClickHouse's own compression: use Content-Encoding",
}
SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Call:
    """One statement to run. Everything in it holds for this call only."""

    statement: Statement
    database: str | None
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    query_id: str
    default_format: str | None
    compress: bool
    read_only: bool


def read(method: str, query_string: str, content_type: str, body: bytes) -> Call:
    """Translate a request whose body is already inflated. Raises QueryError for what is not supported."""
    if content_type.startswith("multipart/"):
        raise _unsupported("external data and multipart forms")
    values = dict(parse_qsl(query_string, keep_blank_values=True))
    for name, what in REFUSED.items():
        if values.pop(name, "") not in ("", "0"):
            raise _unsupported(what)
    query = values.pop("query", "").encode()
    text = query + b"\n" + body if query and body else query or body
    return Call(
        statement=parse(text),
        database=values.pop("database", None) or None,
        query_id=values.pop("query_id", "") or str(uuid4()),
        default_format=values.pop("default_format", None),
        compress=values.pop("enable_http_compression", "0") == "1",
        parameters={name.removeprefix("param_"): value for name, value in values.items() if name.startswith("param_")},
        settings={name: value for name, value in values.items() if _is_setting(name)},
        read_only=method == "GET",
    )


def _is_setting(name: str) -> bool:
    if name in IGNORED or name.startswith("param_"):
        return False
    if SETTING_NAME.fullmatch(name) is None:
        raise QueryError.refused(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}.")
    return True


def _unsupported(what: str) -> QueryError:
    return QueryError.refused(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", f"The embedded ClickHouse does not support {what}.")
