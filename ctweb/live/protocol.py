"""What a browser may say on `/ws/live/`, and the limits it is held to.

Pure: bytes in, messages out. The answers are built in `session.py` and `frames.py`.
"""

from enum import IntEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from apps.feeds.market import FULL_DEPTH

VERSION = 1
TICK_MS = 100
MAX_BOOKS = 64
MAX_SUBSCRIPTIONS = 256
MAX_OPS_PER_S = 100
MAX_BYTES_IN = 16 * 1024
MAX_UNACKED = 2
MAX_UNACKED_BYTES = 1_000_000
SLOW_AFTER_S = 5.0  # a frame unacked for so long: the browser cannot follow
SILENT_AFTER_S = 15.0  # no ack at all for so long: nobody is there
HELLO_WITHIN_S = 10.0
MAX_LEVELS = 50  # of a book that is not asked for in full
MAX_HZ = 10
FULL_HZ = 2


class Close(IntEnum):
    BAD_MESSAGE = 4400
    SIGNED_OUT = 4401
    ROLE = 4403
    SLOW = 4408
    TOO_MANY = 4409


class ProtocolError(Exception):
    """The browser said something outside the protocol; the text is for the log."""


Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # what a browser counts exactly


class Hello(Struct, tag_field="op", tag="hello", frozen=True):
    v: int


class Sub(Struct, tag_field="op", tag="sub", frozen=True):
    """`key` is a book key, of `account` its number; `fleet` takes none (the whole fleet) or one, `daemons` none."""

    id: Count
    topic: str
    key: str = ""
    depth: int = 20
    hz: int = MAX_HZ


class Unsub(Struct, tag_field="op", tag="unsub", frozen=True):
    id: Count


class Pause(Struct, tag_field="op", tag="pause", frozen=True):
    """The tab is hidden: no data until `resume`, only heartbeats."""


class Resume(Struct, tag_field="op", tag="resume", frozen=True):
    pass


class Ack(Struct, tag_field="op", tag="ack", frozen=True):
    n: Count


class Ping(Struct, tag_field="op", tag="ping", frozen=True):
    """Answered at once by `pong`: the page shows the round trip."""


Op: TypeAlias = Hello | Sub | Unsub | Pause | Resume | Ack | Ping

_decoder = msgspec.json.Decoder(Op)


def parse(text: str | bytes) -> Op:
    """Raise ProtocolError for anything that is not one whole message of the protocol."""
    if len(text) > MAX_BYTES_IN:
        raise ProtocolError(f"{len(text)} bytes, at most {MAX_BYTES_IN}")
    try:
        op = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProtocolError(str(error)) from error
    if isinstance(op, Sub) and not _sub_in_range(op):
        raise ProtocolError(f"depth {op.depth} or hz {op.hz} out of range")
    return op


def _sub_in_range(sub: Sub) -> bool:
    return 1 <= sub.hz <= MAX_HZ and (sub.depth == FULL_DEPTH or 1 <= sub.depth <= MAX_LEVELS)


class Rate:
    """At most `limit` operations in any one second; time in seconds is passed in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._window = 0.0
        self._used = 0

    def allows(self, now: float) -> bool:
        if now - self._window >= 1.0:
            self._window, self._used = now, 0
        self._used += 1
        return self._used <= self._limit
