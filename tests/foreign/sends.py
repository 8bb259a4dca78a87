"""Requests of ours beside those that ccxt would send for the same: method, path, parameters, signature.

A pair lists in what it differs and why; what is not listed must be equal, and what is listed must differ.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from apps.feeds.drivers.base import Request
from apps.feeds.orders import Credentials
from tests.foreign.running import run

PATH = "the path"


class Sent(NamedTuple):
    """`target` is path and query as they leave; `headers` have lower-case names."""

    method: str
    target: str
    body: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return f"{self.method} {urlsplit(self.target).path}"

    @property
    def params(self) -> dict[str, Any]:
        """Of query and body together; a list of one order counts as the order, other lists as a parameter."""
        query = dict(parse_qsl(urlsplit(self.target).query, strict_parsing=False, keep_blank_values=True))
        told = json.loads(self.body) if self.body else {}
        if isinstance(told, list):
            told = told[0] if isinstance(told[0], dict) else {"the list": told}
        return query | told


@dataclass(frozen=True)
class Pair:
    """One of ours, and the method, arguments and parameters by which ccxt is asked for the same."""

    name: str
    ours: Request
    method: str
    arguments: tuple[Any, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)  # parameter, or PATH: why


def sent(request: Request) -> Sent:
    return _sent(request.method, request.url, request.body, request.headers)


def _sent(method: str, url: str, body: str, headers: dict[str, str]) -> Sent:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Sent(method, target, body, {name.lower(): str(value) for name, value in headers.items()})


async def theirs(
    exchange: str, keys: Credentials, now_ms: int, markets: list[dict[str, Any]], pairs: list[Pair], /, **task: Any
) -> list[Sent]:
    """What ccxt sends last in each call. `task`: its options, keys of other kinds, answers to what it asks before."""
    told = await run(
        "ccxt_sends.py",
        {
            "exchange": exchange,
            "keys": {"apiKey": keys.key, "secret": keys.secret, "password": keys.passphrase},
            "now_ms": now_ms,
            "markets": markets,
            "calls": [[pair.method, pair.arguments, pair.params] for pair in pairs],
        }
        | task,
    )
    return [_sent(**calls[-1]) for calls in told]


def differences(pair: Pair, other: Sent) -> set[str]:
    ours = sent(pair.ours)
    missing = object()
    names = {
        name for name in ours.params | other.params if ours.params.get(name, missing) != other.params.get(name, missing)
    }
    return names | ({PATH} if ours.path != other.path else set())
