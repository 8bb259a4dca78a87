"""Who asks: key, signature over the text as it was sent, and the age of a request or of a login."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.bybit.params import Params
from apps.feeds.simulator.bybit.refusals import (
    BAD_IP,
    BAD_KEY,
    BAD_SIGN,
    BAD_TIME,
    NOT_PERMITTED,
    RefusalError,
    bad,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

DEFAULT_WINDOW = "5000"
AHEAD_MS = 1000  # that a client's clock may be


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right."""

    account: Account
    key: Key
    params: Params
    expires_ms: int


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


async def signed(desk: Desk, request: web.Request, permission: str) -> Caller:
    """Judge a signed request: what was signed is time, key, window, and the query or the body as sent."""
    text, sent = request.headers.get("X-BAPI-API-KEY", ""), request.headers.get("X-BAPI-TIMESTAMP", "")
    window = request.headers.get("X-BAPI-RECV-WINDOW", DEFAULT_WINDOW)
    found = desk.by_key(text)
    if found is None:
        raise refusal(BAD_KEY)
    account, key = found
    expires_ms = timely(desk, sent, window)
    body = await text_of(request)
    asked = body if request.method == "POST" else request.raw_path.partition("?")[2]
    given = request.headers.get("X-BAPI-SIGN", "")
    if not hmac.compare_digest(signature(key.secret, f"{sent}{text}{window}{asked}").encode(), given.encode()):
        raise refusal(BAD_SIGN)
    if not key.ip_allowed:
        raise refusal(BAD_IP)
    if permission not in key.permissions:
        raise refusal(NOT_PERMITTED)
    values = decoded(request, body) if request.method == "POST" else dict(request.query)
    return Caller(account, key, Params(values), expires_ms)


async def text_of(request: web.Request) -> str:
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise bad("body") from None


def timely(desk: Desk, sent: str, window: str) -> int:
    """When the request expires; raises when it has, or comes from the future."""
    if not sent.isdecimal() or not window.isdecimal():
        raise bad("timestamp or recv_window")
    now = desk.now_ms()
    if not now - int(window) <= int(sent) < now + AHEAD_MS:
        told = f"{BAD_TIME[1]} req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]"
        raise RefusalError(BAD_TIME[0], told)
    return int(sent) + int(window)


def decoded(request: web.Request, body: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        raise bad("body") from None


def logged_in(desk: Desk, args: Any) -> Account | None:
    """The account of a login by socket; None when it is not right."""
    if not isinstance(args, list) or len(args) != 3 or not isinstance(args[0], str) or not isinstance(args[2], str):
        return None
    found = desk.by_key(args[0])
    expires = str(args[1])
    if found is None or not expires.isdecimal() or int(expires) <= desk.now_ms():
        return None
    account, key = found
    right = hmac.compare_digest(signature(key.secret, f"GET/realtime{expires}").encode(), args[2].encode())
    return account if right and key.ip_allowed and "read" in key.permissions else None
