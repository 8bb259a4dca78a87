"""Tokens of classic sockets, asked for by REST before each connect; and of the unified private socket."""

import random
from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.trading.accounts import Account

PING_MS, PING_PATIENCE_MS = 18000, 10000
UNIFIED = "unified"  # in the place of a market type: the unified socket carries both


@dataclass(slots=True)
class Token:
    market_type: str  # tokens of one host do not work at the other
    until: float
    account: Account | None  # None: for public channels only
    used: bool = False


class Tokens:
    def __init__(self, rng: random.Random, life_s: float) -> None:
        self._rng = rng
        self._life_s = life_s
        self._tokens: dict[str, Token] = {}

    def issue(self, market_type: str, now: float, account: Account | None = None) -> str:
        """A new token; those that have run out are forgotten."""
        self._tokens = {text: token for text, token in self._tokens.items() if token.until > now}
        text = f"2neAiuYvAU61ZD{self._rng.getrandbits(256):064x}=="
        self._tokens[text] = Token(market_type, now + self._life_s, account)
        return text

    def find(self, text: str, market_type: str, now: float) -> Token | None:
        """The token, if it opens a socket of that market now."""
        token = self._tokens.get(text)
        return token if token is not None and token.market_type == market_type and token.until > now else None


def bullet(token: str, server: str, host: str) -> dict[str, Any]:
    """What is answered to who asks for a token. The socket's address is this very server: clients that take it as it
    is come here."""
    told = {
        "endpoint": f"ws://{server}/{host}/",
        "encrypt": True,
        "protocol": "websocket",
        "pingInterval": PING_MS,
        "pingTimeout": PING_PATIENCE_MS,
    }
    return {"token": token, "instanceServers": [told]}
