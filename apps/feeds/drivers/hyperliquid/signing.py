"""How an action is signed: msgpack and keccak make an id of it, an EIP-712 agent of that id is what the wallet signs.

An id depends on the order of keys and on the spelling of every number: actions are built as the exchange shows them.
"""

from collections.abc import Mapping
from typing import Any

import msgpack
from coincurve import PrivateKey
from Crypto.Hash import keccak

from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.errors import BadCredentials

_RECOVERY = 27  # what Ethereum adds to the recovery id


def keccak256(content: bytes) -> bytes:
    return keccak.new(data=content, digest_bits=256).digest()


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


_DOMAIN = keccak256(
    keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    + keccak256(b"Exchange")
    + keccak256(b"1")
    + _word(facts.CHAIN_ID)
    + _word(0)
)
_AGENT = keccak256(b"Agent(string source,bytes32 connectionId)")


def hash_input(action: Mapping[str, Any], nonce: int, expires_ms: int | None) -> bytes:
    """The bytes that name the action; no vault."""
    packed: bytes = msgpack.packb(action)
    expiry = b"" if expires_ms is None else b"\x00" + expires_ms.to_bytes(8, "big")
    return packed + nonce.to_bytes(8, "big") + b"\x00" + expiry


def digest(connection_id: bytes, source: str) -> bytes:
    agent = keccak256(_AGENT + keccak256(source.encode()) + connection_id)
    return keccak256(b"\x19\x01" + _DOMAIN + agent)


def sign(
    secret: str, action: Mapping[str, Any], nonce: int, expires_ms: int | None = None, *, source: str = facts.MAINNET
) -> dict[str, str | int]:
    """`secret` is the wallet's private key as 32 bytes in hexadecimal. Raise BadCredentials when it is none."""
    connection_id = keccak256(hash_input(action, nonce, expires_ms))
    made = _key(secret).sign_recoverable(digest(connection_id, source), hasher=None)
    r, s = (hex(int.from_bytes(part, "big")) for part in (made[:32], made[32:64]))
    return {"r": r, "s": s, "v": made[64] + _RECOVERY}


def address(secret: str) -> str:
    """Of the wallet that signs, in lower case. Raise BadCredentials for what is no private key."""
    public = _key(secret).public_key.format(compressed=False)
    return "0x" + keccak256(public[1:])[-20:].hex()


def _key(secret: str) -> PrivateKey:
    try:
        return PrivateKey(bytes.fromhex(secret.removeprefix("0x")))
    except ValueError:
        raise BadCredentials("the secret is not a private key") from None  # the cause may tell what it is
