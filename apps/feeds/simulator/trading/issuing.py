"""Keys that a simulated exchange makes up for who brings none: (key, secret, passphrase), fit for its signatures.

What belongs to a key follows from the key and the exchange's own `master`, so that no secret has to be kept for it.
"""

import hmac
import secrets
from typing import Protocol

Made = tuple[str, str, str]
MASTER_BYTES = 32


class Issue(Protocol):
    def __call__(self, master: bytes, key: str | None = None) -> Made:
        """A new key; with `key`, that one again."""


def new_master() -> bytes:
    return secrets.token_bytes(MASTER_BYTES)


def api_key(master: bytes, key: str | None = None) -> Made:
    key = key or secrets.token_hex(16)
    return key, _derived(master, key, "secret"), _derived(master, key, "passphrase")[:16]


def wallet(master: bytes, key: str | None = None) -> Made:
    """An address, and the private key of an agent that trades for it."""
    key = key or f"0x{secrets.token_hex(20)}"
    return key, f"0x{_derived(master, key, 'agent')}", ""


def _derived(master: bytes, key: str, what: str) -> str:
    return hmac.digest(master, f"{what}:{key}".encode(), "sha256").hex()
