"""Who asks: API key, passphrase, and signature over time, method, path, query and body."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from apps.feeds.simulator.kucoin.params import Params, from_body
from apps.feeds.simulator.kucoin.refusals import (
    BAD_IP,
    BAD_KEY,
    BAD_PASSPHRASE,
    BAD_SIGN,
    BAD_TIME,
    NO_HEADERS,
    NOT_ALLOWED,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

WINDOW_MS = 5000
NEEDED = ("KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE")
HASHED = ("2", "3")  # versions of keys whose passphrase is sent as a hash
VERIFY = "POST/api/websocket/users/verify"  # what a socket's greeting signs behind its time
UNIFIED = "unified"  # the other kind of accounts


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right.

    `tail`: what the path ends with, where that is an id. `server`: where the client found us.
    """

    account: Account
    key: Key
    market_type: str
    params: Params
    tail: str
    sent_ms: int
    server: str

    @property
    def unified(self) -> bool:
        return self.account.kind == UNIFIED


def hashed(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


async def signed(
    desk: Desk, request: web.Request, path: str, *, market_type: str, tail: str, permission: str
) -> Caller:
    """Judge a signed request. Its query is signed as it reads, not as it is percent-encoded."""
    if not all(request.headers.get(name) for name in NEEDED):
        raise refusal(NO_HEADERS, 401)
    head = request.headers
    query, body = request.raw_path.partition("?")[2], await request.read()
    account, key = judged(
        desk,
        head["KC-API-KEY"],
        stamp=head["KC-API-TIMESTAMP"],
        passphrase=head["KC-API-PASSPHRASE"],
        version=head.get("KC-API-KEY-VERSION", "1"),
    )
    target = f"/{path}?{unquote(query)}" if query else f"/{path}"
    text = head["KC-API-TIMESTAMP"] + request.method + target + body.decode(errors="replace")
    if not hmac.compare_digest(hashed(key.secret, text).encode(), head["KC-API-SIGN"].encode()):
        raise refusal(BAD_SIGN, 401)
    if permission not in key.permissions:
        raise refusal(NOT_ALLOWED, 400)
    params = from_body(body, request.content_type) if request.method == "POST" else Params(dict(parse_qsl(query)))
    return Caller(account, key, market_type, params, tail, int(head["KC-API-TIMESTAMP"]), request.host)


def judged(desk: Desk, text: str, *, stamp: str, passphrase: str, version: str) -> tuple[Account, Key]:
    """The account of an API key, when time and passphrase are right too."""
    found = desk.by_key(text)
    if found is None:
        raise refusal(BAD_KEY, 401)
    if not stamp.isdigit() or abs(desk.now_ms() - int(stamp)) > WINDOW_MS:
        raise refusal(BAD_TIME, 401)
    key = found[1]
    expected = hashed(key.secret, key.passphrase) if version in HASHED else key.passphrase
    if not hmac.compare_digest(expected.encode(), passphrase.encode()):
        raise refusal(BAD_PASSPHRASE, 401)
    if not key.ip_allowed:
        raise refusal(BAD_IP, 400)
    return found
