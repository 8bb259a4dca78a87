"""Binance's signatures: HMAC-SHA256 in hex of exactly the text that is sent."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote, urlencode

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.binance.trading_facts import READ_WINDOW_MS
from apps.feeds.orders import Credentials

KEY_HEADER = "X-MBX-APIKEY"
IN_BODY = {"Content-Type": "application/x-www-form-urlencoded"}


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def query(params: Mapping[str, str | int]) -> str:
    """Percent-encoded, which comes before signing (else -1022 since 2026-01-15)."""
    return urlencode(params, quote_via=quote)


def signed(
    keys: Credentials,
    method: str,
    url: str,
    params: Mapping[str, str | int],
    now_ms: int,
    *,
    weight: int,
    window_ms: int = READ_WINDOW_MS,
    budget: str = "",
) -> Request:
    """A POST carries its parameters in the body, all others in the query; the signature is the last of them.

    The exchange takes it until `window_ms` after `now_ms`.
    """
    text = query({**params, "recvWindow": window_ms, "timestamp": now_ms})
    text += f"&signature={signature(keys.secret, text)}"
    posted = method == "POST"
    return Request(
        method=method,
        url=url if posted else f"{url}?{text}",
        headers={KEY_HEADER: keys.key, **(IN_BODY if posted else {})},
        body=text if posted else "",
        weight=weight,
        budget=budget,
        expires_ms=now_ms + window_ms,
    )


def keyed(keys: Credentials, method: str, url: str) -> Request:
    """With the key alone: listen keys need no signature."""
    return Request(method=method, url=url, headers={KEY_HEADER: keys.key})


def ws_signature(keys: Credentials, params: Mapping[str, str | int]) -> str:
    """Of a WebSocket command: all its parameters by name, not percent-encoded."""
    return signature(keys.secret, "&".join(f"{name}={params[name]}" for name in sorted(params)))
