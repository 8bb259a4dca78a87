"""One position of an instrument, told as long or short: some exchanges tell sides of an account that has none, and no
mode beside them (MEXC). Our fills know: what was traded without a side is one position.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from apps.feeds.orders import Position as Told
from apps.feeds.orders import PositionSide
from apps.trading.models import Position

NET, LONG, SHORT = PositionSide.NET, PositionSide.LONG, PositionSide.SHORT
Rows = Mapping[tuple[int, str], Position]


def folded(rows: Rows, pair_id: int, told: Sequence[Told]) -> list[Told]:
    """What is told of one instrument, as one position where the account holds it so."""
    net = rows.get((pair_id, NET))
    if net is None or not _is_held(net) or any(each.side is NET for each in told):
        return list(told)
    if any(row.amount for row in _sided(rows, pair_id)) or sum(each.amount != 0 for each in told) > 1:
        return list(told)  # both sides, which one position cannot have
    amount = net.told_amount or 0
    ends = [each for each in told if each.amount != 0 or not amount or each.side is (LONG if amount > 0 else SHORT)]
    return [replace(each, side=NET) for each in sorted(ends, key=lambda each: each.amount == 0)[:1]]


def take_over(rows: Rows, pair_id: int) -> list[Position]:
    """Move what was held before our first fill to the one position; the rows that changed by it, not written yet."""
    net, given = rows[pair_id, NET], [row for row in _sided(rows, pair_id) if row.opening]
    for row in given:
        net.opening, row.opening = net.opening + row.opening, 0
    return [net, *given] if given else []


def _sided(rows: Rows, pair_id: int) -> list[Position]:
    return [row for side in (LONG, SHORT) if (row := rows.get((pair_id, side))) is not None]


def _is_held(row: Position) -> bool:
    return bool(row.amount or row.opening or row.told_amount)
