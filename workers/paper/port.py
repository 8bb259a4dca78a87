"""The port of a paper account: asked from threads, answered by its matcher in the event loop of the same process."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from apps.feeds.drivers.trading import Expiry, ExpiryCheck, IdForm, Placed
from apps.feeds.errors import InvalidOrder, OutcomeUnknown, Retryable
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
from apps.trading.bookkeeping import paper_rows
from apps.trading.execution.gateway.ports import SendersHalted, check_outside_transaction
from apps.trading.execution.gateway.signal_file import is_halted
from workers.paper.matcher import Matcher

T = TypeVar("T")

ANSWER_S = 3.0  # longer than an order's own expiry
LEVERAGE = 1  # futures on paper are paid in full
EXPIRY = Expiry(check=ExpiryCheck.MATCHER, longest_ms=60_000, tail_s=0.0)


class PaperPort:
    """See `apps.trading.execution.gateway.ports.Port`."""

    dead_man_terms = None
    id_form = IdForm.TEXT
    expiry = EXPIRY

    def __init__(
        self,
        *,
        account_id: int,
        exchange: str,
        market_type: MarketType,
        matcher: Matcher,
        loop: asyncio.AbstractEventLoop,
        halt_file: Path,
    ) -> None:
        self.account_id = account_id
        self.exchange = exchange
        self.market_type = market_type
        self._matcher = matcher
        self._loop = loop
        self._halt_file = halt_file

    def now_ms(self) -> int:
        return self._matcher.now_ms()

    def clock_error_ms(self) -> int | None:
        return 0

    def place(self, order: NewOrder, *, check: Callable[[], None] | None = None) -> Placed:
        if is_halted(self._halt_file):
            raise SendersHalted("the signal file of this host is there")
        if check is not None:
            check()
        try:
            return self._ask(self._matcher.place(order))
        except TimeoutError:
            raise OutcomeUnknown(f"{order.client_order_id}: the matcher has not answered") from None

    def cancel(self, ref: OrderRef) -> None:
        try:
            self._ask(self._matcher.cancel(ref))
        except TimeoutError:
            raise OutcomeUnknown("the matcher has not answered") from None

    def cancel_all(self, instrument: Instrument, ours: Collection[str]) -> bool:  # nobody else orders on paper
        try:
            self._ask(self._matcher.cancel_all(instrument))
        except TimeoutError:
            raise OutcomeUnknown("the matcher has not answered") from None
        return True

    def look_up(self, ref: OrderRef) -> OrderUpdate:
        return self._read(self._matcher.order(ref))

    def open_orders(self, instrument: Instrument | None) -> list[OrderUpdate]:
        return self._read(self._matcher.open_orders(instrument))

    def own_trades(self, instrument: Instrument, since_ms: int) -> list[Fill]:
        self._read(self._matcher.settle())
        return paper_rows.fills(self.account_id, instrument, since_ms=since_ms)

    def order_trades(self, ref: OrderRef) -> list[Fill]:
        self._read(self._matcher.settle())
        return paper_rows.fills(self.account_id, ref.instrument, ref=ref)

    def balances(self) -> Balances:
        return self._read(self._matcher.balances())

    def positions(self) -> Positions:
        return self._read(self._matcher.positions())

    def fees(self, instrument: Instrument) -> Fees:
        return self._matcher.fees

    def funding(self, instrument: Instrument, since_ms: int) -> list[FundingPayment]:
        return []

    def set_leverage(self, instrument: Instrument, leverage: int, mode: MarginMode) -> None:
        if leverage != LEVERAGE:
            raise InvalidOrder(f"{instrument.pair}: on paper there is no leverage")

    def dead_man(self, timer_ms: int | None, instrument: Instrument | None = None) -> int | None:
        return None

    def _read(self, asked: Coroutine[Any, Any, T]) -> T:
        try:
            return self._ask(asked)
        except TimeoutError:
            raise Retryable("the matcher has not answered") from None

    def _ask(self, asked: Coroutine[Any, Any, T]) -> T:
        """Raise TimeoutError when the event loop is busy with something else for too long."""
        try:
            check_outside_transaction()
            if self._matcher.is_closed:
                raise Retryable("the account is not matched here any more")
            future = asyncio.run_coroutine_threadsafe(asked, self._loop)
        except BaseException:
            asked.close()  # nobody will run it
            raise
        try:
            return future.result(ANSWER_S)
        except TimeoutError:
            future.cancel()
            raise
