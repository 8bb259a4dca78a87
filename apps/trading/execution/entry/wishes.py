"""Intents as they are asked for: what can be no order at all, and whether two wishes are the same."""

import hashlib
import json
from decimal import Decimal

from django.core.exceptions import ValidationError

from apps.feeds.market import Side
from apps.feeds.orders import OrderType
from apps.trading.models import OrderIntent

OLDEST_MS = 3_600_000  # what nobody has begun to send for an hour is not wanted any more
LONGEST_KEY = 150
LEVERAGES = (1, 100)  # more than risk lets through, less than nonsense
MOST = Decimal(10**20)  # what money columns hold
PLACES = -18

# what a wish is made of: the same key with another value of one of these is another wish
BODY = (
    *("account_id", "trade_id", "pair_id", "purpose", "side", "type", "tif", "reduce_only", "position_side"),
    *("margin_mode", "leverage", "repeats", "parent_id", "arbitrage_id", "leg", "max_age_ms", "user_id"),
)
MONEY = ("amount", "price")


def check(row: OrderIntent) -> None:
    """Raise ValidationError, naming the fields, for what can be no order, whatever risk says of it."""
    checks = {
        "key": _key(row.intent_key),
        "account": "" if row.account.active else "The account is closed.",
        "pair": _pair(row),
        "trade": _trade(row),
        "side": "" if row.side in (Side.BUY, Side.SELL) else "Must be buy or sell.",
        "amount": _money(row.amount),
        "price": _price(row),
        "leverage": _within(row.leverage, LEVERAGES),
        "max_age_ms": _within(row.max_age_ms, (1, OLDEST_MS)),
    }
    errors = {name: text for name, text in checks.items() if text}
    if errors:
        raise ValidationError(errors)


def fingerprint(row: OrderIntent) -> str:
    """The same for the same wish."""
    body = {name: getattr(row, name) for name in BODY}
    body |= {name: None if (money := getattr(row, name)) is None else _plain(money) for name in MONEY}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _key(key: str) -> str:
    return "" if 0 < len(key) <= LONGEST_KEY else f"Must have 1 to {LONGEST_KEY} characters."


def _pair(row: OrderIntent) -> str:
    pair, account = row.pair, row.account
    same = (pair.exchange_id, pair.market_type) == (account.exchange_id, account.market_type)
    return "" if same else "It is not traded on the account's market."


def _trade(row: OrderIntent) -> str:
    if row.trade_id is None:
        return ""
    same = row.trade.pair == row.pair.pair and row.trade.account_id in (None, row.account_id)
    return "" if same else "The TRADE row is of another pair or account."


def _price(row: OrderIntent) -> str:
    if row.type == OrderType.MARKET:
        return "" if row.price is None else "An order at the market has no price."
    return "A limit order has a price." if row.price is None else _money(row.price)


def _money(money: Decimal) -> str:
    if not money.is_finite() or money <= 0:
        return "Must be a positive number."
    exponent = money.normalize().as_tuple().exponent
    too_long = money >= MOST or (isinstance(exponent, int) and exponent < PLACES)
    return "Has too many digits." if too_long else ""


def _within(number: int | None, bounds: tuple[int, int]) -> str:
    lowest, highest = bounds
    return "" if number is None or lowest <= number <= highest else f"Must be from {lowest} to {highest}."


def _plain(money: Decimal) -> str:
    return f"{money.normalize():f}"
