"""Exchange keys at rest: who has the public half of a key can seal, only who has the private half can open.

HPKE (RFC 9180, base mode) of X25519, HKDF-SHA256 and AES-256-GCM. A value is sealed to its place and opens nowhere
else. Nothing here shows a secret: not `repr`, and not the errors.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
OVERHEAD = 48  # bytes: the sender's one-time public key, and the tag
PUBLIC, PRIVATE = "ct-seal-public-1:", "ct-seal-private-1:"  # so that one half is never taken for the other
CONTEXT = "ct-system sealed 1"


class CannotOpen(Exception):
    """The sealed value stays closed."""


class UnknownKey(CannotOpen):
    """Sealed to a key that is not on the ring: another system's, or one that was given up after a rotation."""


class NotOfThisRow(CannotOpen):
    """Sealed for another row, owner or version, cut, or altered: one cannot tell which."""


class BadKey(ValueError):
    """The text is no key of the kind that is asked for. It is not repeated here: it may be the other kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The row that a value is sealed for: pasted into any other it does not open."""

    table: str
    pk: int
    user_id: int  # whose it is
    version: int  # grows with each save

    def encoded(self, key_id: str) -> bytes:
        """The same bytes for the same place only; `key_id` is bound as well."""
        return msgspec.json.encode([CONTEXT, key_id, self.table, self.pk, self.user_id, self.version])


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the database holds."""

    key_id: str
    box: bytes


class PublicKey:
    """The half that the web process holds. It can only seal."""

    def __init__(self, raw: bytes) -> None:
        self._key = X25519PublicKey.from_public_bytes(raw)
        self._raw = raw
        self.key_id = hashlib.sha256(raw).hexdigest()[:16]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise BadKey for anything but one public key."""
        return cls(_decoded(text, PUBLIC))

    @property
    def text(self) -> str:
        return PUBLIC + base64.b64encode(self._raw).decode()

    def seal(self, value: bytes, place: Place) -> Sealed:
        """The same value sealed again looks different each time."""
        return Sealed(self.key_id, HPKE.encrypt(value, self._key, info=place.encoded(self.key_id)))

    def __repr__(self) -> str:
        return f"PublicKey({self.key_id})"


class PrivateKey:
    """The half that only executors hold."""

    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Self:
        return cls(X25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise BadKey for anything but one private key."""
        return cls(X25519PrivateKey.from_private_bytes(_decoded(text, PRIVATE)))

    @property
    def secret_text(self) -> str:
        """For the executor's own file, and nothing else."""
        return PRIVATE + base64.b64encode(self._key.private_bytes_raw()).decode()

    def open(self, sealed: Sealed, place: Place) -> bytes:
        """Raise NotOfThisRow."""
        try:
            return HPKE.decrypt(sealed.box, self._key, info=place.encoded(self.public.key_id))
        except (InvalidTag, ValueError):  # ValueError: the one-time public key is a point that no sender has
            raise NotOfThisRow(f"{place.table} {place.pk}: not what was sealed for this row") from None

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key does not travel")


class KeyRing:
    """The private keys of an executor. The first is the current one, the others open what was sealed before."""

    def __init__(self, keys: Iterable[PrivateKey]) -> None:
        """Raise BadKey when there is none, or the same twice."""
        self.keys = tuple(keys)
        self._by_id = {key.public.key_id: key for key in self.keys}
        if not self.keys or len(self._by_id) != len(self.keys):
            raise BadKey("a ring holds at least one key, and each once")

    @classmethod
    def parse(cls, text: str) -> Self:
        """One key a line, the current one first; raise BadKey."""
        return cls(PrivateKey.parse(line) for line in text.split())

    @property
    def secret_text(self) -> str:
        """For the executor's own file, and nothing else."""
        return "".join(f"{key.secret_text}\n" for key in self.keys)

    @property
    def current(self) -> PublicKey:
        return self.keys[0].public

    def ids(self) -> tuple[str, ...]:
        return tuple(self._by_id)

    def open(self, sealed: Sealed, place: Place) -> bytes:
        """Raise UnknownKey or NotOfThisRow."""
        key = self._by_id.get(sealed.key_id)
        if key is None:
            raise UnknownKey(f"{place.table} {place.pk}: sealed to a key that is not here")
        return key.open(sealed, place)

    def resealed(self, sealed: Sealed, place: Place, new_place: Place) -> Sealed:
        """The same value sealed to the current key; raises what `open` raises."""
        return self.current.seal(self.open(sealed, place), new_place)

    def with_new(self) -> "KeyRing":
        """A ring whose current key is a new one."""
        return KeyRing((PrivateKey.generate(), *self.keys))

    def without(self, key_ids: Iterable[str]) -> "KeyRing":
        """What is sealed to those keys is lost. The current key stays: raise BadKey."""
        gone = set(key_ids)
        if self.current.key_id in gone:
            raise BadKey("the current key cannot be given up")
        return KeyRing(key for key in self.keys if key.public.key_id not in gone)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._by_id)})"


def _decoded(text: str, mark: str) -> bytes:
    found = re.fullmatch(rf"{mark}([A-Za-z0-9+/]{{43}}=)", text.strip())  # 32 bytes
    if found is None:
        raise BadKey(f"not a key that begins with {mark}")
    return base64.b64decode(found[1])
