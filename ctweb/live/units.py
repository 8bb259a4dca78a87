"""How finely an instrument's prices and amounts are written. Pure."""

from decimal import Decimal

from apps.feeds.market import Instrument

_INVERSE_DECIMALS = 8  # base amounts of inverse contracts are quotients


def decimals(step: Decimal) -> int:
    """Digits after the point that multiples of `step` need: 0.5 -> 1, 5 -> 0, 0.00000001 -> 8."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def lot_decimals(instrument: Instrument) -> int:
    """Digits of an amount in base currency."""
    if instrument.inverse:
        return _INVERSE_DECIMALS
    return decimals(instrument.lot * instrument.contract_size)


def plain(value: Decimal) -> str:
    """Without exponent and trailing zeros: 1E-8 -> 0.00000001."""
    return f"{value.normalize():f}"
