"""Who asks: key, signature over the request as it was sent, and its age."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from apps.feeds.simulator.coinex.params import Params, illegal
from apps.feeds.simulator.coinex.refusals import (
    BAD_ADDRESS,
    BAD_KEY,
    BAD_SIGN,
    EXPIRED,
    MAY_NOT_READ,
    MAY_NOT_TRADE,
    NO_SIGN,
    RefusalError,
)
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

DIGITS = re.compile(r"[0-9]{1,18}")
WINDOW_MS = 5000  # unless X-COINEX-WINDOWTIME says otherwise
FORBIDDEN = {"read": MAY_NOT_READ, "trade": MAY_NOT_TRADE}


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right. `market_type` is empty where the path names none."""

    account: Account
    key: Key
    market_type: str
    params: Params
    expires_ms: int


async def signed(desk: Desk, request: web.Request, path: str, market_type: str, permission: str) -> Caller:
    """Judge a signed request: method, path with query, body, and time are signed, as they were sent."""
    account, key = keyed(desk, request.headers.get("X-COINEX-KEY", ""))
    expires_ms = timely(desk, request)
    query, body = request.raw_path.partition("?")[2], await request.read()
    target = f"/{path}?{query}" if query else f"/{path}"
    text = b"".join(
        (request.method.encode(), target.encode(), body, request.headers["X-COINEX-TIMESTAMP"].encode("latin-1"))
    )
    if request.headers.get("X-COINEX-SIGN") != signature(key.secret, text):
        raise RefusalError(*BAD_SIGN)
    if permission not in key.permissions:
        raise RefusalError(*FORBIDDEN[permission])
    return Caller(account, key, market_type, _params(request.method, query, body), expires_ms)


def keyed(desk: Desk, text: str) -> tuple[Account, Key]:
    found = desk.by_key(text)
    if found is None:
        raise RefusalError(*BAD_KEY)
    if not found[1].ip_allowed:
        raise RefusalError(*BAD_ADDRESS)
    return found


def timely(desk: Desk, request: web.Request) -> int:
    """When the request expires; raises when it has, or is as far from the future."""
    sent, window = (request.headers.get(f"X-COINEX-{name}", "") for name in ("TIMESTAMP", "WINDOWTIME"))
    if DIGITS.fullmatch(sent) is None or DIGITS.fullmatch(window or "0") is None:
        raise RefusalError(*NO_SIGN)
    window_ms = int(window or WINDOW_MS)
    if abs(desk.now_ms() - int(sent)) > window_ms:
        raise RefusalError(*EXPIRED)
    return int(sent) + window_ms


def signature(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode("latin-1"), text, hashlib.sha256).hexdigest()


def _params(method: str, query: str, body: bytes) -> Params:
    if method == "GET":
        return Params(dict(parse_qsl(query, keep_blank_values=True)), body=False)
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        values = None
    if not isinstance(values, dict):
        raise illegal("body")
    return Params(values, body=True)
