"""What an account is told by its private channels; a dialect turns each event into frames."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from apps.feeds.simulator.trading.accounts import Execution, Holding, Order, Position


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """`order` is a copy as it was then; `execution` is there where `kind` is "trade"."""

    kind: Literal["new", "trade", "cancelled"]
    order: "Order"
    ms: int
    execution: "Execution | None" = None


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Copies of what was touched. "order": money was held back or let go for an order; nothing else changed.

    `changes`: by how much the totals changed; `margins`: of what is locked on futures, what positions hold.
    """

    reason: Literal["order", "trade", "funding", "transfer"]
    market_type: str
    wallet: str
    ms: int
    holdings: dict[str, "Holding"]
    changes: dict[str, Decimal] = field(default_factory=dict)
    positions: tuple["Position", ...] = ()
    margins: dict[str, Decimal] = field(default_factory=dict)


Event: TypeAlias = OrderEvent | AccountEvent
