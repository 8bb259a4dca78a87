"""What CoinEx's signed REST answers have in common: the envelope, pages, refusals."""

from typing import Annotated, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.coinex import facts as public_facts
from apps.feeds.drivers.coinex import trading_facts as facts
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import MalformedFrame, OutcomeUnknown, Retryable

T = TypeVar("T")
Many: TypeAlias = Annotated[list[T], Meta(max_length=wire.MAX_LEVELS)]  # some lists have a row for each currency
NULL = b"null"


class Pagination(Struct):
    has_next: bool = False


class Envelope(Struct):
    """`data` may be null in an answer without error: there is nothing. Some lists leave out `pagination`."""

    code: wire.Code
    message: wire.Words = ""
    data: Raw = Raw(NULL)
    pagination: Pagination | None = None

    @property
    def is_empty(self) -> bool:
        return bytes(self.data) == NULL


_envelope = wire.decoder(Envelope)


def data(shape: wire.Decoder[T], answer: Answer, *, order: bool = False) -> T | None:
    """What it says, None where it says that there is nothing. Raises what a refusal means.

    `order`: the fate of an order hangs on it.
    """
    envelope = _accepted(answer, order=order)
    return None if envelope.is_empty else _read(shape, envelope.data, order=order)


def done(answer: Answer, *, order: bool) -> None:
    """Return when it was accepted, whatever it tells beside."""
    _accepted(answer, order=order)


def page(shape: wire.Decoder[list[T]], answer: Answer) -> tuple[list[T], str | None]:
    """Rows and the number of the next page; the answer does not tell its own, the address that was asked does."""
    envelope = _accepted(answer, order=False)
    rows = [] if envelope.is_empty else _read(shape, envelope.data, order=False)
    if envelope.pagination is None or not envelope.pagination.has_next:
        return rows, None
    asked = parse_qs(urlsplit(answer.url).query).get("page")
    if asked is None:
        raise MalformedFrame("more pages of a list whose page is not known")
    return rows, str(int(asked[0]) + 1)


def refuse(code: int, message: str, answer: Answer, *, order: bool) -> None:
    """Raise what a code means; return when it means success."""
    if code == public_facts.OK:
        return
    if facts.SETTLING in message:
        raise Retryable(f"{code}: {replies.readable(message)}", after_s=facts.SETTLING_S)
    replies.refuse(answer, code, message, facts.ERRORS, order=order)


def _accepted(answer: Answer, *, order: bool) -> Envelope:
    # No account has more to tell than that.
    envelope = replies.told(_envelope, answer) if len(answer.body) <= wire.MAX_FRAME else None
    if envelope is None:
        replies.refuse(answer, None, "", facts.ERRORS, order=order)
    refuse(envelope.code, envelope.message, answer, order=order)
    if answer.status != 200:  # a gateway's, whatever its body says
        replies.refuse(answer, None, "", facts.ERRORS, order=order)
    return envelope


def _read(shape: wire.Decoder[T], content: Raw, *, order: bool) -> T:
    try:
        return wire.decode(shape, content)
    except MalformedFrame as error:
        if order:
            raise OutcomeUnknown(f"an answer that cannot be read: {replies.readable(str(error))}") from error
        raise
