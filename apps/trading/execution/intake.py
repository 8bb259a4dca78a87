"""T0: what a strategy or a person wants is written down once, with what it reserves, or with why risk refuses it."""

from dataclasses import dataclass
from decimal import Decimal

from apps.feeds.market import Side
from apps.feeds.models import TradePair
from apps.feeds.orders import MarginMode, OrderType, PositionSide, TimeInForce
from apps.trading.execution.market import Market
from apps.trading.intent import Purpose
from apps.trading.models import Account, Arbitrage, OrderIntent, Trade
from apps.users.models import User

MAX_AGE_MS = 5_000


class KeyConflict(ValueError):
    """The key was used before, for something else."""


@dataclass(frozen=True)
class Recorded:
    """`created` False: the key was known, and this is its row. A row that risk refused is DONE, with the reason."""

    intent: OrderIntent
    created: bool


def record_intent(
    *,
    key: str,
    account: Account,
    pair: TradePair,
    side: Side,
    type: OrderType,
    amount: Decimal,
    price: Decimal | None = None,
    tif: TimeInForce = TimeInForce.GTC,
    purpose: Purpose = Purpose.ENTRY,
    reduce_only: bool = False,
    position_side: PositionSide = PositionSide.NET,
    margin_mode: MarginMode = MarginMode.ISOLATED,
    leverage: int | None = None,
    repeats: bool = False,
    parent: OrderIntent | None = None,
    arbitrage: Arbitrage | None = None,
    leg: int | None = None,
    max_age_ms: int = MAX_AGE_MS,
    user: User | None,
    trade: Trade | None = None,
    market: Market,
) -> Recorded:
    """Write the intent, once for its key, and wake its lane when that is committed.

    Without a `trade` it is of the TRADE row of orders by hand. Who may act for the account is asked before.
    Raises KeyConflict, and Django's ValidationError, which names the fields, for what can be no order at all.
    """
    raise NotImplementedError


def cancel_intent(intent_id: int) -> bool:
    """End an intent that nobody has begun to send; False: it is too late for that, cancel its order."""
    raise NotImplementedError
