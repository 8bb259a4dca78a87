"""What can be watched, and of what cannot, why: Django's ValidationError names the fields."""

from collections.abc import Collection, Iterable, Mapping

from django.core.exceptions import ValidationError

from apps.feeds import selectors as feeds
from apps.feeds.drivers.registry import canonical, offered_depths
from apps.feeds.market import DEPTHS, FULL_DEPTH, BookKey, InstrumentStatus, MarketType
from apps.feeds.models import TradePair

PRIORITIES = (-(2**31), 2**31 - 1)  # the column is an INT


def check_values(*, depth: int | None = None, priority: int | None = None, enabled: bool | None = None) -> None:
    """Raise what these values of a row would raise."""
    errors = {}
    if depth is not None and depth not in DEPTHS:
        errors["depth"] = f"Unknown depth {depth}: 20, 50 or 0 (full)."
    if priority is not None and not PRIORITIES[0] <= priority <= PRIORITIES[1]:
        errors["priority"] = f"Must be a number from {PRIORITIES[0]} to {PRIORITIES[1]}."
    if errors:
        raise ValidationError(errors)


def check_offered(depth: int | None, keys: Iterable[BookKey]) -> None:
    """Raise, for the field `depth`, what an exchange that has no such depth would refuse."""
    offered = offered_depths()
    for key in keys:
        depths = offered.get((key.exchange, key.market_type), DEPTHS)
        if depth is not None and depth not in depths:
            words = ", ".join("full" if one == FULL_DEPTH else str(one) for one in depths)
            raise ValidationError(
                {"depth": f"{key.exchange} {key.market_type} does not offer this depth, but {words}."}
            )


def key_from(exchange: str, market_type: str | None, pair: str) -> BookKey:
    market = (market_type or MarketType.SPOT).strip().lower()
    if market not in set(MarketType):
        raise ValidationError({"market_type": f"Unknown market type {market!r}: spot or futures."})
    return BookKey(canonical(exchange), MarketType(market), pair.strip().upper())


def runnable(keys: Collection[BookKey], *, field: str | None = None) -> dict[BookKey, TradePair]:
    """The instruments, locked so that nobody adds one of them twice; those that cannot run are refused.

    The refusal names the part of the key that is wrong, or `field` with all that is wrong.
    """
    switched_on = feeds.exchanges()
    listed = feeds.listed(keys=keys, lock=True)
    reasons = [(key, _why_not(key, switched_on, listed.get(key))) for key in sorted(keys)]
    refused = [(key, *reason) for key, reason in reasons if reason]
    if refused and field is None:
        raise ValidationError({part: text for _, part, text in refused})
    if refused:
        raise ValidationError({str(field): [f"{key}: {text}" for key, _, text in refused]})
    return listed


def _why_not(key: BookKey, switched_on: Mapping[str, bool], instrument: TradePair | None) -> tuple[str, str] | None:
    if key.exchange not in switched_on:
        return "exchange", f"Unknown exchange {key.exchange!r}."
    if not switched_on[key.exchange]:
        return "exchange", f"Exchange {key.exchange} is switched off."
    if instrument is None:
        return "pair", f"{key.pair!r} is not in the catalogue of {key.exchange} {key.market_type}."
    if instrument.status != InstrumentStatus.TRADING:
        return "pair", f"{key.pair} is {instrument.status} at {key.exchange} {key.market_type}."
    return None
