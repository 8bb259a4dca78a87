"""Who asks: key, passphrase, signature over the text as it was sent, and the age of a request or of a login."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.okx.refusals import (
    BAD_IP,
    BAD_JSON,
    BAD_KEY,
    BAD_PASSPHRASE,
    BAD_SIGN,
    BAD_TIMESTAMP,
    EXPIRED,
    HEADERS,
    NOT_PERMITTED,
    OTHER_ENVIRONMENT,
    TOO_LATE,
    RefusalError,
    bad,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

WINDOW_MS = 30_000
ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
LOGIN = "/users/self/verify"
NO_KEY, OLD_LOGIN, BAD_LOGIN_SIGN, WRONG_PASSPHRASE, BAD_LOGIN_TIME = (
    ("60005", "Invalid OK_ACCESS_KEY"),
    ("60006", "Timestamp request expired"),
    ("60007", "Invalid sign"),
    ("60024", "Wrong passphrase"),
    ("60004", "Invalid OK_ACCESS_TIMESTAMP"),
)
LOGIN_FAILED = ("60009", "Login failed.")


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right; `body` is the JSON of a POST."""

    account: Account
    key: Key
    query: Mapping[str, str]
    body: Any = None
    expires_ms: int | None = None  # by its header expTime


def signature(secret: str, text: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


async def signed(desk: Desk, request: web.Request, path: str, permission: str) -> Caller:
    """Judge a signed request: what was signed is time, method, path with query and body, all as sent."""
    given = {name: request.headers.get(name, "") for name in HEADERS}
    for name, code in HEADERS.items():
        if not given[name]:
            raise RefusalError(code, f'Request header "{name}" cannot be empty.', status=401)
    sent = given["OK-ACCESS-TIMESTAMP"]
    check_age(desk, sent)
    found = desk.by_key(given["OK-ACCESS-KEY"])
    if found is None:
        raise refusal(BAD_KEY, status=401)
    account, key = found
    if request.headers.get("x-simulated-trading") == "1":
        raise refusal(OTHER_ENVIRONMENT, status=401)
    if not hmac.compare_digest(given["OK-ACCESS-PASSPHRASE"].encode(), key.passphrase.encode()):
        raise refusal(BAD_PASSPHRASE, status=401)
    body = await text_of(request)
    _, asks, query = request.raw_path.partition("?")
    text = f"{sent}{request.method}/{path}{asks}{query}{body}"
    if not hmac.compare_digest(signature(key.secret, text).encode(), given["OK-ACCESS-SIGN"].encode()):
        raise refusal(BAD_SIGN, status=401)
    if not key.ip_allowed:
        raise refusal(BAD_IP, status=401)
    if permission not in key.permissions:
        raise refusal(NOT_PERMITTED, status=401)
    return Caller(account, key, dict(request.query), decoded(request, body), expiry(desk, request))


async def text_of(request: web.Request) -> str:
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise refusal(BAD_JSON, status=400) from None


def check_age(desk: Desk, sent: str) -> None:
    try:
        sent_ms = round(datetime.strptime(f"{sent}+0000", f"{ISO}%z").timestamp() * 1000)
    except ValueError:
        raise refusal(BAD_TIMESTAMP, status=401) from None
    if abs(desk.now_ms() - sent_ms) > WINDOW_MS:
        raise refusal(EXPIRED, status=401)


def decoded(request: web.Request, body: str) -> Any:
    if request.method != "POST":
        return None
    if request.content_type != "application/json":
        raise RefusalError("50006", "Invalid Content_Type, please use the application/json format", status=400)
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise refusal(BAD_JSON, status=400) from None


def expiry(desk: Desk, request: web.Request) -> int | None:
    """By the header expTime; raises when it is over."""
    text = request.headers.get("expTime")
    if text is None:
        return None
    if not text.isdecimal():
        raise bad("expTime")
    if int(text) < desk.now_ms():
        raise refusal(TOO_LATE)
    return int(text)


def logged_in(desk: Desk, args: Any) -> Account:
    """The account of a login by socket; raises RefusalError."""
    given = args[0] if isinstance(args, list) and len(args) == 1 else None
    names = ("apiKey", "passphrase", "timestamp", "sign")
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        raise refusal(LOGIN_FAILED)
    if not given["timestamp"].isdecimal():
        raise refusal(BAD_LOGIN_TIME)
    if abs(desk.now_ms() - int(given["timestamp"]) * 1000) > WINDOW_MS:
        raise refusal(OLD_LOGIN)
    found = desk.by_key(given["apiKey"])
    if found is None:
        raise refusal(NO_KEY)
    account, key = found
    if not hmac.compare_digest(given["passphrase"].encode(), key.passphrase.encode()):
        raise refusal(WRONG_PASSPHRASE)
    expected = signature(key.secret, f"{given['timestamp']}GET{LOGIN}")
    if not hmac.compare_digest(expected.encode(), given["sign"].encode()):
        raise refusal(BAD_LOGIN_SIGN)
    if not key.ip_allowed or "read" not in key.permissions:
        raise refusal(LOGIN_FAILED)
    return account
