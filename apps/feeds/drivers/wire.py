"""What all wires share: typed decoding in one pass, and bounds that no sane market data breaks.

One decoder per channel checks everything while it parses: a price is positive and finite, an amount is not negative,
ids fit 64 bits, lists are bounded. Whatever it refuses is a MalformedFrame.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from apps.feeds.drivers.base import Command, Frame, Topic
from apps.feeds.errors import Flaw, MalformedFrame
from apps.feeds.market import Levels

MAX_FRAME = 2_000_000  # characters; the largest documented message, 1000 levels a side, has about 60,000
MAX_BODY = 64_000_000  # bytes of a REST answer; market lists have some 10 to 20 million
MAX_LEVELS = 10_000  # a side in one message; REST snapshots have up to 5000
MAX_MAGNITUDE = 30  # powers of ten that any step, minimum or volume may have
MAX_PRINTS = 2_000  # trades in one message (Bybit sends up to 1024)
MAX_OBJECTS = 12_000  # in one frame or one answer about an account; its longest lists have MAX_LEVELS rows

Price: TypeAlias = Annotated[float, Meta(gt=0, le=1e15)]
Amount: TypeAlias = Annotated[float, Meta(ge=0, le=1e21)]
TradeAmount: TypeAlias = Annotated[float, Meta(gt=0, le=1e21)]
Id: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
PrevId: TypeAlias = Annotated[int, Meta(ge=-1, le=2**63 - 1)]  # -1 is OKX's "none"
Millis: TypeAlias = Annotated[int, Meta(ge=0, le=9_999_999_999_999)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Word: TypeAlias = Annotated[str, Meta(max_length=128)]  # an id, the name of a channel, or nothing
Words: TypeAlias = Annotated[str, Meta(max_length=10_000)]  # a sentence, or a list in one text: cut where it is told
Code: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # an error's, or another number with a sign
Decimals: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_MAGNITUDE)]  # how many a price or an amount may have
Pairs: TypeAlias = Annotated[list[tuple[Price, Amount]], Meta(max_length=MAX_LEVELS)]


class Row(Struct, array_like=True, gc=False, frozen=True):
    """A level of two items or more: what follows price and amount is not ours."""

    price: Price
    amount: Amount


class TextRow(Struct, array_like=True, gc=False, frozen=True):
    """A level as the wire spelt it, for checksums."""

    price: str
    amount: str


Rows: TypeAlias = Annotated[list[Row], Meta(max_length=MAX_LEVELS)]

T = TypeVar("T")
TCo = TypeVar("TCo", covariant=True)


class Decoder(Protocol[TCo]):
    def decode(self, buf: Frame | Raw, /) -> TCo: ...


def decoder(shape: type[T]) -> Decoder[T]:
    """A decoder that takes numbers as JSON numbers or as strings, as exchanges do."""
    made: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shape, strict=False)
    return made


def decode(shape: Decoder[T], content: Frame | Raw, *, symbol: str | None = None) -> T:
    """Raise MalformedFrame for whatever `shape` does not allow, bad encodings and bottomless nesting included."""
    try:
        return shape.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedFrame(str(error)[:200], symbol=symbol, flaw=Flaw.SHAPE) from error


def text(frame: Frame) -> str:
    """The frame as text; refuse one that is larger than anything documented before looking into it."""
    if len(frame) > MAX_FRAME:
        raise MalformedFrame(f"a frame of {len(frame)} characters", flaw=Flaw.SIZE)
    try:
        told = frame if isinstance(frame, str) else str(frame, "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedFrame("not UTF-8", flaw=Flaw.ENCODING) from error
    if len(told) > MAX_OBJECTS:
        check_objects(told.count("{"))
    return told


def check_objects(count: int) -> None:
    """Refuse too many before any is read: a decoder reads a list to its end before it looks at its length."""
    if count > MAX_OBJECTS:
        raise MalformedFrame(f"{count} objects in one message", flaw=Flaw.SIZE)


def check_rows(lists: Iterable[Sequence[object]]) -> None:
    """Refuse lists that are each within their bounds, and together longer than one may be."""
    if sum(map(len, lists)) > MAX_PRINTS:
        raise MalformedFrame("too many rows in lists of lists", flaw=Flaw.SIZE)


def body(shape: Decoder[T], content: bytes) -> T:
    """Decode a REST answer."""
    if len(content) > MAX_BODY:
        raise MalformedFrame(f"an answer of {len(content)} bytes", flaw=Flaw.SIZE)
    return decode(shape, content)


def told(shape: Decoder[T], content: bytes) -> T | None:
    """What a REST answer says, None of one that says nothing of the kind: a list, the page of a firewall."""
    try:
        return body(shape, content)
    except MalformedFrame:
        return None


def levels(rows: Iterable[Row]) -> Levels:
    return [(row.price, row.amount) for row in rows]


def frame(message: object) -> str:
    """A command as JSON text, other than ASCII raw: no exchange wants symbols escaped."""
    return msgspec.json.encode(message).decode()


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def commands(
    batches: Iterable[Sequence[Topic]], first_id: int, message: Callable[[int, Sequence[Topic]], object]
) -> list[Command]:
    """A command for each batch, numbered from `first_id`; `message` says what its frame holds."""
    return [
        Command(frame=frame(message(number, batch)), request_id=str(number), topics=tuple(batch))
        for number, batch in enumerate(batches, first_id)
    ]


def retry_header(headers: Mapping[str, str], default_s: float) -> float:
    """`Retry-After` in seconds, whatever its spelling; `default_s` without one or when it is no number."""
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.strip().isascii() and value.strip().isdigit():
            return float(value)
    return default_s


def rule_number(told: str | Decimal | None) -> Decimal | None:
    """A step or a minimum of a market list; None where the exchange gives none ("" or 0)."""
    if not told:
        return None
    try:
        number = Decimal(told)
    except InvalidOperation as error:
        raise MalformedFrame(f"not a number: {str(told)[:40]!r}") from error
    if not number.is_finite() or number < 0 or abs(number.adjusted()) > MAX_MAGNITUDE:
        raise MalformedFrame(f"not a rule: {str(told)[:40]!r}")
    return number or None


def step(decimals: int) -> Decimal:
    """The smallest difference of numbers with so many decimals."""
    return Decimal(1).scaleb(-decimals)
