"""Money on the grid of its instrument, and words for what programs call by a stable name."""

import json
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django import template
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _

from apps.feeds.models import TradePair
from apps.feeds.orders import OrderStatus
from apps.trading.execution.pretrade.rates import DOLLARS, USDT
from apps.trading.models import Order
from apps.trading.order_state import CancelState
from apps.users import alerts
from apps.users.models import Alert
from ctweb.live.units import decimals
from ctweb.pages.trading import words
from ctweb.templatetags.format import CENTS, MISSING, grouped, money

register = template.Library()
register.filter(alerts.halts_at)

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
UNITS = ((3_600, "m", "s"), (86_400, "h", "m"))  # below so many seconds: these two units
EMPTY: tuple[Any, ...] = (None, "", [], {})
ZEROS = re.compile(r"-?[0-9]+\.[0-9]*0")  # of a column with more places than the number has
AT_WORK = (OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.OPEN, OrderStatus.PARTIAL)
CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bMISMATCH\b|\bUNHEDGED\b")
COINS = 8  # decimals of what is no dollar
FINER = 2  # digits more than the tick has, for means of several fills


@register.filter
def priced(value: Any, pair: TradePair | None) -> str:
    """With the tick's decimals; a mean that lies between two ticks with two more at most."""
    if value in (None, "") or pair is None:
        return money(value)
    on_grid = decimals(pair.tick)
    own = decimals(Decimal(value))
    return grouped(f"{Decimal(value).quantize(Decimal(1).scaleb(-_between(own, on_grid)), ROUND_HALF_EVEN):f}")


@register.filter
def sized(value: Any, pair: TradePair | None) -> str:
    """With the lot's decimals, more only where it is off the grid: no amount is ever rounded."""
    if value in (None, "") or pair is None:
        return money(value)
    places = max(decimals(pair.lot * pair.contract_size), decimals(Decimal(value)))
    return grouped(f"{Decimal(value):.{places}f}")


@register.filter
def result_places(pair: TradePair) -> int:
    """Decimals of what it earns, for `cents` and `tone`: coins are worth more than dollars."""
    return CENTS if pair.settle == USDT or pair.settle in DOLLARS else COINS


@register.filter
def dollars(value: Any) -> str:
    """Two decimals and no sign of a gain: an amount, not a result."""
    return MISSING if value in (None, "") else grouped(f"{Decimal(value):.2f}")


@register.filter
def percent(share: Any) -> str:
    """`0.001` -> `0.1 %`."""
    return MISSING if share in (None, "") else f"{money(Decimal(share) * 100)} %"


@register.filter
def cancellable(order: Order) -> bool:
    """Ours, at work, and nobody has asked for its cancel yet."""
    return order.intent_id is not None and order.cancel_state == CancelState.NONE and order.status in AT_WORK


@register.filter
def is_today(moment: datetime) -> bool:
    """By the clock of the pages, UTC."""
    return moment.date() == timezone.now().date()


@register.filter
def at_time(moment: Any) -> str:
    """`08:52:07`, after its day where that is not today."""
    if moment in (None, ""):
        return MISSING
    return dateformat.format(moment, "H:i:s" if is_today(moment) else "d M H:i:s")


@register.filter
def told_items(evidence: Any) -> list[tuple[str, str]]:
    """What an event's evidence says, without what it leaves open; numbers lose the zeros of their column."""
    if not isinstance(evidence, dict):
        return [("", str(evidence))] if evidence else []
    return [(str(name).replace("_", " "), _plain(value)) for name, value in evidence.items() if value not in EMPTY]


@register.filter
def explained(text: Any) -> str:
    """With the words of each refusal that it names by its code: `ALERT_UNACKED` -> `an alert waits for a person
    (ALERT_UNACKED)`."""
    return CODE.sub(lambda found: _spoken(found[0]), str(text))


def _spoken(code: str) -> str:
    return f"{_(words.DENIALS[code])} ({code})" if code in words.DENIALS else code


@register.filter
def source_words(source: str) -> str:
    return _(words.FILL_SOURCES[source]) if source in words.FILL_SOURCES else source


@register.filter
def permission_words(told: Any) -> list[tuple[str, bool | None]]:
    """What the exchange told of a key, in words; None: it does not tell."""
    return [(_(label), (told or {}).get(name)) for name, label in words.PERMISSIONS.items()] if told else []


@register.filter
def expiry(told: Any) -> datetime | None:
    """When a key ends; None: never, or nobody told."""
    ms = (told or {}).get("expires_ms")
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


@register.filter
def limit_label(name: str) -> str:
    return _(words.LIMITS[name][0]) if name in words.LIMITS else name


@register.filter
def limit_value(value: Any, name: str) -> str:
    """In the unit that people count in: shares as %."""
    unit = words.LIMITS[name][1] if name in words.LIMITS else ""
    shown = money(Decimal(value) * 100 if unit == "%" else value)
    return f"{shown} {unit}".strip()


@register.filter
def denial(reason: str) -> str:
    """Why risk refused, in words."""
    return _(words.DENIALS[reason]) if reason in words.DENIALS else ""


@register.filter
def step_words(step: str) -> str:
    return _(words.STEPS[step]) if step in words.STEPS else step


@register.filter
def lasting(ms: Any) -> str:
    """`420 ms`, `14.2 s`, `6 m 12 s`, `2 h 11 m`, `2 d 11 h`, as static/js/fmt.js writes it."""
    if ms in (None, ""):
        return MISSING
    if int(ms) < 1_000:
        return f"{max(0, int(ms))} ms"
    seconds = int(ms) / 1_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    big, small = next(((big, small) for limit, big, small in UNITS if whole < limit), ("d", "h"))
    return f"{whole // SECONDS[big]} {big} {whole % SECONDS[big] // SECONDS[small]} {small}"


def _plain(value: Any) -> str:
    if isinstance(value, str) and ZEROS.fullmatch(value):
        return value.rstrip("0").rstrip(".")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _between(own: int, on_grid: int) -> int:
    return max(on_grid, min(own, on_grid + FINER))


@register.filter
def whose(alert: Alert, names: Any) -> str:
    """`account 3`, or with the account's own name where that is known: `names` has it by number."""
    name = (names or {}).get(alert.scope_id) if alert.scope == "account" else None
    return f"{alert.scope} {name or alert.scope_id}".strip()
