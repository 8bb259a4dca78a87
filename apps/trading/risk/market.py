"""Controls that hold an order against its market: R2 to R5 and R22. Each returns why it denies, or None."""

from apps.feeds.market import BookState, InstrumentStatus, Side
from apps.trading.risk.rounding import grain, is_on_grid, price_step
from apps.trading.risk.view import DenyReason, Proposal, RiskView


def order_size(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R2"""
    return DenyReason.ORDER_TOO_LARGE if proposal.value_usdt > view.limits.max_order_usdt else None


def depth(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R3"""
    if view.top is None:
        return DenyReason.NO_BOOK
    there = view.top.ask_depth if proposal.intent.side is Side.BUY else view.top.bid_depth
    most = there * view.limits.max_depth_share
    return DenyReason.TOO_LARGE_FOR_DEPTH if proposal.amount > most else None


def collar(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R4"""
    if view.top is None:
        return DenyReason.NO_BOOK
    twice = view.top.bid + view.top.ask
    away = twice * view.limits.collar_share
    return DenyReason.OUTSIDE_COLLAR if abs(2 * proposal.price - twice) > away else None


def book(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R5: of the book"""
    top = view.top
    if top is None:
        return DenyReason.NO_BOOK
    if top.state is not BookState.LIVE or not top.owner_is_current or not 0 < top.bid < top.ask:
        return DenyReason.BOOK_NOT_LIVE
    is_leg = proposal.intent.arbitrage_id is not None
    oldest = view.limits.max_leg_book_age_ms if is_leg else view.limits.max_book_age_ms
    return None if 0 <= top.age_ms <= oldest else DenyReason.BOOK_TOO_OLD


def clock(_: Proposal, view: RiskView) -> DenyReason | None:
    """R5: of our clock"""
    if view.clock_error_ms is None:
        return DenyReason.MISSING
    return DenyReason.CLOCK_UNSURE if abs(view.clock_error_ms) > view.limits.max_clock_error_ms else None


def symbol_rules(proposal: Proposal, _: RiskView) -> DenyReason | None:
    """R22. Exchanges compare the notional at the order's own price."""
    instrument = proposal.instrument
    if instrument.status is not InstrumentStatus.TRADING:
        return DenyReason.NOT_TRADING
    step = price_step(proposal.price, instrument)
    on_grid = is_on_grid(proposal.amount, grain(instrument)) and is_on_grid(proposal.price, step)
    least_amount = (instrument.min_amount or 0) * instrument.contract_size
    enough = proposal.amount >= least_amount and proposal.value >= (instrument.min_notional or 0)
    return None if on_grid and enough else DenyReason.TOO_SMALL
