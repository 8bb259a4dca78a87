"""What an account holds by its rows, as risk counts it: free money, positions, and where the exchange differs."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import PositionSide
from apps.trading.execution.pretrade.facts import Facts, Row
from apps.trading.records import milliseconds
from apps.trading.risk.rounding import grain
from apps.trading.risk.view import Held, Mismatch

ZERO = Decimal(0)
NOTED = Decimal(2)  # lots


def holdings(found: Facts, listed: Mapping[int, Instrument]) -> Iterator[Held]:
    """By our fills, what was there before the first of them, and what is filled but told by no fill yet."""
    for row in found.of("position"):
        if row.c is not None and _ours(row):
            yield Held(instrument=listed[row.c], amount=_ours(row), side=PositionSide(row.word))
    for row in (*found.of("partial"), *found.of("untold")):
        amount = _untold(row)
        if row.c is not None and amount:
            yield Held(instrument=listed[row.c], amount=amount, side=PositionSide(row.other.lower()))


def free(found: Facts, market_type: MarketType) -> dict[str, Decimal]:
    """What was told as free; on spot less what our fills have taken since. On futures they move no wallet."""
    spot = market_type is MarketType.SPOT
    return {
        row.asset: row.n1 - max((row.n2 or ZERO) - row.n3, ZERO) if spot and row.n3 is not None else row.n1
        for row in found.of("wallet")
        if row.n1 is not None
    }


def mismatch(found: Facts, listed: Mapping[int, Instrument]) -> Mismatch | None:
    """The oldest; whoever notes one has seen that it is more than a lot, of a wallet more than a coin's dust."""
    lots: list[tuple[int, Decimal]] = []
    for row in found.of("position"):
        if row.at2 is not None and row.c is not None:
            off = abs((row.n2 or ZERO) - _ours(row)) / grain(listed[row.c])
            lots.append((milliseconds(row.at2), max(off, NOTED)))
    lots += [(milliseconds(row.at2), NOTED) for row in found.of("wallet") if row.at2 is not None]
    return Mismatch(since_ms=min(lots)[0], lots=max(off for _, off in lots)) if lots else None


def _untold(row: Row) -> Decimal:
    """Negative when sold. `asset` has the amounts of the order's fills, or their sum."""
    executed = sum((Decimal(amount) for amount in row.asset.split(",") if amount), ZERO)
    amount = (row.n1 or ZERO) - executed
    return amount if row.word.lower() == Side.BUY else -amount


def _ours(row: Row) -> Decimal:
    return (row.n1 or ZERO) + (row.n4 or ZERO)
