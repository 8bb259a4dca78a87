"""An account on whose orders no control has anything to say: tests change one thing of it at a time."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from apps.feeds.market import BookState, Instrument, MarketType, Side
from apps.feeds.orders import OrderStatus, OrderType, PositionSide
from apps.trading.intent import OrderIntent
from apps.trading.risk.gate import ApprovedOrder, Denied, approve, propose
from apps.trading.risk.limits import Limits
from apps.trading.risk.view import Held, Parent, Proposal, RiskView, Scope, ScopeState, Sent, Top, Working

NOW = 10_000_000
SPOT = Instrument(
    exchange="toy",
    market_type=MarketType.SPOT,
    pair="A/USDT",
    symbol="AUSDT",
    base="A",
    quote="USDT",
    settle="USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.001"),
    min_amount=Decimal("0.01"),
    min_notional=Decimal(5),
)
FUTURES = replace(SPOT, market_type=MarketType.FUTURES, symbol="A-PERP", contract_size=Decimal("0.1"), lot=Decimal(1))
TOP = Top(
    state=BookState.LIVE,
    age_ms=100,
    owner_is_current=True,
    bid=Decimal("99.9"),
    ask=Decimal("100.1"),
    bid_depth=Decimal(1_000),
    ask_depth=Decimal(1_000),
)


def view(**changes: Any) -> RiskView:
    values = {
        "now_ms": NOW,
        "is_live": False,
        "live_allowed": False,
        "states": dict.fromkeys(Scope, ScopeState.ACTIVE),
        "limits": Limits(),
        "top": TOP,
        "clock_error_ms": 10,
        "working": (),
        "holdings": (),
        "free": {"USDT": Decimal(10_000), "A": Decimal(100)},
        "rates": {"USDT": Decimal(1), "A": Decimal(100)},
        "leverage": 2,
        "equity_usdt": Decimal(20_000),
        "day_result_usdt": Decimal(0),
        "sent": (),
        "trade_sent_ms": (),
        "trade_resumed_ms": 0,
        "exchange_load": Decimal("0.1"),
        "parent": Parent(amount=Decimal(1_000), committed=Decimal(0)),
        "unknown_ms": (),
        "outcomes": (),
        "paused_until_ms": 0,
        "pauses_ms": (),
        "mismatch": None,
        "unhedged_ms": (),
        "build_id": "b1",
        "allowed_build": "b1",
        "alert_unacked_ms": None,
        **changes,
    }
    return RiskView(**values)


def limits(**changes: Any) -> Limits:
    return replace(Limits(), **changes)


def intent(side: Side = Side.BUY, amount: str = "0.5", price: str | None = "100", **changes: Any) -> OrderIntent:
    """A limit order where a price is given, else one at the market."""
    values = {
        "intent_key": "k",
        "account_id": 7,
        "user_id": 1,
        "trade_id": 3,
        "instrument": SPOT,
        "side": side,
        "type": OrderType.MARKET if price is None else OrderType.LIMIT,
        "amount": Decimal(amount),
        "price": None if price is None else Decimal(price),
        "created_ms": NOW,
        "intent_id": 50,
        **changes,
    }
    return OrderIntent(**values)


def working(side: Side = Side.BUY, rest: str = "0.5", price: str | None = "100", **changes: Any) -> Working:
    values = {
        "intent_id": 20,
        "account_id": 7,
        "instrument": SPOT,
        "side": side,
        "rest": Decimal(rest),
        "price": None if price is None else Decimal(price),
        "status": OrderStatus.OPEN,
        "created_ms": NOW - 60_000,
        **changes,
    }
    return Working(**values)


def held(amount: str, instrument: Instrument = SPOT, side: PositionSide = PositionSide.NET) -> Held:
    return Held(instrument=instrument, amount=Decimal(amount), side=side)


def sent(ago_ms: int, amount: str = "0.5", price: str = "100", **changes: Any) -> Sent:
    values = {
        "at_ms": NOW - ago_ms,
        "key": SPOT.key,
        "side": Side.BUY,
        "amount": Decimal(amount),
        "price": Decimal(price),
        **changes,
    }
    return Sent(**values)


def verdict(wanted: OrderIntent, seen: RiskView) -> str:
    """OK, or "<control> <reason>"."""
    result = approve(wanted, seen)
    assert isinstance(result, ApprovedOrder | Denied)
    return "OK" if isinstance(result, ApprovedOrder) else f"{result.control} {result.reason}"


def proposal(wanted: OrderIntent, seen: RiskView) -> Proposal:
    made = propose(wanted, seen)
    assert isinstance(made, Proposal)
    return made
