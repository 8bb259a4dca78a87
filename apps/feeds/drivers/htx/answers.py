"""What HTX's signed REST answers have in common: three shapes of success and refusal, pages, windows of time."""

from typing import Annotated, Generic, NoReturn, TypeVar
from urllib.parse import parse_qs, urlsplit

from msgspec import Meta, Struct, field

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.htx import facts as public_facts
from apps.feeds.drivers.htx import rest
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import BadCredentials, ClockSkew, MalformedFrame, RateLimited, Retryable
from apps.feeds.market import MarketType

T = TypeVar("T")


class Head(Struct):
    """Spot and the older half of contracts have a status and a code of their own when refused; v5 has a code always."""

    status: wire.Word | None = None
    code_: wire.Word | wire.Code | None = field(default=None, name="code")
    spot_code: wire.Word | wire.Code | None = field(default=None, name="err-code")
    old_code: wire.Word | wire.Code | None = field(default=None, name="err_code")
    message: wire.Words | None = None
    msg: wire.Words | None = None
    spot_text: wire.Words | None = field(default=None, name="err-msg")
    old_text: wire.Words | None = field(default=None, name="err_msg")

    @property
    def code(self) -> str | None:
        told = next((one for one in (self.spot_code, self.old_code, self.code_) if one is not None), None)
        return None if told is None else str(told)

    @property
    def text(self) -> str:
        return self.spot_text or self.old_text or self.message or self.msg or self.status or ""

    @property
    def is_ok(self) -> bool:
        return self.status == public_facts.OK or (self.status is None and self.code == "200")


class Data(Struct, Generic[T]):
    data: T | None = None


class Rows(Struct, Generic[T]):
    data: Annotated[list[T], Meta(max_length=wire.MAX_PRINTS)] | None = None


_head = wire.decoder(Head)


def read(shape: wire.Decoder[T], market_type: MarketType, answer: Answer, *, order: bool = False) -> T:
    """What it says. Raises what a refusal means. `order`: the fate of an order hangs on it."""
    accept(market_type, answer, order=order)
    return replies.read(shape, answer, order=order)


def accept(market_type: MarketType, answer: Answer, *, order: bool) -> None:
    """Return when the request was accepted, whatever it tells beside."""
    # No account has more to tell than that.
    head = replies.told(_head, answer) if len(answer.body) <= wire.MAX_FRAME else None
    if head is None or (head.status is None and head.code is None):
        replies.refuse(answer, None, "", facts.ERRORS[market_type], order=order)
    if not head.is_ok:
        _refuse(head, market_type, answer, order=order)
    if answer.status != 200:  # a gateway's, whatever its body says
        replies.refuse(answer, None, "", facts.ERRORS[market_type], order=order)


def _refuse(head: Head, market_type: MarketType, answer: Answer, *, order: bool) -> NoReturn:
    wait_s = rest.retry_after(answer.status, answer.headers, answer.body)
    if wait_s is not None:
        raise RateLimited(f"{head.code}: {replies.readable(head.text)}", after_s=wait_s)
    if head.status == public_facts.MAINTAIN and not order:
        raise Retryable("maintenance", after_s=public_facts.MAINTAIN_S)
    refuse(head.code or head.text, head.text, market_type, answer, order=order)


def refuse(code: str, text: str, market_type: MarketType, answer: Answer, *, order: bool) -> NoReturn:
    """Raise what a code means; some say it in words only."""
    table = facts.ERRORS[market_type]
    kind = table.get(code)
    if kind is BadCredentials and facts.CLOCK_WORD in text.lower():
        kind = ClockSkew
    elif code in facts.SAID_IN_WORDS:
        kind = facts.WORDS.get(text)
    replies.refuse(answer, code, text, {} if kind is None else {code: kind}, order=order)


def window(since_ms: int, now_ms: int, cursor: str | None) -> tuple[int, int | None, str | None]:
    """Start, end and the last row seen of the part of a list that is asked for next; no end: up to now.

    A cursor is the start of a window, with the last row of a page where it has more.
    """
    start, _, last = (cursor or str(since_ms)).partition(":")
    started = int(start)
    return started, started + facts.WINDOW_MS if now_ms - started > facts.WINDOW_MS else None, last or None


def next_window(answer: Answer, start_name: str, end_name: str, last_id: str | None) -> str | None:
    """The cursor after a page; `last_id` where the page was full. The address that was asked tells the window."""
    start, end = asked(answer, start_name), asked(answer, end_name)
    if last_id is not None and start is not None:
        return f"{start}:{last_id}"
    if last_id is not None and not answer.url:
        raise MalformedFrame("more rows of a list whose window is not known")
    return end


def asked(answer: Answer, name: str) -> str | None:
    """A parameter of the request that is answered."""
    told = parse_qs(urlsplit(answer.url).query).get(name)
    return told[0] if told else None
