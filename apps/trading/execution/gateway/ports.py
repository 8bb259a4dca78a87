"""One account's way to where its orders go: its exchange, or the paper matcher. Called from threads.

Amounts are in base currency both ways. Every call but the clock's may take seconds, and none is made inside a database
transaction: `check_outside_transaction` is the first line of each.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from django.db import connections

from apps.feeds.drivers.trading import DeadManTerms, Expiry, IdForm, Placed
from apps.feeds.errors import Retryable
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Balances,
    Fees,
    Fill,
    FundingPayment,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderUpdate,
    Positions,
)
from apps.trading.not_placed import Patience


class CannotWork(Exception):
    """This process has no way to that account: it is closed, has no key, or is on paper and matched elsewhere."""


class KeyClosed(CannotWork):
    """The account's key does not open here: it may elsewhere."""


class SendersHalted(Retryable):
    """The signal file of this host is there: nothing was sent."""


class InsideTransaction(RuntimeError):
    """Somebody would wait for an exchange with rows locked."""


class Port(Protocol):
    """Errors are those of `apps.feeds.errors`: Retryable and its kinds when nothing was sent, Refused and its kinds
    for a definite no, OutcomeUnknown where nothing is proven, MalformedFrame for a read that cannot be read.
    """

    @property
    def account_id(self) -> int: ...

    @property
    def exchange(self) -> str: ...

    @property
    def market_type(self) -> MarketType: ...

    @property
    def id_form(self) -> IdForm: ...

    @property
    def expiry(self) -> Expiry: ...

    def now_ms(self) -> int:
        """The exchange's time, without asking it; our own where it was never measured."""
        ...

    def clock_error_ms(self) -> int | None:
        """How wrong `now_ms` may be; None: nobody knows."""
        ...

    def place(self, order: NewOrder, *, check: Callable[[], None] | None = None) -> Placed:
        """Send it once. `check` is called last of all before it leaves: what it raises comes out, and nothing was sent.

        Raises SendersHalted as well. Fills of the answer are in base currency.
        """
        ...

    def cancel(self, ref: OrderRef) -> None:
        """Return when the cancel was accepted; UnknownOrder or OrderIsFinal when there is nothing to cancel."""
        ...

    def cancel_all(self, instrument: Instrument, ours: Collection[str]) -> bool:
        """Everything of the account on the instrument, in one request; False: nothing was asked, since the exchange has
        no such one, or lists an order right before whose ids, its own and the client's, are both not `ours`."""
        ...

    def look_up(self, ref: OrderRef) -> OrderUpdate:
        """Among open orders, then among finished ones. Raise UnknownOrder only for a clean answer that says so."""
        ...

    def open_orders(self, instrument: Instrument | None) -> list[OrderUpdate]:
        """All of them, or an error; None: of the whole market."""
        ...

    def own_trades(self, instrument: Instrument, since_ms: int) -> list[Fill]: ...

    def order_trades(self, ref: OrderRef) -> list[Fill]:
        """Those of one order; where that cannot be asked, the last minutes' of the instrument that are the order's."""
        ...

    def balances(self) -> Balances: ...

    def positions(self) -> Positions: ...

    def fees(self, instrument: Instrument) -> Fees: ...

    def funding(self, instrument: Instrument, since_ms: int) -> list[FundingPayment]: ...

    def set_leverage(self, instrument: Instrument, leverage: int, mode: MarginMode) -> None: ...

    @property
    def dead_man_terms(self) -> DeadManTerms | None:
        """Of the exchange that cancels the account's orders by itself, unless it is told in time not to; None: none."""
        ...

    def dead_man(self, timer_ms: int | None, instrument: Instrument | None = None) -> int | None:
        """Start a timer anew, or stop it (None). Return when it is due by the exchange's clock, None: never."""
        ...


class Ports(Protocol):
    def of(self, account_id: int) -> Port:
        """The same one as long as the account and its key are the same. One query; raise CannotWork."""
        ...


def patience(expiry: Expiry) -> Patience:
    """How long an exchange may hide an order whose request was lost."""
    return Patience(tail_ms=round(expiry.tail_s * 1000))


def check_outside_transaction() -> None:
    """Raise InsideTransaction; the transaction that a test is wrapped in does not count."""
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise InsideTransaction("an exchange is not asked inside a transaction")
