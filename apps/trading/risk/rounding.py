"""How numbers are brought onto an instrument's grid: amounts never up, prices never worse than the limit.

Amounts are in base currency. All raise ValueError for what is not a positive finite number and for inverse contracts.
Nothing is rounded but onto the grid: products of money have up to 76 digits, more than Decimal keeps by itself.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from apps.feeds.market import Instrument, Side

EXACT = Context(prec=100)
SMALLEST = Decimal("1e-18")  # what money columns keep


def grain(instrument: Instrument) -> Decimal:
    """The smallest step of an amount in base currency, whatever the exchange counts."""
    if instrument.inverse:
        raise ValueError(f"{instrument.symbol}: inverse contracts are not traded")
    return EXACT.multiply(_positive(instrument.lot), _positive(instrument.contract_size))


def amount_down(amount: Decimal, instrument: Instrument) -> Decimal:
    """The largest amount on the grid that is no more than asked for; it may be zero."""
    return _onto(_positive(amount), grain(instrument), ROUND_FLOOR)


def price_within(limit: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """The nearest price on the grid that is no worse than the limit: a buyer pays no more, a seller gets no less."""
    price = _onto(_positive(limit), price_step(limit, instrument), _inward(side))
    if not price:
        raise ValueError(f"{instrument.symbol}: {limit} is less than a tick")
    return price


def price_step(price: Decimal, instrument: Instrument) -> Decimal:
    """What prices as high as this one are multiples of."""
    return _positive(instrument.step_at(price))


def slipped(touch: Decimal, side: Side, share: Decimal, instrument: Instrument) -> Decimal:
    """The worst price that an order may trade at which takes at once: so far beyond the best of the other side."""
    factor = 1 + share if side is Side.BUY else 1 - share
    return price_within(EXACT.multiply(_positive(touch), factor), side, instrument)


def notional(amount: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Value in quote currency, exact."""
    grain(instrument)
    return EXACT.multiply(_positive(amount), _positive(price))


def fee_up(value: Decimal, rate: Decimal) -> Decimal:
    """The fee of a traded value, rounded against us to what money columns keep; a negative rate is a rebate."""
    return money_up(EXACT.multiply(value, rate))


def money_up(value: Decimal) -> Decimal:
    """Rounded up to what money columns keep."""
    return value.quantize(SMALLEST, ROUND_CEILING, EXACT)


def is_on_grid(number: Decimal, step: Decimal) -> bool:
    return not EXACT.remainder(number, step)


def _inward(side: Side) -> str:
    if side is Side.UNKNOWN:
        raise ValueError("an order has a side")
    return ROUND_FLOOR if side is Side.BUY else ROUND_CEILING


def _onto(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    steps = EXACT.divide_int(number, step)
    if rounding == ROUND_CEILING and not is_on_grid(number, step):
        steps += 1
    return EXACT.multiply(steps, step)


def _positive(number: Decimal) -> Decimal:
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{number} is not a positive number")
    return number
