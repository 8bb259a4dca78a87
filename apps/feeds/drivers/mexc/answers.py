"""What MEXC's answers share. Spot refuses with a code under an HTTP error, futures in an envelope under HTTP 200."""

from typing import Annotated, Generic, NoReturn, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

from msgspec import Meta, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import FUTURES, OK, SPOT, STAY_AWAY_S, TOO_OFTEN_S
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import NotPermitted
from apps.feeds.market import MarketType

T = TypeVar("T")
MAX_ROWS = 2_000  # pages have 100 rows, an account 500 open orders; all listings are some 1,950

Word: TypeAlias = Annotated[str, Meta(max_length=64)]
Named: TypeAlias = wire.Name | wire.Id  # ids are text in most answers, and bare integers above 2**53 in others


class Head(Struct):
    """A `success` that is missing is a failure in futures; spot says nothing where all is well."""

    success: bool | None = None
    code: wire.Code | None = None
    msg: wire.Words | None = None
    message: wire.Words | None = None


class Wrapped(Struct, Generic[T]):
    data: T


_head = wire.decoder(Head)
_OK_STATUS = 200


def spot(shape: wire.Decoder[T], answer: Answer, *, order: bool = False) -> T:
    """`order`: an order's fate hangs on it."""
    head = replies.told(_head, answer)  # a list has none
    if answer.status != _OK_STATUS or (head is not None and head.code not in (None, OK)):
        _refuse(answer, SPOT, head, order=order)
    return replies.read(shape, answer, order=order)


def futures(shape: wire.Decoder[Wrapped[T]], answer: Answer, *, order: bool = False) -> T:
    """What the envelope of a success holds."""
    accepted(answer, order=order)
    return replies.read(shape, answer, order=order).data


def accepted(answer: Answer, *, order: bool = False) -> None:
    """Raise what an envelope of futures says that is not a success."""
    head = replies.told(_head, answer)
    if head is None or not head.success or head.code != OK or answer.status != _OK_STATUS:
        _refuse(answer, FUTURES, head, order=order)


def refuse_item(code: int, text: str) -> NoReturn:
    """Of one order within a list that was accepted as a whole."""
    replies.raise_for(code, text, facts.FUTURES_ERRORS, order=True)


def next_page(answer: Answer, rows: int) -> str | None:
    """The number of the page after the one that was asked for; None when it was not full, or the list has none."""
    if rows < facts.PAGE:
        return None
    told = parse_qs(urlsplit(answer.url).query).get("page_num", [""])[0]
    return str(int(told) + 1) if told.isascii() and told.isdigit() else None


def _refuse(answer: Answer, market_type: MarketType, head: Head | None, *, order: bool) -> NoReturn:
    code = None if head is None else head.code
    text = "" if head is None else head.message or head.msg or ""
    table = facts.ERRORS[market_type]
    if code == OK:  # and yet no success
        code = None
    if market_type is FUTURES and code == facts.BROKEN and facts.MAINTENANCE in text.lower():
        raise NotPermitted(f"{code}: {replies.readable(text)}", code=str(code))
    if code in facts.TOO_OFTEN and code is not None and answer.status == _OK_STATUS:
        replies.raise_for(code, text, table, order=order, after_s=TOO_OFTEN_S)
    replies.refuse(answer, code, text, table, order=order, stay_away=STAY_AWAY_S)
