"""How Hyperliquid reads a signature: who signed is found from the signature alone.

Actions of trading are signed through a phantom agent, those of the account itself as they are. EIP-712 both.
"""

import functools
from collections.abc import Iterable
from typing import Any

import msgpack
from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

Fields = tuple[tuple[str, str], ...]  # name and type
DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
EXCHANGE_CHAIN = 1337
MAINNET = "a"
NOWHERE = bytes(32)


class SignatureError(Exception):
    """The signature is none."""


def hashed(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def connection_id(action: Any, nonce: int, vault: str | None, expires_ms: int | None) -> bytes:
    """What a phantom agent signs for: the action, its nonce, and for whom and until when it is."""
    data: bytes = msgpack.packb(action)
    data += nonce.to_bytes(8, "big")
    data += b"\x00" if vault is None else b"\x01" + bytes.fromhex(vault.removeprefix("0x"))
    if expires_ms is not None:
        data += b"\x00" + expires_ms.to_bytes(8, "big")
    return hashed(data)


def agent_digest(connection: bytes, source: str = MAINNET) -> bytes:
    fields = (("source", "string"), ("connectionId", "bytes32"))
    return digest("Exchange", EXCHANGE_CHAIN, "Agent", fields, {"source": source, "connectionId": connection})


def user_digest(chain: int, name: str, fields: Fields, values: dict[str, Any]) -> bytes:
    """Of an action that is signed as it is, such as ApproveAgent."""
    return digest("HyperliquidSignTransaction", chain, f"HyperliquidTransaction:{name}", fields, values)


def digest(domain: str, chain: int, name: str, fields: Fields, values: dict[str, Any]) -> bytes:
    place = _struct(DOMAIN, (_encoded("string", domain), _encoded("string", "1"), _encoded("uint64", chain), NOWHERE))
    kind = f"{name}({','.join(f'{type_name} {field}' for field, type_name in fields)})"
    message = _struct(kind, (_encoded(type_name, values[field]) for field, type_name in fields))
    return hashed(b"\x19\x01" + place + message)


def signer(message: bytes, signature: dict[str, Any]) -> str:
    """The address whose key has signed a digest. Raises SignatureError."""
    try:
        numbers = b"".join(int(signature[part], 16).to_bytes(32, "big") for part in ("r", "s"))
        key = PublicKey.from_signature_and_message(numbers + bytes((signature["v"] - 27,)), message, hasher=None)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise SignatureError from error
    return _address(key)


@functools.lru_cache(maxsize=1024)
def address_of(secret: str) -> str | None:
    """The address of a private key in hex; None when it is none."""
    try:
        return _address(PrivateKey(bytes.fromhex(secret.removeprefix("0x"))).public_key)
    except ValueError:
        return None


def _address(key: PublicKey) -> str:
    return "0x" + hashed(key.format(compressed=False)[1:])[-20:].hex()


def _struct(kind: str, values: Iterable[bytes]) -> bytes:
    return hashed(hashed(kind.encode()) + b"".join(values))


def _encoded(type_name: str, value: Any) -> bytes:
    if type_name == "string":
        return hashed(str(value).encode())
    if type_name == "bytes32":
        return bytes(value)
    if type_name == "address":
        return bytes.fromhex(str(value).removeprefix("0x")).rjust(32, b"\x00")
    return int(value).to_bytes(32, "big")
