"""What Hyperliquid's answers share: refusals are texts, most of them under HTTP 200 and some in a list of outcomes."""

from decimal import Decimal
from typing import Annotated, NoReturn, TypeVar

from msgspec import Meta, Struct

from apps.feeds.drivers import money, replies, wire
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.hyperliquid.facts import STAY_AWAY_S
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import OutcomeUnknown, Refused

T = TypeVar("T")
_STAY_AWAY_S = {**replies.STAY_AWAY_S, replies.TOO_MANY: STAY_AWAY_S}
_OK = 200
_UNKNOWN = "error"  # instead of a code


class Resting(Struct):
    oid: wire.Id
    cloid: wire.Word | None = None


class Filled(money.Exact, rename="camel"):
    oid: wire.Id
    total_sz: Decimal
    avg_px: Decimal
    cloid: wire.Word | None = None


class Outcome(Struct):
    """Of one order or cancel; exactly one is told."""

    resting: Resting | None = None
    filled: Filled | None = None
    error: wire.Words | None = None


class Outcomes(Struct):
    statuses: Annotated[list[Outcome | wire.Words], Meta(max_length=100)]


class Response(Struct):
    type: wire.Word
    data: Outcomes | None = None


class Reply(Struct):
    status: wire.Word
    response: Response | wire.Words


_reply = wire.decoder(Reply)


def outcome(answer: Answer) -> Outcome | str:
    """What became of the one order or cancel that was sent; raise what its refusal says, else OutcomeUnknown."""
    data = _accepted(answer).data
    if data is None or len(data.statuses) != 1:
        raise OutcomeUnknown("not one outcome in answer to one order")
    told = data.statuses[0]
    if isinstance(told, Outcome) and told.error is not None:
        refuse(answer, told.error, order=True)
    return told


def done(answer: Answer, *, order: bool = True) -> None:
    """An action without outcomes of its own. `order`: the fate of one hangs on it."""
    _accepted(answer, order=order)


def read(shape: wire.Decoder[T], answer: Answer) -> T:
    """The answer to a read."""
    if answer.status != _OK:
        if answer.body.strip() == b"null":  # 500, for coins and dexes that it does not know: asking again is in vain
            raise Refused(f"HTTP {answer.status}: nothing of that name", code="null")
        refuse(answer, _text(answer), order=False)
    return replies.read(shape, answer, order=False)


def refuse(answer: Answer, text: str, *, order: bool) -> NoReturn:
    code = next((words for words in facts.ERRORS if words in text), None)
    if answer.status != _OK:
        replies.refuse(answer, code, text, facts.ERRORS, order=order, stay_away=_STAY_AWAY_S)
    replies.raise_for(code or _UNKNOWN, text, facts.ERRORS, order=order, after_s=facts.EXHAUSTED_S)


def _accepted(answer: Answer, *, order: bool = True) -> Response:
    if answer.status != _OK:
        refuse(answer, _text(answer), order=order)
    reply = replies.read(_reply, answer, order=order)
    if isinstance(reply.response, str):
        refuse(answer, reply.response, order=order)
    if reply.status != "ok":
        raise OutcomeUnknown(f"status {reply.status[:40]!r}")
    return reply.response


def _text(answer: Answer) -> str:
    return answer.body[: replies.MAX_TEXT].decode(errors="replace")
