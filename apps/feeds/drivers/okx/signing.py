"""How OKX's requests and logins are signed: HMAC-SHA256 in base64 of what is sent, in the order in which it is sent."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.orders import Credentials


def signature(secret: str, text: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


def timestamp(now_ms: int) -> str:
    """As REST wants it; sockets want seconds."""
    return datetime.fromtimestamp(now_ms // 1000, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{now_ms % 1000:03d}Z")


def login(keys: Credentials, now_ms: int) -> str:
    seconds = str(now_ms // 1000)
    sign = signature(keys.secret, f"{seconds}GET{facts.LOGIN_PATH}")
    args = {"apiKey": keys.key, "passphrase": keys.passphrase, "timestamp": seconds, "sign": sign}
    return wire.frame({"op": "login", "args": [args]})


def get(
    keys: Credentials, path: str, params: Mapping[str, str], now_ms: int, *, budget: str, weight: int = 1
) -> Request:
    """`path` begins with a slash, after /api/v5; an empty parameter is left out."""
    query = urlencode({name: value for name, value in params.items() if value})
    target = f"/api/v5{path}?{query}" if query else f"/api/v5{path}"
    return Request(
        method="GET",
        url=facts.HOST + target,
        weight=weight,
        headers=_headers(keys, now_ms, "GET", target, ""),
        budget=budget,
    )


def post(
    keys: Credentials,
    path: str,
    fields: Mapping[str, object],
    now_ms: int,
    *,
    budget: str,
    expires_ms: int | None = None,
) -> Request:
    target, body = f"/api/v5{path}", wire.frame(fields)
    deadline = {} if expires_ms is None else {"expTime": str(expires_ms)}
    return Request(
        method="POST",
        url=facts.HOST + target,
        headers=_headers(keys, now_ms, "POST", target, body) | deadline,
        body=body,
        expires_ms=expires_ms,
        budget=budget,
    )


def _headers(keys: Credentials, now_ms: int, method: str, target: str, body: str) -> dict[str, str]:
    at = timestamp(now_ms)
    return {
        "OK-ACCESS-KEY": keys.key,
        "OK-ACCESS-PASSPHRASE": keys.passphrase,
        "OK-ACCESS-TIMESTAMP": at,
        "OK-ACCESS-SIGN": signature(keys.secret, f"{at}{method}{target}{body}"),
        "Content-Type": "application/json",
    }
