"""HTX's signatures: HMAC-SHA256 in base64 over method, host, path and sorted parameters. Bodies are not signed."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Frame, Request
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials


def query(keys: Credentials, method: str, host: str, path: str, params: Mapping[str, object], now_ms: int) -> str:
    """The whole query with its signature; upper case sorts before lower."""
    named = {
        "AccessKeyId": keys.key,
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": _time(now_ms),
    }
    sorted_query = _sorted({**named, **params})
    return f"{sorted_query}&Signature={quote(_sign(keys.secret, method, host, path, sorted_query), safe='')}"


def get(
    keys: Credentials,
    market_type: MarketType,
    budget: str,
    path: str,
    params: Mapping[str, object],
    now_ms: int,
) -> Request:
    """Signed; parameters that are None are left out."""
    told = {name: value for name, value in params.items() if value is not None}
    host = facts.HOST[market_type]
    return Request(
        method="GET", url=f"https://{host}{path}?{query(keys, 'GET', host, path, told, now_ms)}", budget=budget
    )


def post(
    keys: Credentials, market_type: MarketType, budget: str, path: str, content: Mapping[str, object], now_ms: int
) -> Request:
    """Signed; entries that are None are left out."""
    host = facts.HOST[market_type]
    return Request(
        method="POST",
        url=f"https://{host}{path}?{query(keys, 'POST', host, path, {}, now_ms)}",
        headers={"Content-Type": "application/json"},
        body=wire.frame({name: value for name, value in content.items() if value is not None}),
        budget=budget,
    )


def login(keys: Credentials, market_type: MarketType, now_ms: int) -> Frame:
    """What logs a socket in: spot's is a generation of its own."""
    host, path, timestamp = facts.HOST[market_type], facts.SOCKET_PATH[market_type], _time(now_ms)
    if market_type is MarketType.SPOT:
        params = {
            "accessKey": keys.key,
            "signatureMethod": "HmacSHA256",
            "signatureVersion": "2.1",
            "timestamp": timestamp,
        }
        signed = {"signature": _sign(keys.secret, "GET", host, path, _sorted(params))}
        return wire.frame({"action": "req", "ch": "auth", "params": {"authType": "api", **params, **signed}})
    params = {
        "AccessKeyId": keys.key,
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": timestamp,
    }
    signed = {"Signature": _sign(keys.secret, "GET", host, path, _sorted(params))}
    return wire.frame({"op": "auth", "type": "api", **params, **signed})


def _time(now_ms: int) -> str:
    """UTC, without milliseconds and zone."""
    return datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _sorted(params: Mapping[str, object]) -> str:
    return urlencode(sorted(params.items()), quote_via=quote, safe="")


def _sign(secret: str, method: str, host: str, path: str, sorted_query: str) -> str:
    text = f"{method}\n{host}\n{path}\n{sorted_query}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
