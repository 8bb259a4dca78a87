"""What all of OKX's REST answers share: `code`, and for orders an `sCode` in each row, under HTTP 200 as well."""

from typing import Annotated, Generic, NoReturn, TypeAlias, TypeVar

from msgspec import Meta, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.drivers.okx.facts import OK, TOO_MANY_S
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import MalformedFrame, OutcomeUnknown

T = TypeVar("T")
Code: TypeAlias = Annotated[str, Meta(max_length=32)]


class Outcome(Struct, rename="camel"):
    s_code: Code = OK
    s_msg: wire.Words = ""


class Head(Struct):
    code: Code
    msg: wire.Words = ""
    data: Annotated[list[Outcome], Meta(max_length=wire.MAX_PRINTS)] = []


class Rows(Struct, Generic[T]):
    data: Annotated[list[T], Meta(max_length=wire.MAX_PRINTS)]


_head = wire.decoder(Head)
_STAY_AWAY_S = {**replies.STAY_AWAY_S, replies.TOO_MANY: TOO_MANY_S}


def rows(shape: wire.Decoder[Rows[T]], answer: Answer, *, order: bool = False) -> list[T]:
    """The rows of a success; else raise what the exchange says. `order`: an order's fate hangs on it."""
    head = replies.told(_head, answer)
    if head is None:
        replies.refuse(answer, None, "", facts.ERRORS, order=order, stay_away=_STAY_AWAY_S)
    refused = next((row for row in head.data if row.s_code != OK), None)
    if refused is not None:
        _refuse(answer, refused.s_code, refused.s_msg, order=order)
    if head.code != OK or answer.status != 200:
        _refuse(answer, head.code, head.msg, order=order)
    return replies.read(shape, answer, order=order).data


def one(shape: wire.Decoder[Rows[T]], answer: Answer, *, order: bool = False) -> T:
    """The only row."""
    told = rows(shape, answer, order=order)
    if len(told) == 1:
        return told[0]
    if order:
        raise OutcomeUnknown(f"{len(told)} rows in answer to one order")
    raise MalformedFrame(f"{len(told)} rows instead of one")


def _refuse(answer: Answer, code: str, text: str, *, order: bool) -> NoReturn:
    """A sub-code follows an underscore."""
    code = code.partition("_")[0]
    if code in facts.TOO_MANY and answer.status == 200:
        replies.raise_for(code, text, facts.ERRORS, order=order, after_s=TOO_MANY_S)
    replies.refuse(answer, code, text, facts.ERRORS, order=order, stay_away=_STAY_AWAY_S)
