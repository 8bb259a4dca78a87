"""Who asks: key, signature over what was sent, and the age of a request. Spot and contracts each have their own."""

import hashlib
import hmac
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from apps.feeds.simulator.mexc.params import WHOLE, Params
from apps.feeds.simulator.mexc.refusals import (
    BAD_ADDRESS,
    BAD_SIGNATURE,
    BAD_TIME,
    LONG_WINDOW,
    NO_KEY,
    NO_PERMISSION,
    UNKNOWN_KEY,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Account, Key
from apps.feeds.simulator.trading.desk import Desk

DEFAULT_WINDOW_MS, LONGEST_WINDOW_MS = 5000, 60_000  # of spot
AHEAD_MS = 1000  # that a client's clock may be, on spot
FUTURES_WINDOW_S, LONGEST_FUTURES_WINDOW_S = 10, 60  # to either side


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose key, signature and time are right. `body` is a contract request's JSON, `parts` of its path."""

    account: Account
    key: Key
    params: Params
    body: Any = None
    parts: list[str] = field(default_factory=list)


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode(errors="replace"))


def keyed(desk: Desk, market_type: str, text: str, permission: str) -> tuple[Account, Key]:
    """The account of an API key that may do so much."""
    if not text:
        raise refusal(market_type, NO_KEY[market_type])
    found = desk.by_key(text)
    if found is None:
        raise refusal(market_type, UNKNOWN_KEY[market_type])
    if not found[1].ip_allowed:
        raise refusal(market_type, BAD_ADDRESS[market_type])
    if permission not in found[1].permissions:
        raise refusal(market_type, NO_PERMISSION[market_type, permission])
    return found


async def spot_caller(desk: Desk, request: web.Request, permission: str) -> Caller:
    """What is signed is the query and the body as sent, without the signature at the end."""
    account, key = keyed(desk, "spot", request.headers.get("X-MEXC-APIKEY", ""), permission)
    query = request.raw_path.partition("?")[2]
    body = (await request.read()).decode(errors="replace")
    values = dict(pair for text in (query, body) for pair in parse_qsl(text, keep_blank_values=True))
    params = Params("spot", values)
    sent, now = params.whole("timestamp"), desk.now_ms()
    window_ms = params.whole("recvWindow", DEFAULT_WINDOW_MS)
    if window_ms > LONGEST_WINDOW_MS:
        raise refusal("spot", LONG_WINDOW)
    if sent >= now + AHEAD_MS or now - sent > window_ms:
        raise refusal("spot", BAD_TIME["spot"])
    wanted = signature(key.secret, _unsigned(query) + _unsigned(body))
    if not same(wanted, values.get("signature", "")):
        raise refusal("spot", BAD_SIGNATURE["spot"])
    return Caller(account, key, params)


async def futures_caller(desk: Desk, request: web.Request, permission: str, parts: list[str]) -> Caller:
    """Signed are key, time, and the sorted query of a GET or the body of a POST as sent."""
    headers = request.headers
    account, key = keyed(desk, "futures", headers.get("ApiKey", ""), permission)
    window = Params("futures", {"Recv-Window": headers.get("Recv-Window")})
    window_s = min(window.whole("Recv-Window", FUTURES_WINDOW_S), LONGEST_FUTURES_WINDOW_S)
    sent = headers.get("Request-Time", "")
    check_time(desk, sent, window_s)
    text = (await request.read()).decode(errors="replace")
    query = request.raw_path.partition("?")[2]
    signed = text if request.method == "POST" else "&".join(sorted(query.split("&")))
    if not same(signature(key.secret, key.key + sent + signed), headers.get("Signature", "")):
        raise refusal("futures", BAD_SIGNATURE["futures"])
    body = decoded(text) if request.method == "POST" else None
    values = body if isinstance(body, dict) else dict(parse_qsl(query, keep_blank_values=True))
    return Caller(account, key, Params("futures", values), body, parts)


def check_time(desk: Desk, sent: str, window_s: int = FUTURES_WINDOW_S) -> None:
    """Of a contract request or login, as it is written there."""
    if WHOLE.fullmatch(sent) is None or abs(desk.now_ms() - int(sent)) > window_s * 1000:
        raise refusal("futures", BAD_TIME["futures"])


def login(desk: Desk, param: Any) -> Account:
    """The account of a login on the contracts' socket."""
    values = param if isinstance(param, dict) else {}
    account, key = keyed(desk, "futures", str(values.get("apiKey", "")), "read")
    sent = str(values.get("reqTime", ""))
    check_time(desk, sent)
    if not same(signature(key.secret, key.key + sent), str(values.get("signature", ""))):
        raise refusal("futures", BAD_SIGNATURE["futures"])
    return account


def decoded(text: str) -> Any:
    """JSON with exact numbers."""
    if not text:
        return None
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        raise Params("futures", {}).wrong("body") from None


def _unsigned(text: str) -> str:
    """Without the signature, which is the last parameter."""
    head, found, _ = text.rpartition("signature=")
    return head.removesuffix("&") if found else text


_decoder = msgspec.json.Decoder(float_hook=Decimal)
