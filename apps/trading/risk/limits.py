"""The figures of the risk controls: defaults, what people may set them to, and which of several settings holds.

Values are in USDT where a name says so, shares where it says so, else counts and milliseconds. Smaller is stricter.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct, structs


class Limits(Struct, frozen=True, kw_only=True):
    """What holds for one order. R1, R8's being on, R13's factor, R19, R21's times and R22 are not to be set."""

    max_order_usdt: Decimal = Decimal(100)  # R2
    max_depth_share: Decimal = Decimal("0.25")  # R3: of the first 20 levels of the side that is hit
    collar_share: Decimal = Decimal("0.02")  # R4: either way from the mid
    slip_share: Decimal = Decimal("0.005")  # R4: of an order at the market, from the best of the other side
    flatten_share: Decimal = Decimal("0.01")  # R4: the same, when everything is stopped and flattened
    max_leg_book_age_ms: int = 1_000  # R5
    max_book_age_ms: int = 5_000  # R5
    max_clock_error_ms: int = 250  # R5
    max_open_pair: int = 5  # R6
    max_open_account: int = 20  # R6
    max_asset_usdt: Decimal = Decimal(1_000)  # R7
    max_account_usdt: Decimal = Decimal(5_000)  # R7
    max_leverage: int = 3  # R7
    fee_share: Decimal = Decimal("0.002")  # R8: set aside for fees; here more is stricter
    max_day_loss_share: Decimal = Decimal("0.02")  # R9: of the equity
    max_day_loss_usdt: Decimal = Decimal(100)  # R9
    max_orders_s: int = 5  # R10
    max_cancels_s: int = 10  # R10
    max_exchange_share: Decimal = Decimal("0.8")  # R10: of what the exchange allows
    max_executions: int = 10  # R11: of one TRADE in EXECUTION_WINDOW_MS
    duplicate_window_ms: int = 1_000  # R12: here more is stricter
    max_unknown: int = 3  # R15: of an account in UNKNOWN_WINDOW_MS, the last of them halts it
    max_mismatch_lots: int = 1  # R17
    max_unhedged_ms: int = 2_000  # R18
    max_unacked_ms: int = 300_000  # R20


EXECUTION_WINDOW_MS = 60_000  # R11
UNKNOWN_WINDOW_MS = 300_000  # R15
OUTCOMES_SEEN, OUTCOMES_WINDOW_MS, MAX_REJECTS = 10, 60_000, 5  # R16: more than 5 of the last 10 within 60 s
PAUSE_MS, PAUSES_WINDOW_MS, MAX_PAUSES = 60_000, 3_600_000, 3  # R16
REDUCE_AFTER_MS, HALT_AFTER_MS = 30_000, 60_000  # R17

# what people may set, and how far: the hard ceilings of the deployment
CEILINGS: Mapping[str, Decimal] = MappingProxyType(
    {
        "max_order_usdt": Decimal(10_000),
        "max_depth_share": Decimal("0.25"),
        "collar_share": Decimal("0.1"),
        "slip_share": Decimal("0.02"),
        "max_leg_book_age_ms": Decimal(1_000),
        "max_book_age_ms": Decimal(5_000),
        "max_clock_error_ms": Decimal(250),
        "max_open_pair": Decimal(100),
        "max_open_account": Decimal(200),
        "max_asset_usdt": Decimal(100_000),
        "max_account_usdt": Decimal(500_000),
        "max_leverage": Decimal(3),
        "max_day_loss_share": Decimal("0.1"),
        "max_day_loss_usdt": Decimal(10_000),
        "max_orders_s": Decimal(50),
        "max_cancels_s": Decimal(100),
        "max_executions": Decimal(600),
        "max_unknown": Decimal(10),
    }
)


def strictest(rows: Iterable[tuple[str, Decimal]], ceilings: Mapping[str, Decimal] = CEILINGS) -> Limits:
    """The limits of one order, of all rows (name, value) that concern it: the smallest of a name holds, and no row
    lifts a limit over its ceiling. What no row sets has its default.

    Raise ValueError for a name that cannot be set, and for what is no number, negative, or no whole number where only
    such make sense.
    """
    chosen: dict[str, Decimal] = {}
    for name, value in rows:
        checked = check(name, value, ceilings)
        chosen[name] = min(checked, chosen.get(name, checked))
    return structs.replace(Limits(), **{name: _as_field(name, value) for name, value in chosen.items()})


def of_halts(rows: Iterable[tuple[str, Decimal]], *, closing: bool) -> Limits:
    """What holds where something must be stopped whatever the rows say: one that makes no sense is passed over. With
    `closing` nothing is stricter than its default: a limit of nothing shall not keep a position open.
    """
    found, default = strictest(row for row in rows if makes_sense(*row)), Limits()
    if not closing:
        return found
    return structs.replace(
        found, **{name: max(getattr(found, name), getattr(default, name)) for name in Limits.__struct_fields__}
    )


def makes_sense(name: str, value: Decimal) -> bool:
    """Whether `strictest` takes it: what people set does, what is written past them may not."""
    try:
        check(name, value)
    except ValueError:
        return False
    return True


def check(name: str, value: Decimal, ceilings: Mapping[str, Decimal] = CEILINGS) -> Decimal:
    """The value, or its ceiling where it is beyond. Raise ValueError as `strictest` does."""
    if name not in ceilings:
        raise ValueError(f"no limit is called {name}")
    if not value.is_finite() or value < 0:
        raise ValueError(f"{name} cannot be {value}")
    if isinstance(getattr(Limits(), name), int) and value != value.to_integral_value():
        raise ValueError(f"{name} is a whole number, not {value}")
    return min(value, ceilings[name])


def _as_field(name: str, value: Decimal) -> Decimal | int:
    return int(value) if isinstance(getattr(Limits(), name), int) else value
