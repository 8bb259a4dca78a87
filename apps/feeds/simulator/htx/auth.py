"""Who asks: access key, signature over method, host, path and sorted parameters, and a time to the second."""

import base64
import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import strptime
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from aiohttp import web

from apps.feeds.simulator.htx.params import Params
from apps.feeds.simulator.htx.refusals import Words
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

WINDOW_MS = 300_000
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
NAMES = ("AccessKeyId", "SignatureMethod", "SignatureVersion", "Timestamp")
NO_KEY = "Incorrect Access key [Access key错误]"
WRONG = "Verification failure [校验失败]"
LATE = "Invalid Timestamp [时间戳错误]"


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right. `id`: the number in the path, if it has one."""

    account: Account
    key: Key
    params: Params
    id: str
    expires_ms: int


async def signed(
    desk: Desk, request: web.Request, host: str, path: str, id: str, permission: str, words: Words
) -> Caller:
    """Judge a signed request. Of a POST the query is signed alone: its body is not."""
    query = dict(parse_qsl(request.raw_path.partition("?")[2], keep_blank_values=True))
    claimed = query.pop("Signature", "")
    account, key = keyed(desk, query.get("AccessKeyId", ""), words)
    expires_ms = timely(desk, query.get("Timestamp", ""), words)
    if (query.get("SignatureMethod"), query.get("SignatureVersion")) != ("HmacSHA256", "2"):
        raise words.unsigned(WRONG)
    right = {signature(key.secret, request.method, name, f"/{path}", query) for name in names_of(request, host)}
    if claimed not in right:
        raise words.unsigned(WRONG)
    if permission not in key.permissions:
        raise words.unsigned("Insufficient permission of the API key [权限不足]")
    values: Mapping[str, Any] = {name: value for name, value in query.items() if name not in NAMES}
    if request.method == "POST":
        values = _body(await request.read(), words)
    return Caller(account, key, Params(values, words, body=request.method == "POST"), id, expires_ms)


def keyed(desk: Desk, text: str, words: Words) -> tuple[Account, Key]:
    found = desk.by_key(text)
    if found is None:
        raise words.unsigned(NO_KEY)
    if not found[1].ip_allowed:
        raise words.unsigned("Invalid IP address [IP地址错误]")
    return found


def timely(desk: Desk, text: str, words: Words) -> int:
    """Until when a request of that time holds; raises when it is too old, or too far ahead."""
    if TIME.fullmatch(text) is None:
        raise words.unsigned(LATE)
    try:
        sent_ms = timegm(strptime(text, "%Y-%m-%dT%H:%M:%S")) * 1000
    except ValueError:
        raise words.unsigned(LATE) from None
    if abs(desk.now_ms() - sent_ms) > WINDOW_MS:
        raise words.unsigned(LATE)
    return sent_ms + WINDOW_MS


def names_of(request: web.Request, host: str) -> Iterable[str]:
    """The host as it is signed: its own name, or the address at which the client has reached it here."""
    return host, f"{request.host}/{host}"


def signature(secret: str, method: str, host: str, path: str, values: Mapping[str, Any]) -> str:
    """`values` sorted by the bytes of their names, percent-encoded."""
    query = "&".join(f"{quote(name, '')}={quote(str(values[name]), '')}" for name in sorted(values))
    text = "\n".join((method, host, path, query))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _body(body: bytes, words: Words) -> Mapping[str, Any]:
    try:
        values = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        values = None
    if not isinstance(values, dict):
        raise words.illegal("body")
    return values
