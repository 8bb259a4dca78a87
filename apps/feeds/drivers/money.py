"""Money on the wire: exact decimals in and out, within bounds that no sane account breaks."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.drivers.trading import Page
from apps.feeds.errors import Flaw, MalformedFrame
from apps.feeds.orders import Fill, OrderUpdate

Event = TypeVar("Event", OrderUpdate, Fill)
Row = TypeVar("Row")

MAX_MAGNITUDE = 30  # powers of ten, up and down
MAX_LENGTH = 100  # characters of a number
MAX_NAME = 128  # characters of an id
MAX_TEXT = 300  # of an exchange's own words
_NUMBER = re.compile(r"-?\d{1,45}(\.\d{1,45})?([eE][+-]?\d{1,2})?", re.ASCII)


class Exact(Struct):
    """A shape whose `Decimal` fields must be finite and of a sane size; decoding refuses others."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            told = getattr(self, name)
            if isinstance(told, Decimal) and not _sane(told):
                raise ValueError(f"{name}: not a sane number")


def number(told: str | Decimal | None) -> Decimal | None:
    """A number that may be missing: None, "" and "null" say nothing. Raise MalformedFrame for what is no number."""
    if told is None or told in ("", "null"):
        return None
    if isinstance(told, str) and not _NUMBER.fullmatch(told):
        raise MalformedFrame(f"not a number: {told[:40]!r}", flaw=Flaw.SHAPE)
    exact = Decimal(told)
    if not _sane(exact):
        raise MalformedFrame(f"not a sane number: {str(told)[:40]!r}", flaw=Flaw.SHAPE)
    return exact


def amount(told: str | Decimal | None) -> Decimal:
    """A number where nothing means zero."""
    return number(told) or Decimal(0)


def needed(told: str | Decimal | None) -> Decimal:
    """A number that must be there: raise MalformedFrame for none."""
    exact = number(told)
    if exact is None:
        raise MalformedFrame("a number that is not told")
    return exact


def positive(told: str | Decimal | None) -> Decimal | None:
    """A number where nothing, zero and less mean that there is none: an average price before the first fill."""
    exact = number(told)
    return exact if exact is not None and exact > 0 else None


def executed(told: Decimal | None) -> Decimal | None:
    """How much of an order was filled; None: not told. Raise MalformedFrame for less than nothing."""
    if told is not None and told < 0:
        raise MalformedFrame("an amount that cannot be")
    return told


def plain(exact: Decimal) -> str:
    """As exchanges take it: no exponent, no zeros at the end."""
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class NothingExecutedError(MalformedFrame):
    """An execution of nothing, or for nothing: dust, or the settlement of something else."""


def executions(rows: Iterable[Row], fill: Callable[[Row], Fill], cursor: str | None) -> Page[Fill]:
    """Those of a list; rows of nothing end no list."""
    fills, passed_over = [], 0
    for row in rows:
        try:
            fills.append(fill(row))
        except NothingExecutedError:
            passed_over += 1
    return Page(rows=fills, cursor=cursor, passed_over=passed_over)


def sound(event: Event) -> Event:
    """The event, its text cut to what is read. Raise MalformedFrame for amounts, prices and ids that cannot be."""
    names = [event.exchange_order_id, event.client_order_id or ""]
    if isinstance(event, Fill):
        impossible = event.price <= 0 or event.amount <= 0
        names += [event.trade_id, event.fee_asset]
    else:
        told = (event.price, event.amount, event.average_price)
        impossible = event.filled < 0 or any(number is not None and number <= 0 for number in told)
    if impossible:
        nothing = isinstance(event, Fill) and event.price >= 0 and event.amount >= 0
        kind = NothingExecutedError if nothing else MalformedFrame
        raise kind("an amount or a price that cannot be", symbol=event.symbol)
    if any(len(name) > MAX_NAME for name in names):
        raise MalformedFrame("an id that cannot be", symbol=event.symbol, flaw=Flaw.SHAPE)
    if isinstance(event, OrderUpdate) and len(event.text) > MAX_TEXT:
        return replace(event, text=event.text[:MAX_TEXT])
    return event


def _sane(exact: Decimal) -> bool:
    """A zero too has an exponent: written out it is as long."""
    if not exact.is_finite() or len(str(exact)) > MAX_LENGTH:
        return False
    return abs(exact.adjusted()) <= (MAX_MAGNITUDE if exact else MAX_LENGTH)
