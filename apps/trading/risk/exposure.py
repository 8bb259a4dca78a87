"""What an account stands to lose, with every order that may still fill at its worst: R6 to R8, R13 and R14."""

from decimal import Decimal

from msgspec import Struct

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import MarginMode
from apps.trading.intent import OrderIntent
from apps.trading.risk.rounding import money_up
from apps.trading.risk.view import DenyReason, Proposal, RiskView

ZERO = Decimal(0)


class Reservation(Struct, frozen=True, kw_only=True):
    """What is set aside for an order until the exchange has taken it off our balance itself."""

    asset: str
    amount: Decimal


def reducing(intent: OrderIntent, amount: Decimal, view: RiskView) -> bool:
    """Whether an order can only make the position smaller, even if all that works on its side fills first."""
    if intent.instrument.market_type is MarketType.FUTURES and not intent.reduce_only:
        return False
    key = intent.instrument.key
    of_side = (each for each in view.holdings if each.instrument.key == key and each.side is intent.position_side)
    held = sum((each.amount for each in of_side), ZERO)
    same_side = (each.rest for each in view.others(intent) if each.instrument.key == key and each.side is intent.side)
    return amount + sum(same_side, ZERO) <= (-held if intent.side is Side.BUY else held)


def worst(view: RiskView, proposal: Proposal) -> dict[str, Decimal]:
    """Asset -> the largest position, long or short, that fills can make if all goes wrong, the proposal's included."""
    net: dict[str, Decimal] = {}
    buys: dict[str, Decimal] = {}
    sells: dict[str, Decimal] = {}
    for holding in view.holdings:
        net[holding.instrument.base] = net.get(holding.instrument.base, ZERO) + holding.amount
    open_ones = [(each.instrument.base, each.side, each.rest) for each in view.others(proposal.intent)]
    for asset, side, rest in [*open_ones, (proposal.instrument.base, proposal.intent.side, proposal.amount)]:
        of_side = buys if side is Side.BUY else sells
        of_side[asset] = of_side.get(asset, ZERO) + rest
    return {
        asset: max(net.get(asset, ZERO) + buys.get(asset, ZERO), sells.get(asset, ZERO) - net.get(asset, ZERO))
        for asset in net.keys() | buys.keys() | sells.keys()
    }


def open_orders(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R6"""
    keys = [each.instrument.key for each in view.others(proposal.intent)]
    if keys.count(proposal.instrument.key) >= view.limits.max_open_pair:
        return DenyReason.TOO_MANY_OF_PAIR
    return DenyReason.TOO_MANY_OF_ACCOUNT if len(keys) >= view.limits.max_open_account else None


def exposure(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R7: an order that only reduces passes, however far the price has carried the position."""
    if proposal.reduces:
        return None
    amounts = worst(view, proposal)
    if any(view.rates.get(asset, ZERO) <= 0 for asset in amounts):
        return DenyReason.MISSING
    own = proposal.instrument.base
    own_rate = max(view.rates[own], proposal.price * view.rates[proposal.instrument.quote])
    values = {asset: amount * (own_rate if asset == own else view.rates[asset]) for asset, amount in amounts.items()}
    if values[own] > view.limits.max_asset_usdt:
        return DenyReason.ASSET_EXPOSURE
    return DenyReason.ACCOUNT_EXPOSURE if sum(values.values()) > view.limits.max_account_usdt else None


def leverage(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R7: of futures"""
    if not proposal.is_futures or proposal.reduces:
        return None
    if proposal.intent.margin_mode is not MarginMode.ISOLATED:
        return DenyReason.NOT_ISOLATED
    used = used_leverage(proposal.intent, view)
    if used is None:
        return DenyReason.MISSING
    if view.leverage_is_due and used != view.leverage:
        return DenyReason.LEVERAGE
    return None if 1 <= used <= view.limits.max_leverage else DenyReason.LEVERAGE


def used_leverage(intent: OrderIntent, view: RiskView) -> int | None:
    return view.leverage if intent.leverage is None else intent.leverage


def reservation(proposal: Proposal, view: RiskView) -> Reservation:
    """R8: what the order needs, fees included; closing a futures position needs nothing. Raise ValueError without
    a leverage where one is needed.
    """
    instrument, value = proposal.instrument, proposal.value
    fee = value * view.limits.fee_share
    if not proposal.is_futures:
        if proposal.intent.side is Side.SELL:
            return Reservation(asset=instrument.base, amount=proposal.amount)
        return Reservation(asset=instrument.quote, amount=money_up(value + fee))
    if proposal.reduces:
        return Reservation(asset=instrument.settle, amount=ZERO)
    used = used_leverage(proposal.intent, view)
    if not used:
        raise ValueError("no leverage")
    return Reservation(asset=instrument.settle, amount=money_up(value / used + fee))


def balance(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R8"""
    needed = reservation(proposal, view)
    if not needed.amount:  # however little is free: a loss may have eaten more than all
        return None
    held = sum((each.held for each in view.others(proposal.intent) if each.held_asset == needed.asset), ZERO)
    return DenyReason.BALANCE if needed.amount > view.free.get(needed.asset, ZERO) - held else None


def parent(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R13"""
    if view.parent is None:
        return DenyReason.MISSING
    return DenyReason.EXCEEDS_PARENT if view.parent.committed + proposal.amount > view.parent.amount else None


def self_trade(proposal: Proposal, view: RiskView) -> DenyReason | None:
    """R14: against all accounts of the user on the exchange; an order at the market crosses whatever there is.

    No lock spans the accounts, and none is needed: an intent is committed before it is looked at to be sent, works
    until its order is over, and is read together with all orders by one statement. So of two whichever is looked at
    last sees the other; both are turned away where each was wanted before either was looked at.
    """
    buys = proposal.intent.side is Side.BUY
    for each in view.working:
        if each.instrument.key != proposal.instrument.key or each.side is proposal.intent.side:
            continue
        if each.price is None or (each.price <= proposal.price if buys else each.price >= proposal.price):
            return DenyReason.SELF_TRADE
    return None
