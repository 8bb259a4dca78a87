"""Who asks: API key, signature over the text as it was sent, and the age of a request."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import web

from apps.feeds.simulator.binance.params import Params, missing
from apps.feeds.simulator.binance.refusals import (
    BAD_KEY,
    BAD_SIGNATURE,
    NOT_ALLOWED,
    TOO_EARLY,
    TOO_LATE,
    RefusalError,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

DEFAULT_WINDOW_MS = 5000
LONGEST_WINDOW_MS = 60_000
AHEAD_MS = 1000  # that a client's clock may be


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right."""

    account: Account
    key: Key
    market_type: str
    params: Params
    expires_ms: int = 0  # by its timestamp and recvWindow


def keyed(desk: Desk, text: str, permission: str) -> tuple[Account, Key]:
    """The account of an API key that may do so much."""
    if not text:
        raise refusal(BAD_KEY, status=401)
    found = desk.by_key(text)
    if found is None or not found[1].ip_allowed or permission not in found[1].permissions:
        raise refusal(NOT_ALLOWED, status=401)
    return found


async def signed(desk: Desk, request: web.Request, market_type: str, permission: str) -> Caller:
    """Judge a signed request: what was signed is the query and the body as sent, without the signature at the end."""
    account, key = keyed(desk, request.headers.get("X-MBX-APIKEY", ""), permission)
    query = request.raw_path.partition("?")[2]
    body = (await request.read()).decode(errors="replace")
    values = decoded(query, body)
    expires_ms = timely(desk, values)
    if "signature" not in values:
        raise missing("signature")
    text = _unsigned(query) + _unsigned(body)
    if not hmac.compare_digest(signature(key.secret, text), values["signature"].lower()):
        raise refusal(BAD_SIGNATURE)
    return Caller(account, key, market_type, Params(values), expires_ms)


def decoded(*texts: str) -> dict[str, str]:
    """Parameters of query and body; none may come twice."""
    pairs = [pair for text in texts for pair in parse_qsl(text, keep_blank_values=True)]
    values = dict(pairs)
    if len(values) != len(pairs):
        raise RefusalError(-1101, f"Too many parameters; expected '{len(values)}' and received '{len(pairs)}'.")
    return values


def timely(desk: Desk, values: Mapping[str, str]) -> int:
    """When the request expires; raises when it has, or comes from the future."""
    params = Params(values)
    params.require("timestamp")
    sent, now = params.whole("timestamp"), desk.now_ms()
    window = params.number("recvWindow")
    window_ms = DEFAULT_WINDOW_MS if window is None else int(window)
    if window_ms > LONGEST_WINDOW_MS:
        raise RefusalError(-1131, "recvWindow must be less than 60000")
    if sent >= now + AHEAD_MS:
        raise refusal(TOO_EARLY)
    if now - sent > window_ms:
        raise refusal(TOO_LATE)
    return sent + window_ms


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed_params(secret: str, values: Mapping[str, str]) -> str:
    """The signature of a WebSocket request: all parameters but itself, sorted by name, not percent-encoded."""
    return signature(secret, "&".join(f"{name}={values[name]}" for name in sorted(values) if name != "signature"))


def _unsigned(text: str) -> str:
    """Without the signature, which is the last parameter."""
    head, found, _ = text.rpartition("signature=")
    return head.removesuffix("&") if found else text
