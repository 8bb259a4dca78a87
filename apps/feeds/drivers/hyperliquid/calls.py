"""Hyperliquid's two kinds of requests: reads, which anyone may ask, and actions, which a wallet signs."""

from collections.abc import Mapping
from typing import Any

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.hyperliquid import signing
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.hyperliquid.facts import INFO
from apps.feeds.errors import InvalidOrder
from apps.feeds.market import Instrument
from apps.feeds.orders import Credentials

_HEADERS = {"Content-Type": "application/json"}  # 415 without it


def info(what: str, **fields: object) -> Request:
    weight = facts.LIST_WEIGHT if what in facts.LISTS else facts.WEIGHT.get(what, facts.WEIGHT_ELSE)
    body = wire.frame({"type": what, **fields})
    return Request(method="POST", url=INFO, weight=weight, headers=_HEADERS, body=body)


def action(keys: Credentials, content: Mapping[str, Any], now_ms: int, expires_ms: int | None = None) -> Request:
    """`now_ms` is the nonce: no two actions of one wallet may have the same."""
    body = {
        "action": content,
        "nonce": now_ms,
        "signature": signing.sign(keys.secret, content, now_ms, expires_ms),
        "vaultAddress": None,
        "expiresAfter": expires_ms,
    }
    return Request(
        method="POST",
        url=facts.EXCHANGE,
        weight=facts.ACTION_WEIGHT,
        headers=_HEADERS,
        body=wire.frame(body),
        expires_ms=expires_ms,
    )


def account(keys: Credentials) -> str:
    """The address as the exchange writes it."""
    return keys.key.lower()


def number(instrument: Instrument) -> int:
    """Actions name an instrument by it. Raise InvalidOrder where the catalogue does not know it."""
    if instrument.number is None:
        raise InvalidOrder(f"{instrument.symbol}: its number is not known")
    return instrument.number


def later(times: list[int], page: int) -> str | None:
    """Where the next part of a list begins that is told from its oldest row on; None when this was the last.

    The last millisecond is asked for once more: there may be more of it.
    """
    if len(times) < page:
        return None
    first, last = min(times), max(times)
    return str(last if last > first else last + 1)
