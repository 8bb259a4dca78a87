"""What our fills add up to on one account: positions, their entry prices, results, fees and funding, each apart.

Money is exact: entry costs are kept as sums, and only a partly closed position's share is rounded (to 18 places; what
rounding took stays in the position, so nothing is lost). Results and entry prices are in the quote currency of spot
and the settle currency of futures; amounts in base currency. Events come twice and in any order within one lane.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal, localcontext

from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Fill, FundingPayment
from apps.trading.risk.rounding import EXACT, SMALLEST

ZERO = Decimal(0)
Sums = Mapping[str, Decimal]  # asset -> amount


class Holding(Struct, frozen=True, kw_only=True):
    """On one instrument: `amount` is positive when long; `cost` is what it was opened for, with the same sign."""

    instrument: Instrument
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Sums = {}  # paid; negative is a rebate
    funding: Sums = {}  # received; negative was paid
    seen: frozenset[str] = frozenset()  # trade ids and payment ids that are part of this

    @property
    def entry_price(self) -> Decimal | None:
        """The average; None without a position."""
        with localcontext(EXACT):
            return (self.cost / self.amount).quantize(SMALLEST) if self.amount else None

    def unrealised(self, mark: Decimal) -> Decimal:
        """The result if it were closed at the mark."""
        with localcontext(EXACT):
            return self.amount * mark - self.cost

    def net_amount(self) -> Decimal:
        """What is left of it in the wallet, where spot fees are taken from what is bought."""
        spot = self.instrument.market_type is MarketType.SPOT
        return self.amount - self.fees.get(self.instrument.base, ZERO) if spot else self.amount


def take_fill(holding: Holding, fill: Fill) -> Holding:
    """The holding after a fill in base currency; one that is part of it changes nothing.

    Raise ValueError for a fill without a side.
    """
    if fill.trade_id in holding.seen:
        return holding
    if fill.side is Side.UNKNOWN:
        raise ValueError(f"fill {fill.trade_id} has no side")
    with localcontext(EXACT):
        delta = fill.amount if fill.side is Side.BUY else -fill.amount
        closed, freed = _closed(holding, delta)
        return replace(
            holding,
            amount=holding.amount + delta,
            cost=holding.cost + (delta - closed) * fill.price - freed,
            realised=holding.realised - closed * fill.price - freed,
            fees=_added(holding.fees, fill.fee_asset, fill.fee),
            seen=holding.seen | {fill.trade_id},
        )


def take_funding(holding: Holding, payment: FundingPayment) -> Holding:
    """The holding after a payment for it; one that is part of it changes nothing."""
    if payment.payment_id in holding.seen:
        return holding
    return replace(
        holding,
        funding=_added(holding.funding, payment.asset, payment.amount),
        seen=holding.seen | {payment.payment_id},
    )


class Result(Struct, frozen=True, kw_only=True):
    """In one currency, each part apart; fees and funding in other assets are valued at the rates given."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        with localcontext(EXACT):
            return self.realised + self.unrealised - self.fees + self.funding


def result(holdings: Iterable[Holding], rates: Sums) -> Result:
    """Of all together in the currency of the rates (asset -> its price); a base asset's rate is the mark as well.

    Raise KeyError for an asset without a rate: nothing is guessed.
    """
    total = Result()
    with localcontext(EXACT):
        for each in holdings:
            quote = rates[each.instrument.settle]
            mark = rates[each.instrument.base] / quote if each.amount else ZERO
            total = Result(
                realised=total.realised + each.realised * quote,
                unrealised=total.unrealised + each.unrealised(mark) * quote,
                fees=total.fees + _valued(each.fees, rates),
                funding=total.funding + _valued(each.funding, rates),
            )
    return total


def _closed(holding: Holding, delta: Decimal) -> tuple[Decimal, Decimal]:
    """How much of a trade closes the position, signed like the trade, and the cost that it frees, signed likewise."""
    if holding.amount * delta >= 0:
        return ZERO, ZERO
    if abs(delta) >= abs(holding.amount):
        return -holding.amount, holding.cost
    freed = holding.cost * -delta / holding.amount
    return delta, freed.quantize(SMALLEST, ROUND_DOWN)  # never more than there is


def _added(sums: Sums, asset: str, amount: Decimal) -> Sums:
    return {**sums, asset: sums.get(asset, ZERO) + amount} if amount else sums


def _valued(sums: Sums, rates: Sums) -> Decimal:
    return sum((amount * rates[asset] for asset, amount in sums.items()), ZERO)
