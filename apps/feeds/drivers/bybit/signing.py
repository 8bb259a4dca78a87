"""Bybit's signatures: HMAC-SHA256 in hex of time, key, window and exactly the query or the body that is sent."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.bybit.trading_facts import API, READ_WINDOW_MS
from apps.feeds.orders import Credentials


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def get(keys: Credentials, path: str, params: Mapping[str, str | int], now_ms: int, *, budget: str = "") -> Request:
    """Cursors come percent-encoded and go back as they came."""
    query = "&".join(f"{name}={quote(str(value), safe='%')}" for name, value in params.items())
    return Request(
        method="GET",
        url=f"{API}/{path}?{query}" if query else f"{API}/{path}",
        headers=_headers(keys, query, now_ms, READ_WINDOW_MS),
        budget=budget,
        expires_ms=now_ms + READ_WINDOW_MS,
    )


def post(
    keys: Credentials,
    path: str,
    params: Mapping[str, object],
    now_ms: int,
    *,
    window_ms: int = READ_WINDOW_MS,
    budget: str = "",
) -> Request:
    """Taken until `window_ms` after `now_ms`."""
    body = wire.frame(params)
    return Request(
        method="POST",
        url=f"{API}/{path}",
        headers={**_headers(keys, body, now_ms, window_ms), "Content-Type": "application/json"},
        body=body,
        budget=budget,
        expires_ms=now_ms + window_ms,
    )


def _headers(keys: Credentials, content: str, now_ms: int, window_ms: int) -> dict[str, str]:
    return {
        "X-BAPI-API-KEY": keys.key,
        "X-BAPI-TIMESTAMP": str(now_ms),
        "X-BAPI-RECV-WINDOW": str(window_ms),
        "X-BAPI-SIGN": signature(keys.secret, f"{now_ms}{keys.key}{window_ms}{content}"),
    }


def login(keys: Credentials, expires_ms: int) -> list[str | int]:
    """What proves who opens a private socket; to be sent before `expires_ms`."""
    return [keys.key, expires_ms, signature(keys.secret, f"GET/realtime{expires_ms}")]
