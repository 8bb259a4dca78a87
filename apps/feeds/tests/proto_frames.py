"""Protobuf written by hand: (field number, value) pairs, so that no test trusts the schema that it tests."""

from collections.abc import Sequence
from typing import TypeAlias

Value: TypeAlias = "int | str | bytes | Sequence[tuple[int, Value]]"
Message: TypeAlias = Sequence[tuple[int, Value]]


def encoded(message: Message) -> bytes:
    """Integers as varints; text, bytes and messages with their lengths."""
    return b"".join(_field(number, value) for number, value in message)


def _field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else encoded(value)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Negative numbers take ten bytes, as two's complement."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
