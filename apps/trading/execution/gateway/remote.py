"""The port to an exchange: an OrderClient, with the key of one account."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import structlog
from msgspec.structs import replace

from apps.feeds import selectors as feeds
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import DeadManTerms, Expiry, IdForm, Placed
from apps.feeds.errors import UnknownOrder
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.feeds.orders import (
    Balances,
    Credentials,
    Fees,
    Fill,
    FundingPayment,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderUpdate,
    Positions,
    in_base,
)
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.trading.execution.gateway.asking import Asking, Nonces, Run, Seat
from apps.trading.execution.gateway.clocks import Clock
from apps.trading.execution.gateway.ports import SendersHalted
from apps.trading.execution.gateway.signal_file import is_halted

log = structlog.get_logger(__name__)


class RemotePort:
    """See `ports.Port`. Threads may share it."""

    def __init__(
        self,
        seat: Seat,
        *,
        client: OrderClient,
        trader: Trader,
        run: Run,
        clock: Clock,
        nonces: Nonces,
        halt_file: Path,
    ) -> None:
        self._seat, self._trader, self._clock = seat, trader, clock
        self._asking = Asking(seat, client=client, run=run, clock=clock, nonces=nonces)
        self._halt_file = halt_file

    @property
    def account_id(self) -> int:
        return self._seat.account_id

    @property
    def exchange(self) -> str:
        return self._seat.exchange

    @property
    def market_type(self) -> MarketType:
        return self._seat.market_type

    @property
    def id_form(self) -> IdForm:
        return self._trader.id_form(self.market_type)

    @property
    def expiry(self) -> Expiry:
        return self._trader.expiry(self.market_type)

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def clock_error_ms(self) -> int | None:
        return self._clock.error_ms()

    # orders

    def place(self, order: NewOrder, *, check: Callable[[], None] | None = None) -> Placed:
        def last_look() -> None:
            if check is not None:
                check()
            if is_halted(self._halt_file):
                raise SendersHalted("the signal file of this host is there")

        request = self._trader.place(self._keys, order, self._asking.signed_ms())
        placed = self._asking.ask(
            request, Purpose.ORDER, lambda answer: self._trader.parse_placed(order, answer), check=last_look
        )
        filled = None if placed.filled is None else placed.filled * order.instrument.contract_size
        return replace(placed, filled=filled, fills=tuple(in_base(fill, order.instrument) for fill in placed.fills))

    def cancel(self, ref: OrderRef) -> None:
        request = self._trader.cancel(self._keys, ref, self._asking.signed_ms())
        self._asking.ask(request, Purpose.CANCEL, lambda answer: self._trader.parse_cancelled(ref, answer))

    def cancel_all(self, instrument: Instrument, ours: Collection[str]) -> bool:
        def signed() -> Request | None:  # twice, since the look may take seconds
            return self._trader.cancel_all(self._keys, instrument, self._asking.signed_ms())

        if signed() is None or self._lists_others(instrument, ours) or (request := signed()) is None:
            return False
        self._asking.ask(request, Purpose.CANCEL, lambda answer: self._trader.parse_cancelled_all(instrument, answer))
        return True

    def look_up(self, ref: OrderRef) -> OrderUpdate:
        try:
            found = self._look_up(self._trader.query(self._keys, ref, self.now_ms()), ref)
        except UnknownOrder:
            finished = self._trader.query_finished(self._keys, ref, self.now_ms())
            if finished is None:
                raise
            found = self._look_up(finished, ref)
        return in_base(found, ref.instrument)

    def open_orders(self, instrument: Instrument | None) -> list[OrderUpdate]:
        rows = self._asking.pages(
            lambda cursor: self._trader.open_orders(self._keys, self.market_type, instrument, self.now_ms(), cursor),
            lambda answer: self._trader.parse_open_orders(self.market_type, answer),
        )
        of = self._instruments(rows) if instrument is None else {row.symbol: instrument for row in rows}
        return [in_base(row, of[row.symbol]) for row in rows if row.symbol in of]

    def own_trades(self, instrument: Instrument, since_ms: int) -> list[Fill]:
        rows = self._asking.pages(
            lambda cursor: self._trader.own_trades(self._keys, instrument, since_ms, self.now_ms(), cursor),
            lambda answer: self._trader.parse_own_trades(instrument, answer),
        )
        return [in_base(row, instrument) for row in rows]

    def order_trades(self, ref: OrderRef) -> list[Fill]:
        rows = self._asking.pages(
            lambda cursor: self._trader.order_trades(self._keys, ref, self.now_ms(), cursor),
            lambda answer: self._trader.parse_own_trades(ref.instrument, answer),
        )
        return [in_base(row, ref.instrument) for row in rows if _is_of(row, ref)]

    # the account

    def balances(self) -> Balances:
        request = self._trader.balances(self._keys, self.market_type, self.now_ms())
        rows = self._asking.read(request, lambda answer: self._trader.parse_balances(self.market_type, answer))
        return Balances(rows=rows, whole=True)

    def positions(self) -> Positions:
        rows = self._asking.pages(
            lambda cursor: self._trader.positions(self._keys, self.now_ms(), cursor), self._trader.parse_positions
        )
        of = self._instruments(rows)
        return Positions(rows=[in_base(row, of[row.symbol]) for row in rows if row.symbol in of], whole=True)

    def fees(self, instrument: Instrument) -> Fees:
        request = self._trader.fees(self._keys, instrument, self.now_ms())
        return self._asking.read(request, lambda answer: self._trader.parse_fees(instrument, answer))

    def funding(self, instrument: Instrument, since_ms: int) -> list[FundingPayment]:
        return self._asking.pages(
            lambda cursor: self._trader.funding(self._keys, instrument, since_ms, self.now_ms(), cursor),
            lambda answer: self._trader.parse_funding(instrument, answer),
        )

    def set_leverage(self, instrument: Instrument, leverage: int, mode: MarginMode) -> None:
        for request in self._trader.set_leverage(self._keys, instrument, leverage, mode, self._asking.signed_ms()):
            self._asking.ask(request, Purpose.ORDER, self._trader.parse_leverage_set)

    @property
    def dead_man_terms(self) -> DeadManTerms | None:
        return self._trader.dead_man_terms(self._keys, self.market_type)

    def dead_man(self, timer_ms: int | None, instrument: Instrument | None = None) -> int | None:
        now_ms = self._asking.signed_ms()
        request = self._trader.dead_man(self._keys, self.market_type, timer_ms, now_ms, instrument)
        if request is None:
            return None
        return self._asking.ask(
            request,
            Purpose.ORDER,
            lambda answer: self._trader.parse_dead_man(self.market_type, timer_ms, now_ms, answer),
        )

    # asking

    @property
    def _keys(self) -> Credentials:
        return self._seat.keys

    def _lists_others(self, instrument: Instrument, ours: Collection[str]) -> bool:
        ids = [{row.client_order_id, row.exchange_order_id} for row in self.open_orders(instrument)]
        return any(each.isdisjoint(ours) for each in ids)

    def _look_up(self, request: Request, ref: OrderRef) -> OrderUpdate:
        return self._asking.read(request, lambda answer: self._trader.parse_order(ref, answer))

    def _instruments(self, rows: Sequence[Any]) -> dict[str, Instrument]:
        """By the exchange's own spelling; what is not listed here cannot be counted, and is left out."""
        symbols = {row.symbol for row in rows}
        listed = TradePair.objects.select_related("exchange").filter(
            exchange__code=self.exchange, market_type=self.market_type, symbol__in=symbols
        )
        of = {row.symbol: feeds.instrument(row) for row in listed}
        if missing := symbols - of.keys():
            log.warning("not in the catalogue", account=self.account_id, symbols=sorted(missing))
        return of


def _is_of(fill: Fill, ref: OrderRef) -> bool:
    if fill.exchange_order_id and ref.exchange_order_id is not None:
        return fill.exchange_order_id == ref.exchange_order_id
    return fill.client_order_id is not None and fill.client_order_id == ref.client_order_id
