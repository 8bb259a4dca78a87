"""How KuCoin's requests and logins are signed, the same for all generations of its API."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.trading_facts import Call, Deed
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials

NOTHING: Mapping[str, object] = {}


def signature(secret: str, text: str) -> str:
    """Of a request's text, and of a passphrase, which goes out encrypted."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


def login(keys: Credentials, now_ms: int) -> str:
    """Of a unified socket; the token is a classic one's login."""
    return wire.frame(
        {
            "id": facts.LOGIN,
            "op": "auth",
            "kc-api-key": keys.key,
            "kc-api-sign": signature(keys.secret, f"{now_ms}POST{facts.LOGIN_PATH}"),
            "kc-api-timestamp": str(now_ms),
            "kc-api-passphrase": signature(keys.secret, keys.passphrase),
        }
    )


def act(
    keys: Credentials,
    market_type: MarketType,
    deed: Deed,
    values: Mapping[str, str],
    now_ms: int,
    *,
    fields: Mapping[str, object] = NOTHING,
    expires_ms: int | None = None,
) -> Request:
    """What the account's generation calls this deed; an empty value is left out."""
    where = (facts.generation(keys), market_type)
    call = facts.CALLS[where][deed]
    call = call._replace(budget=call.budget or facts.BUDGETS[where])
    return signed(keys, facts.HOST_OF[where], call, values, now_ms, fields=fields, expires_ms=expires_ms)


def signed(
    keys: Credentials,
    host: str,
    call: Call,
    values: Mapping[str, str],
    now_ms: int,
    *,
    fields: Mapping[str, object] = NOTHING,
    expires_ms: int | None = None,
) -> Request:
    params = {name: values[name] for name in call.params if values.get(name)}
    target, body = call.path.format_map(values), ""
    if call.method == "POST":
        told = params | dict(fields)
        body = wire.frame(told) if told else ""
    elif params:
        target += "?" + "&".join(f"{name}={value}" for name, value in params.items())  # signed without escapes
    return Request(
        method=call.method,
        url=host + target,
        weight=call.weight,
        headers=_headers(keys, now_ms, f"{call.method}{target}{body}"),
        body=body,
        expires_ms=expires_ms,
        budget=call.budget,
    )


def _headers(keys: Credentials, now_ms: int, text: str) -> dict[str, str]:
    return {
        "KC-API-KEY": keys.key,
        "KC-API-SIGN": signature(keys.secret, f"{now_ms}{text}"),
        "KC-API-TIMESTAMP": str(now_ms),
        "KC-API-PASSPHRASE": signature(keys.secret, keys.passphrase),
        "KC-API-KEY-VERSION": facts.KEY_VERSION,
        "Content-Type": "application/json",
    }
