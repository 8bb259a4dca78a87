"""The gate: an intent becomes an `ApprovedOrder` here or nowhere, and the executor takes nothing else.

All 22 controls of the plan stand in one table, in the order in which they are asked; the first that denies is told.
R20's and R21's other halves, who pages people and who refreshes the timer, are workers; what halts a scope by itself
is in breakers.py. Whatever is missing, is no number or fails, denies.
"""

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from decimal import Decimal, localcontext
from types import NoneType
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import NewOrder, OrderType, TimeInForce
from apps.trading.intent import OrderIntent, Purpose
from apps.trading.risk import exposure, flow, market
from apps.trading.risk.exposure import Reservation
from apps.trading.risk.rounding import EXACT, amount_down, notional, price_within, slipped
from apps.trading.risk.view import DenyReason, Proposal, RiskView

Check = Callable[[Proposal, RiskView], DenyReason | None]


class Control(Struct, frozen=True):
    """One row of the table: its number in the plan, and the check."""

    number: int
    check: Check


CONTROLS = (
    Control(1, flow.switch),
    Control(19, flow.build),
    Control(20, flow.alert),
    Control(5, market.book),
    Control(5, market.clock),
    Control(22, market.symbol_rules),
    Control(4, market.collar),
    Control(2, market.order_size),
    Control(3, market.depth),
    Control(6, exposure.open_orders),
    Control(7, exposure.leverage),
    Control(7, exposure.exposure),
    Control(8, exposure.balance),
    Control(9, flow.day_loss),
    Control(10, flow.order_rate),
    Control(11, flow.executions),
    Control(12, flow.duplicate),
    Control(13, exposure.parent),
    Control(14, exposure.self_trade),
    Control(15, flow.unknowns),
    Control(16, flow.rejects),
    Control(17, flow.mismatch),
    Control(18, flow.unhedged),
    Control(21, flow.dead_man),
)

PLAIN = (str, int, NoneType)  # words, whole numbers, yes and no

_GATE = object()


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """What may be sent, exactly so. Nobody but this module can make or change one: TypeError."""

    intent: OrderIntent
    amount: Decimal
    price: Decimal
    tif: TimeInForce
    reservation: Reservation
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _GATE:
            raise TypeError("only risk approves orders")

    def order(self, client_order_id: str, expires_ms: int) -> NewOrder:
        """As it is asked of the exchange. Spot knows no reduce-only: risk has seen that it only sells what is held."""
        wanted = self.intent
        return NewOrder(
            instrument=wanted.instrument,
            client_order_id=client_order_id,
            side=wanted.side,
            type=OrderType.LIMIT,
            expires_ms=expires_ms,
            amount=self.amount,
            price=self.price,
            tif=self.tif,
            reduce_only=wanted.reduce_only and wanted.instrument.market_type is MarketType.FUTURES,
            position_side=wanted.position_side,
            margin_mode=wanted.margin_mode,
            leverage=wanted.leverage,
        )


class Denied(Struct, frozen=True, kw_only=True):
    """`control` 0: the intent did not come as far as the controls."""

    reason: DenyReason
    control: int
    text: str = ""


def approve(intent: OrderIntent, view: RiskView) -> ApprovedOrder | Denied:
    """Never raises."""
    control = Control(0, lambda *_: None)
    try:
        with localcontext(EXACT):
            if not _finite(intent, view):
                return Denied(reason=DenyReason.NOT_A_NUMBER, control=0)
            proposal = propose(intent, view)
            if isinstance(proposal, DenyReason):
                return Denied(reason=proposal, control=0)
            for control in CONTROLS:
                if (reason := control.check(proposal, view)) is not None:
                    return Denied(reason=reason, control=control.number)
            held = exposure.reservation(proposal, view)
            return ApprovedOrder(intent, proposal.amount, proposal.price, proposal.tif, held, _GATE)
    except Exception as error:  # noqa: BLE001 - whatever fails, nothing is sent
        return Denied(reason=DenyReason.FAILED, control=control.number, text=f"{type(error).__name__}: {error}")


def propose(intent: OrderIntent, view: RiskView) -> Proposal | DenyReason:
    """The order on the grid; one at the market gets a limit and nothing of it rests. Raise ValueError for nonsense."""
    amount = amount_down(intent.amount, intent.instrument)
    if not amount:
        return DenyReason.TOO_SMALL
    price = _limit(intent, view)
    if isinstance(price, DenyReason):
        return price
    rate = view.rates.get(intent.instrument.quote)
    if rate is None or rate <= 0:
        return DenyReason.MISSING
    reduces = exposure.reducing(intent, amount, view)
    if intent.reduce_only and not reduces:
        return DenyReason.NOT_REDUCING
    value = notional(amount, price, intent.instrument)
    return Proposal(
        intent=intent,
        amount=amount,
        price=price,
        tif=TimeInForce.IOC if intent.type is OrderType.MARKET else intent.tif,
        value=value,
        value_usdt=value * rate,
        reduces=reduces,
    )


def _limit(intent: OrderIntent, view: RiskView) -> Decimal | DenyReason:
    if intent.type is OrderType.LIMIT:
        return (
            DenyReason.MISSING if intent.price is None else price_within(intent.price, intent.side, intent.instrument)
        )
    if view.top is None:
        return DenyReason.NO_BOOK
    touch = view.top.ask if intent.side is Side.BUY else view.top.bid
    flattens = intent.purpose is Purpose.FLATTEN
    share = view.limits.flatten_share if flattens else view.limits.slip_share
    return slipped(touch, intent.side, share, intent.instrument)


def _finite(*values: Any) -> bool:
    """Whether every number in them, however deep, is one. What stands there many times is looked at once."""
    waiting, seen = list(values), set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, PLAIN):
            continue
        if isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()):
            return False  # money is no float
        if isinstance(value, Struct):
            if id(value) not in seen:
                seen.add(id(value))
                waiting += astuple(value)
        elif isinstance(value, tuple):
            waiting += value
        elif isinstance(value, Mapping):
            waiting += value.values()
    return True
