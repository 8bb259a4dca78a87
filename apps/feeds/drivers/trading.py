"""The words of the trading half of a driver: what it is asked with, what it answers, and what holds at an exchange."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from apps.feeds.drivers.base import Closing, Ignored, Ping, Pong, Rate, Welcome
from apps.feeds.orders import (
    AccountEvent,
    Fill,
    OrderStatus,
)

T = TypeVar("T")


class Answer(Struct, frozen=True, kw_only=True):
    """One HTTP answer, whatever its status. `repr` leaves the body out: it may name a key, and the address signs."""

    status: int
    body: bytes
    headers: dict[str, str] = {}  # lower-case names
    url: str = ""  # that was asked, `Request.url`: pages that do not tell their number are counted by it

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"

    __str__ = __repr__


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a list; `cursor` given to the same request asks for the next part, None ends it."""

    rows: list[T]
    cursor: str | None = None
    passed_over: int = 0  # rows that stand there and say nothing


class Placed(Struct, frozen=True, kw_only=True):
    """The exchange took the order. `status` is OPEN unless the answer tells more.

    `filled`: what was executed at once, whether its `fills` are told as well or not; None: not told.
    """

    exchange_order_id: str
    client_order_id: str | None
    status: OrderStatus
    filled: Decimal | None = None
    fills: tuple[Fill, ...] = ()


class IdForm(StrEnum):
    """What a client order id looks like there, see `apps.feeds.client_ids`."""

    TEXT = "text"  # 18 lower-case letters and digits
    INTEGER = "integer"  # positive, below 2**63, as decimal text
    HEX = "hex"  # 0x and 32 digits


class ExpiryCheck(StrEnum):
    """Where the exchange looks at a request's expiry."""

    MATCHER = "matcher"  # what is accepted was in time
    GATEWAY = "gateway"  # it may reach the matcher later, by `Expiry.tail_s`
    NONE = "none"  # no expiry: the signature's age is all there is, `Expiry.longest_ms`


class Expiry(Struct, frozen=True, kw_only=True):
    check: ExpiryCheck
    longest_ms: int  # the longest that may be asked for; with NONE: how old a signature may be
    tail_s: float = 10.0  # after the expiry the outcome is not final for so long


class DeadManTerms(Struct, frozen=True, kw_only=True):
    """The exchange's own timer, which cancels orders unless it is begun anew in time."""

    timer_ms: int = 60_000  # for how long it is asked
    refresh_ms: int = 15_000  # how old it grows before it is begun anew
    by_instrument: bool = False  # each has its own, else all of the account's market share one


class TradeLimits(Struct, frozen=True, kw_only=True):
    """What one account may send; a request names its budget by `Request.budget`, "" is the public half's weight."""

    budgets: Mapping[str, Rate]
    private_sockets: int  # of one account at one time
    greeted: bool = False  # nothing is sent on a private socket before its Welcome, not even the login


class Token(Struct, frozen=True, kw_only=True):
    """What a private socket is opened with. `repr` hides it."""

    value: str
    url: str = ""  # where the exchange tells the address with it
    renew_every_s: float | None = None  # `renew_request` is due so often

    def __repr__(self) -> str:
        return "Token(...)"

    __str__ = __repr__


class LoggedIn(Struct, frozen=True):
    """The login was accepted: subscribe now."""


class LoginRefused(Struct, frozen=True, kw_only=True):
    """The login was refused: stop, tell a person."""

    code: str
    text: str


class Subscribed(Struct, frozen=True, kw_only=True):
    """A private channel runs, or is refused (`ok` false, with the exchange's code and text)."""

    channel: str
    ok: bool = True
    code: str = ""
    text: str = ""


class TokenExpired(Struct, frozen=True):
    """Open another socket with a new token, then sweep by REST: events may be missing."""


PrivateEvent: TypeAlias = (
    AccountEvent | LoggedIn | LoginRefused | Subscribed | TokenExpired | Welcome | Ping | Pong | Closing | Ignored
)
