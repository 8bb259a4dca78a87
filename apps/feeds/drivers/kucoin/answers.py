"""What KuCoin's REST answers share: `code` tells of errors, whatever the HTTP status; and numbers of any form."""

from decimal import Decimal
from typing import Annotated, Generic, NoReturn, TypeAlias, TypeVar

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import money, replies, wire
from apps.feeds.drivers.kucoin import refusals, rest
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.facts import OK
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import Banned, MalformedFrame, RateLimited

T = TypeVar("T")
Many: TypeAlias = Annotated[list[T], Meta(max_length=wire.MAX_PRINTS)]
Number: TypeAlias = Raw  # written as text here and as a number there: kept as it is spelt, money is never a float
NONE = Raw(b"null")
MAX_NUMBER, MAX_TEXT = 100, 500  # characters


class Head(Struct):
    code: wire.Code | Annotated[str, Meta(max_length=32)]
    msg: wire.Words = ""


class Reply(Struct, Generic[T]):
    data: T


class Items(Struct, Generic[T], rename="camel"):
    """A page: the lists of each generation tell in their own way whether there is another."""

    items: Many[T] = []
    data_list: Many[T] = []
    symbols: Many[wire.Name] = []
    last_id: wire.Id | None = None
    current_page: wire.Id | None = None
    page_number: wire.Id | None = None
    total_page: wire.Id = 0
    has_more: bool = False


_head = wire.decoder(Head)
_anything = wire.decoder(Reply[Raw])


def data(shape: wire.Decoder[Reply[T]], answer: Answer, *, order: bool = False) -> T:
    """What a success tells; else raise what the exchange says. `order`: an order's fate hangs on it."""
    head = replies.told(_head, answer)
    code, text = (None, "") if head is None else (str(head.code), head.msg[:MAX_TEXT])
    if code != OK or answer.status != 200:
        _refuse(answer, code, text, order=order)
    return replies.read(shape, answer, order=order).data


def _refuse(answer: Answer, code: str | None, text: str, *, order: bool) -> NoReturn:
    table = dict(refusals.ERRORS)
    if code in refusals.BY_TEXT:
        table[code] = next((kind for pattern, kind in refusals.TEXTS if pattern.search(text)), table[code])
    known = None if code is None else table.get(code)
    after_s = rest.retry_after(answer.status, answer.headers, answer.body)
    if after_s is not None and (known is None or known is RateLimited):
        kind = Banned if answer.status == 403 else RateLimited
        raise kind(f"{code or answer.status}: {replies.readable(text)}", after_s=after_s)
    replies.refuse(answer, code, text, table, order=order)


def succeeded(answer: Answer, *, order: bool) -> None:
    """Return when it did, whatever else it tells; else raise as `data` does."""
    data(_anything, answer, order=order)


def cursor(page: Items[T]) -> str | None:
    """What to ask for next; None at the end."""
    at, full = page.page_number if page.current_page is None else page.current_page, len(page.items) >= int(facts.PAGE)
    if at is None:
        return str(page.last_id) if full and page.last_id is not None else None
    return str(at + 1) if at < page.total_page or (full and not page.total_page) else None


def number(told: Number) -> Decimal | None:
    """None where nothing or null is told."""
    if len(told) > MAX_NUMBER:
        raise MalformedFrame(f"a number of {len(told)} characters")
    return money.number(bytes(told).decode(errors="replace").strip('"'))


def amount(told: Number) -> Decimal:
    return number(told) or Decimal(0)


def positive(told: Number) -> Decimal | None:
    exact = number(told)
    return exact if exact is not None and exact > 0 else None
