"""How MEXC's requests are signed: HMAC-SHA256 in hexadecimal of what is sent, in the order in which it is sent."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import REST, SPOT
from apps.feeds.orders import Credentials

_json = msgspec.json.Encoder(decimal_format="number")


def signature(secret: str, text: str) -> str:
    return hmac.digest(secret.encode(), text.encode(), hashlib.sha256).hex()


def spot(
    keys: Credentials,
    method: str,
    path: str,
    params: Mapping[str, str],
    now_ms: int,
    *,
    window_ms: int = facts.RECV_WINDOW_MS,
    weight: int = 1,
) -> Request:
    """All parameters stand in the query; the exchange takes it for `window_ms` from `now_ms` on."""
    query = urlencode({**params, "recvWindow": window_ms, "timestamp": now_ms})
    return Request(
        method=method,
        url=f"{REST[SPOT]}/{path}?{query}&signature={signature(keys.secret, query)}",
        headers={"X-MEXC-APIKEY": keys.key, "Content-Type": "application/json"},
        expires_ms=now_ms + window_ms,
        weight=weight,
    )


def futures_get(keys: Credentials, path: str, params: Mapping[str, str | int], now_ms: int) -> Request:
    query = urlencode(sorted(params.items()))
    url = f"{facts.PRIVATE}/{path}"
    return Request(method="GET", url=f"{url}?{query}" if query else url, headers=_headers(keys, query, now_ms))


def futures_post(keys: Credentials, path: str, content: object, now_ms: int, *, budget: str) -> Request:
    """Numbers are sent as numbers, exact."""
    body = _json.encode(content).decode()
    return Request(
        method="POST",
        url=f"{facts.PRIVATE}/{path}",
        headers=_headers(keys, body, now_ms),
        body=body,
        budget=budget,
    )


def login(keys: Credentials, now_ms: int) -> str:
    """Without `subscribe` false everything would be pushed at once."""
    param = {"apiKey": keys.key, "reqTime": str(now_ms), "signature": signature(keys.secret, f"{keys.key}{now_ms}")}
    return wire.frame({"method": "login", "subscribe": False, "param": param})


def part(text: str) -> str:
    """One part of a path."""
    return quote(text, safe="")


def _headers(keys: Credentials, signed: str, now_ms: int) -> dict[str, str]:
    return {
        "ApiKey": keys.key,
        "Request-Time": str(now_ms),
        "Signature": signature(keys.secret, f"{keys.key}{now_ms}{signed}"),
        "Content-Type": "application/json",
    }
