"""What an answer means that is not the one asked for: HTTP statuses, and the exchanges' own codes by their tables.

A table names the class of every code that is documented. One that it does not name says nothing certain: of an order's
fate it is `OutcomeUnknown`, of a read `Refused`.
"""

import re
from collections.abc import Mapping
from typing import NoReturn, TypeVar

from apps.feeds.drivers import wire
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import Banned, FeedError, Flaw, MalformedFrame, OutcomeUnknown, RateLimited, Refused, Retryable

Code = TypeVar("Code", int, str)
T = TypeVar("T")

TOO_MANY = 429
STAY_AWAY_S: Mapping[int, float] = {TOO_MANY: 5.0, 418: 120.0, 403: 600.0}  # without a Retry-After
MAX_TEXT = 300
MAX_CODE = 64
MAX_ANSWER = 4_000_000  # bytes; the longest list of an account, its open orders, has about 3 million
# Some exchanges repeat in their refusals what was signed, the key in it: long words of letters and digits are not told.
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_-]{16,}")


def readable(text: str) -> str:
    """An exchange's own words as they may be logged: short, and without anything that looks like a key."""
    return _LONG_WORD.sub(_hidden, text[: MAX_TEXT * 4])[:MAX_TEXT]


def _hidden(word: re.Match[str]) -> str:
    mixed = any(map(str.isdigit, word[0])) and any(map(str.isalpha, word[0]))
    return "[hidden]" if mixed else word[0]


def raise_for(
    code: Code, text: str, table: Mapping[Code, type[FeedError]], *, order: bool, after_s: float = 1.0
) -> NoReturn:
    """Raise what `table` says of a refusal. `order`: it answers a request whose fate matters (place, cancel).

    `after_s` is how long to stay away, where the table says `Retryable` or a child of it. A read that the table calls
    `OutcomeUnknown` may simply be sent again.
    """
    kind = table.get(code, OutcomeUnknown if order else Refused)
    told = str(code)[:MAX_CODE]
    message = f"{told}: {readable(text)}"
    if issubclass(kind, OutcomeUnknown) and not order:
        kind = Retryable
    if issubclass(kind, Retryable):
        raise kind(message, after_s=after_s)
    if issubclass(kind, Refused | OutcomeUnknown):
        raise kind(message, code=told)
    raise kind(message)


def raise_for_status(answer: Answer, *, order: bool, stay_away: Mapping[int, float] = STAY_AWAY_S) -> None:
    """Raise what the HTTP status alone says; return when it says nothing.

    `stay_away`: seconds by status where no Retry-After tells. A gateway's 5xx proves nothing about an order: a table's
    definite codes are to be looked up before.
    """
    status = answer.status
    if status in stay_away:
        kind = RateLimited if status == TOO_MANY else Banned
        raise kind(f"HTTP {status}", after_s=wire.retry_header(answer.headers, stay_away[status]))
    if status >= 500 and order:
        raise OutcomeUnknown(f"HTTP {status}", code=str(status))
    if status >= 500:
        raise Retryable(f"HTTP {status}")


def refuse(
    answer: Answer,
    code: Code | None,
    text: str,
    table: Mapping[Code, type[FeedError]],
    *,
    order: bool,
    stay_away: Mapping[int, float] = STAY_AWAY_S,
    after_s: float = 1.0,
) -> NoReturn:
    """Raise what an answer says that is not a success: by its code where the table knows that, else by its status.

    `code` None: the body is not the exchange's own, a gateway wrote it. `after_s`: how long to stay away by the code.
    """
    known = None if code is None else table.get(code)
    if known is None or issubclass(known, RateLimited | Banned):
        raise_for_status(answer, order=order, stay_away=stay_away)
    if code is not None:
        raise_for(code, text, table, order=order, after_s=after_s)
    if order:
        raise OutcomeUnknown(f"HTTP {answer.status} without a code", code=str(answer.status))
    raise MalformedFrame(f"HTTP {answer.status}: not an answer of the exchange")


def read(shape: wire.Decoder[T], answer: Answer, *, order: bool) -> T:
    """Decode an answer; one that cannot be read is MalformedFrame, and OutcomeUnknown where an order hangs on it."""
    try:
        return _body(shape, answer)
    except MalformedFrame as error:
        if order:
            raise OutcomeUnknown(f"an answer that cannot be read: {readable(str(error))}") from error
        raise


def told(shape: wire.Decoder[T], answer: Answer) -> T | None:
    """What the body says, None of one that says nothing of the kind: the page of a firewall."""
    try:
        return _body(shape, answer)
    except MalformedFrame:
        return None


def _body(shape: wire.Decoder[T], answer: Answer) -> T:
    if len(answer.body) > MAX_ANSWER:
        raise MalformedFrame(f"an answer of {len(answer.body)} bytes", flaw=Flaw.SIZE)
    wire.check_objects(answer.body.count(b"{"))
    return wire.body(shape, answer.body)
