"""Requests of one account: signed in their order, asked once, with all pages of a list."""

import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import structlog
from msgspec import Struct

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import ClockSkew, OutcomeUnknown, Retryable
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials
from apps.feeds.transport.orders import TIMEOUT_S, TURN_S, OrderClient, Purpose
from apps.trading.execution.gateway.clocks import Clock
from apps.trading.execution.gateway.ports import check_outside_transaction
from apps.trading.execution.runtime import failing

PATIENT_S = 3.0  # lists of a sweep and cancels of a halt follow each other: each waits for room, as long as it is good
ANSWER_S = TIMEOUT_S + PATIENT_S + 2.0  # longer than the client itself waits: then its word is the better one
MOST_PAGES = 200
PASSED_OVER = "rows passed over"  # what lists have with them that says nothing
log = structlog.get_logger(__name__)
T = TypeVar("T")


class Run(Protocol):
    """`transport.loop.run`, or the same on the loop that a daemon has: waits in a thread that is not the loop's."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T: ...


class Seat(Struct, frozen=True, kw_only=True):
    """Whose requests, and where to. `repr` shows no key."""

    account_id: int
    exchange: str
    market_type: MarketType
    keys: Credentials


class Nonces:
    """The exchange's time, never twice the same for one key: some count signatures by it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0

    def next_ms(self, now_ms: int) -> int:
        with self._lock:
            self._last_ms = max(now_ms, self._last_ms + 1)
            return self._last_ms


class Asking:
    """Threads may share it. What it raises is what `ports.Port` says."""

    def __init__(self, seat: Seat, *, client: OrderClient, run: Run, clock: Clock, nonces: Nonces) -> None:
        self.seat, self.clock = seat, clock
        self._client, self._run, self._nonces = client, run, nonces

    def signed_ms(self) -> int:
        """The exchange's time for a request that changes something."""
        return self._nonces.next_ms(self.clock.now_ms())

    def pages(self, request: Callable[[str | None], Request], parse: Callable[[Answer], Page[T]]) -> list[T]:
        """All rows. Part of a list proves nothing: raise Retryable for one without end."""
        rows: list[T] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = self.read(request(cursor), parse)
            rows += page.rows
            if page.passed_over:
                many, lists = page.passed_over, failing.count(PASSED_OVER)
                log.warning(PASSED_OVER, account=self.seat.account_id, rows=many, lists=lists)
            if (cursor := page.cursor) is None:
                return rows
        raise Retryable(f"{self.seat.exchange}: a list of more than {MOST_PAGES} pages")

    def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        return self.ask(request, Purpose.READ, parse)

    def ask(
        self,
        request: Request,
        purpose: Purpose,
        parse: Callable[[Answer], T],
        check: Callable[[], None] | None = None,
    ) -> T:
        check_outside_transaction()
        seat = self.seat
        turn_s = TURN_S if purpose is Purpose.ORDER else PATIENT_S
        asked = self._client.ask(
            seat.exchange, str(seat.account_id), request, purpose, parse, turn_s=turn_s, check=check
        )
        try:
            return self._run(asked, ANSWER_S)
        except ClockSkew:
            self.clock.doubt()
            raise
        except TimeoutError:
            if purpose is Purpose.READ:
                raise Retryable(f"{request}: nobody waited for the answer") from None
            raise OutcomeUnknown(f"{request}: nobody waited for the answer") from None
