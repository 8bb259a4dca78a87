"""What a strategy or a person wants: an intent. Risk makes an order of it, or says why not."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from apps.feeds.market import Instrument, Side
from apps.feeds.orders import MarginMode, OrderType, PositionSide, TimeInForce


class Purpose(StrEnum):
    ENTRY = "entry"  # an opportunity: when it is gone, it is gone
    HEDGE = "hedge"  # covers a leg that was filled
    CLOSE = "close"  # ends a position
    FLATTEN = "flatten"  # ends it when everything was stopped: a person has confirmed that


class OrderIntent(Struct, frozen=True, kw_only=True):
    """Amounts in base currency, as wanted: risk brings them onto the grid. `price` None: at the market."""

    intent_key: str  # the caller's: the same key is the same intent
    account_id: int
    user_id: int
    trade_id: int
    instrument: Instrument
    side: Side
    type: OrderType
    amount: Decimal
    created_ms: int
    price: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC
    purpose: Purpose = Purpose.ENTRY
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.NET
    margin_mode: MarginMode = MarginMode.ISOLATED
    leverage: int | None = None  # None: what the account is set to
    parent_id: int | None = None  # the intent that this is a part of
    arbitrage_id: int | None = None  # the arbitrage that this is a leg of
    max_age_ms: int = 5_000
    repeats: bool = False  # the same again within a second is meant
    intent_id: int | None = None  # None: it is not written yet

    def is_too_old(self, now_ms: int) -> bool:
        return now_ms - self.created_ms > self.max_age_ms
