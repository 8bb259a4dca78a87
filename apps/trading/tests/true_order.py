"""What really happens to one order at an exchange that is honest, though slow, forgetful and out of order."""

from collections.abc import Iterator
from decimal import Decimal

from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading.not_placed import Look
from apps.trading.tests.order_events import AMOUNT, EXPIRES_MS, fill, update

TAIL_MS = 10_000  # it may match so long after the order's expiry
LAG_MS = 1_000  # its lists may be so old

Report = OrderUpdate | Fill


class TrueOrder:
    """`reports` is all that it has ever said; `ends_ms`: it was refused or can no longer arrive after that."""

    def __init__(self, chance: Iterator[int]) -> None:
        self.chance = chance
        self.status: OrderStatus | None = None  # None: it has not arrived
        self.refused = False
        self.filled = Decimal(0)
        self.accepted_ms: int | None = None
        self.reports: list[Report] = []

    @property
    def works(self) -> bool:
        return self.status in (OrderStatus.OPEN, OrderStatus.PARTIAL)

    def arrive(self, now_ms: int) -> None:
        if self.status is None and not self.refused and now_ms <= EXPIRES_MS + TAIL_MS:
            self.status, self.accepted_ms = OrderStatus.OPEN, now_ms
            self._tell()

    def refuse(self) -> None:
        self.refused = self.refused or self.status is None

    def trade(self, now_ms: int) -> None:
        if self.works:
            part = min(Decimal(next(self.chance) % 5 + 1), AMOUNT - self.filled)
            self.filled += part
            self.status = OrderStatus.FILLED if self.filled == AMOUNT else OrderStatus.PARTIAL
            self.reports.append(fill(f"t{len(self.reports)}", part, 100 + next(self.chance) % 3, exchange_ms=now_ms))
            self._tell()

    def end(self) -> None:
        if self.works:
            self.status = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)[next(self.chance) % 2]
            self._tell()

    def look(self, now_ms: int) -> Look:
        """Each list may be as old as its lag."""
        seen = [
            self.accepted_ms is not None and self.accepted_ms <= now_ms - next(self.chance) % 5 * LAG_MS // 4
            for _ in range(3)
        ]
        return Look(
            asked_ms=now_ms,
            order_found=seen[0],
            among_open=seen[1] and self.works,
            among_trades=seen[2] and self.filled > 0,
        )

    def _tell(self) -> None:
        assert self.status is not None
        self.reports.append(update(self.status, self.filled))
