"""What Bybit's answers say. HTTP is 200 even for refusals: `retCode` tells."""

from typing import Annotated, Generic, NoReturn, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlsplit

from msgspec import Meta, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.bybit import facts
from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import FeedError, UnknownSymbol

T = TypeVar("T")
Word: TypeAlias = Annotated[str, Meta(max_length=64)]
Number: TypeAlias = Annotated[str, Meta(max_length=64)]  # "" is none
MAX_ROWS = 2_000
RESET = "x-bapi-limit-reset-timestamp"


class Envelope(Struct, Generic[T], rename="camel"):
    result: T


class Head(Struct, rename="camel"):
    ret_code: wire.Code
    ret_msg: wire.Words = ""
    time: wire.Millis | None = None


class Rows(Struct, Generic[T], rename="camel"):
    """`category` stands for all rows; positions, wallets and fees have none."""

    list: Annotated[list[T], Meta(max_length=MAX_ROWS)]
    next_page_cursor: wire.Words | None = None
    category: wire.Word | None = None


_head = wire.decoder(Head)
_BANS = frozenset((10009, 10018))  # codes that shut out the whole address


def result(shape: wire.Decoder[Envelope[T]], answer: Answer, *, order: bool = False) -> T:
    """What was asked for. `order`: an order's fate hangs on it."""
    done(answer, order=order)
    return replies.read(shape, answer, order=order).result


def done(answer: Answer, *, order: bool = False, unchanged: bool = False) -> None:
    """Raise unless the exchange says that it was done; `unchanged`: or that it was so already."""
    head = replies.told(_head, answer)
    fine = {facts.OK, *(trading.UNCHANGED if unchanged else ())}
    if answer.status == 200 and head is not None and head.ret_code in fine:
        return
    _refuse(answer, head, order=order)


def _refuse(answer: Answer, head: Head | None, *, order: bool) -> NoReturn:
    if head is None or head.ret_code == facts.OK:
        replies.refuse(answer, None, "", trading.ERRORS, order=order, stay_away=facts.STAY_AWAY_S)
    code = head.ret_code
    after_s = facts.STAY_AWAY_S[facts.FORBIDDEN] if code in _BANS else _reset_s(answer, head)
    table: dict[int, type[FeedError]] = trading.ERRORS
    if code == trading.BAD_PARAMETER and trading.ABOUT_SYMBOL in head.ret_msg.lower():
        table = table | {code: UnknownSymbol}
    replies.refuse(answer, code, head.ret_msg, table, order=order, stay_away=facts.STAY_AWAY_S, after_s=after_s)


def _reset_s(answer: Answer, head: Head) -> float:
    """Until the limit is free again, by the exchange's own clock."""
    reset = answer.headers.get(RESET, "")
    if head.time is None or not reset.isascii() or not reset.isdigit():
        return facts.TOO_MANY_VISITS_S
    return min(max(int(reset) - head.time, 0) / 1000, 60.0) or facts.TOO_MANY_VISITS_S


def asked(answer: Answer) -> dict[str, str]:
    """The parameters that were asked with, where the answer says so."""
    return dict(parse_qsl(urlsplit(answer.url).query, keep_blank_values=True))


def coin_and_token(cursor: str | None) -> tuple[str, str]:
    """A list of one coin after the other: which coin is next, and its page."""
    coin, _, token = (cursor or trading.SETTLED_IN[0]).partition(":")
    return coin, token


def next_page(answer: Answer, token: str | None) -> str | None:
    """Where the next part of a list is: another page, or the next coin that it is asked for by."""
    coin = asked(answer).get("settleCoin")
    if coin is None or coin not in trading.SETTLED_IN:
        return token or None
    if token:
        return f"{coin}:{token}"
    following = trading.SETTLED_IN.index(coin) + 1
    return trading.SETTLED_IN[following] if following < len(trading.SETTLED_IN) else None


def window(since_ms: int, now_ms: int, cursor: str | None) -> dict[str, str | int]:
    """Time and page of what is told in spans of some days; a cursor is "start:end:token"."""
    if cursor is None:
        return {"startTime": since_ms, "endTime": min(since_ms + trading.SPAN_MS, now_ms)}
    start, end, token = cursor.split(":", 2)
    if token:
        return {"startTime": start, "endTime": end, "cursor": token}
    return {"startTime": start, "endTime": min(int(start) + trading.SPAN_MS, now_ms)}


def next_window(answer: Answer, token: str | None) -> str | None:
    """The next page of this span, or the next span: there is one where this was as long as may be. Lists that are not
    asked for by time have pages alone."""
    told = asked(answer)
    start, end = told.get("startTime"), told.get("endTime")
    if start is None or end is None:
        return token or None
    if token:
        return f"{start}:{end}:{token}"
    return f"{end}:{end}:" if int(end) - int(start) >= trading.SPAN_MS else None
