"""Parameters of private requests, as strictly read as OKX reads them."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from apps.feeds.simulator.okx.auth import Caller
from apps.feeds.simulator.okx.refusals import MOST_IN_BATCH, bad, refusal
from apps.feeds.simulator.trading.tickets import Direction

T = TypeVar("T")
Item = dict[str, Any]
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
UNITS = ("base_ccy", "quote_ccy")
BATCH = 20
MOST_ROWS = 100
KINDS = {"SPOT": "spot", "SWAP": "futures", "FUTURES": "futures"}


def batch(body: Any) -> list[Any]:
    if not isinstance(body, list) or not body:
        raise bad("body")
    if len(body) > BATCH:
        raise refusal(MOST_IN_BATCH)
    return body


def market_types(caller: Caller) -> list[str]:
    kind = caller.query.get("instType")
    if kind is not None and kind not in KINDS:
        raise bad("instType")
    return ["spot", "futures"] if kind is None else [KINDS[kind]]


def page(caller: Caller, found: list[T], key: Callable[[T], int]) -> list[T]:
    """Newest first: those before `after`, or those since `before`."""
    after, before = whole(caller, "after", 2**63), whole(caller, "before", -1)
    limit = min(whole(caller, "limit", MOST_ROWS), MOST_ROWS)
    return [row for row in reversed(found) if before < key(row) < after][:limit]


def span(caller: Caller) -> tuple[int, int]:
    return whole(caller, "begin", 0), whole(caller, "end", 2**63)


def whole(caller: Caller, name: str, default: int) -> int:
    text = caller.query.get(name) or str(default)
    if re.fullmatch(r"-?[0-9]{1,20}", text) is None:
        raise bad(name)
    return int(text)


def one_of(item: Item, name: str, table: Mapping[Any, T], default: Any = None) -> T:
    value = item.get(name, default)
    if not isinstance(value, str | bool) or value not in table:
        raise bad(name)
    return table[value]


def name(item: Item, field: str) -> str | None:
    """What an order is called, None where it is not said."""
    value = item.get(field) or None
    if value is not None and not isinstance(value, str):
        raise bad(field)
    return value


def number(item: Item, name: str) -> Decimal:
    """Numbers are sent as text."""
    text = item.get(name)
    if not isinstance(text, str) or NUMBER.fullmatch(text) is None:
        raise bad(name)
    return Decimal(text)


def text(item: Item, name: str, form: re.Pattern[str]) -> str:
    text = item.get(name, "")
    if text and (not isinstance(text, str) or form.fullmatch(text) is None):
        raise bad(name)
    return str(text)


def unit(item: Item, side: Direction) -> str:
    """What `sz` of a spot market order counts: of a buy money, unless said otherwise."""
    unit = item.get("tgtCcy") or ("quote_ccy" if side == "buy" else "base_ccy")
    if unit not in UNITS:
        raise bad("tgtCcy")
    return str(unit)
