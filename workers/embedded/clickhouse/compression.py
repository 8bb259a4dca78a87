"""HTTP's content encodings as clickhouse-connect speaks them: lz4 frames, zstd, gzip, deflate."""

import zlib
from collections.abc import Callable
from typing import Protocol

import lz4.frame
from backports import zstd

from workers.embedded.clickhouse.errors import CANNOT_DECOMPRESS, NOT_IMPLEMENTED, TOO_LARGE_STRING_SIZE, QueryError

SLICE = 1 << 20


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Deflater(Protocol):
    """A running compression of one answer; every `add` can be read by the client as soon as it arrives."""

    def add(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """The body as it was before compression; frames may follow each other.

    Raises QueryError for an unknown encoding, for damaged or cut data, and as soon as the result passes `limit` bytes.
    """
    if encoding in ("", "identity"):
        return body
    make = INFLATERS.get(encoding)
    if make is None:
        raise QueryError.refused(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", f"Unknown Content-Encoding {encoding!r}")
    try:
        return b"".join(_frames(body, make, limit))
    except (RuntimeError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise QueryError.refused(CANNOT_DECOMPRESS, "CANNOT_DECOMPRESS", f"Body is not {encoding}: {error}") from error


def _frames(body: bytes, make: Callable[[], _Decompressor], limit: int) -> list[bytes]:
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest:
        frame = make()
        data = rest
        while not frame.eof:
            part = frame.decompress(data, max_length=SLICE)
            if not part and not frame.eof and not data:
                raise EOFError("it ends in the middle")
            data = b""
            size += len(part)
            if size > limit:
                raise QueryError.refused(
                    TOO_LARGE_STRING_SIZE, "TOO_LARGE_STRING_SIZE", f"Body inflates to more than {limit} bytes"
                )
            parts.append(part)
        rest = frame.unused_data or b""
    return parts


class _Zlib:
    """zlib's own object with the two others' interface: it keeps its unread input itself."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(data or self._inner.unconsumed_tail, max_length)


INFLATERS: dict[str, Callable[[], _Decompressor]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "gzip": lambda: _Zlib(31),
    "deflate": lambda: _Zlib(15),
}


class _Lz4:
    def __init__(self) -> None:
        self._inner = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def add(self, data: bytes) -> bytes:
        begin = b"" if self._begun else self._inner.begin()
        self._begun = True
        return begin + self._inner.compress(data)

    def end(self) -> bytes:
        begin = b"" if self._begun else self._inner.begin()
        return begin + self._inner.flush()


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstd.ZstdCompressor(level=1)

    def add(self, data: bytes) -> bytes:
        return self._inner.compress(data, self._inner.FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._inner.flush()


class _Gzip:
    def __init__(self, wbits: int) -> None:
        self._inner = zlib.compressobj(level=1, wbits=wbits)

    def add(self, data: bytes) -> bytes:
        return self._inner.compress(data) + self._inner.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._inner.flush()


DEFLATERS: dict[str, Callable[[], Deflater]] = {
    "lz4": _Lz4,
    "zstd": _Zstd,
    "gzip": lambda: _Gzip(31),
    "deflate": lambda: _Gzip(15),
}


def choose(accept_encoding: str) -> str | None:
    """The first encoding of the client's list that we speak."""
    for item in accept_encoding.split(","):
        name = item.partition(";")[0].strip().lower()
        if name in DEFLATERS:
            return name
    return None
