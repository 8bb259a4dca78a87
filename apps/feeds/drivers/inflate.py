"""Compressed frames, unpacked within bounds: a small frame must not cost much memory or time."""

import zlib

from apps.feeds.drivers.base import Frame
from apps.feeds.drivers.wire import MAX_FRAME
from apps.feeds.errors import Flaw, MalformedFrame

MAX_RATIO = 100  # market data in JSON shrinks to a tenth at best

_TEXT = (b"{", b"[")
_GZIP, _ZLIB = b"\x1f\x8b", b"\x78"
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def inflate(frame: Frame) -> Frame:
    """Undo gzip, zlib or raw deflate, told apart by their first bytes; JSON text passes as it is."""
    if isinstance(frame, str) or frame.startswith(_TEXT):
        return frame
    bits = _GZIP_BITS if frame.startswith(_GZIP) else _ZLIB_BITS if frame.startswith(_ZLIB) else _RAW_BITS
    most = min(MAX_FRAME, MAX_RATIO * len(frame))
    unpacking = zlib.decompressobj(bits)
    try:
        content = unpacking.decompress(frame, most)
    except zlib.error as error:
        raise MalformedFrame(f"cannot be unpacked: {error}", flaw=Flaw.PACKING) from error
    if unpacking.unconsumed_tail:
        raise MalformedFrame(f"{len(frame)} bytes that unpack to more than {most}", flaw=Flaw.PACKING)
    if not unpacking.eof or unpacking.unused_data:
        raise MalformedFrame("a compressed frame that does not end where it should", flaw=Flaw.PACKING)
    return content
