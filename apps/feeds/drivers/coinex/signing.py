"""CoinEx's signatures: HMAC-SHA256 in lower-case hex, over the request as it is sent and its time."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.coinex import trading_facts as facts
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials


def rest(secret: str, method: str, path: str, body: str, now_ms: int) -> str:
    """`path` with its query, from /v2 on, in the order that is sent."""
    return _hex(secret, f"{method}{path}{body}{now_ms}")


def socket(secret: str, now_ms: int) -> str:
    return _hex(secret, str(now_ms))


def get(
    keys: Credentials, market_type: MarketType, group: str, path: str, query: Mapping[str, object], now_ms: int
) -> Request:
    """Signed; entries of the query that are None are left out. `path` begins after /v2/."""
    told = urlencode({name: value for name, value in query.items() if value is not None})
    whole = f"/v2/{path}?{told}" if told else f"/v2/{path}"
    return Request(
        method="GET",
        url=facts.BASE + whole,
        headers=_headers(keys, rest(keys.secret, "GET", whole, "", now_ms), now_ms),
        budget=facts.budget(market_type, group),
    )


def post(
    keys: Credentials,
    market_type: MarketType,
    group: str,
    path: str,
    content: Mapping[str, object],
    now_ms: int,
    *,
    window_ms: int | None = None,
) -> Request:
    """Signed; entries that are None are left out. `window_ms`: how long the exchange may take it from now on."""
    whole, body = f"/v2/{path}", wire.frame({name: value for name, value in content.items() if value is not None})
    headers = _headers(keys, rest(keys.secret, "POST", whole, body, now_ms), now_ms)
    headers["Content-Type"] = "application/json"
    if window_ms is not None:
        headers["X-COINEX-WINDOWTIME"] = str(window_ms)
    return Request(
        method="POST",
        url=facts.BASE + whole,
        headers=headers,
        body=body,
        expires_ms=None if window_ms is None else now_ms + window_ms,
        budget=facts.budget(market_type, group),
    )


def _headers(keys: Credentials, signature: str, now_ms: int) -> dict[str, str]:
    return {"X-COINEX-KEY": keys.key, "X-COINEX-SIGN": signature, "X-COINEX-TIMESTAMP": str(now_ms)}


def _hex(secret: str, text: str) -> str:
    return hmac.new(secret.encode("latin-1"), text.encode(), hashlib.sha256).hexdigest()
