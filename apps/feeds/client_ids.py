"""Our own ids of orders: a pure function of the attempt's row, so that a process that starts again makes the same.

TEXT     "ct", namespace, intent (9 digits of base 32), attempt (1 digit), tag (5 digits)
INTEGER  namespace (4 bits), intent (50 bits), attempt (8 bits)
HEX      16 bytes: the integer (8 bytes), tag (8 bytes)

The namespace is the deployment's: one digit of base 16. The tag proves that an id was made with our key; there is no
room for one in the integer.
"""

import hmac
import re

from msgspec import Struct

from apps.feeds.drivers.trading import IdForm

DIGITS = "0123456789abcdefghijklmnopqrstuv"  # base 32 as RFC 4648 "extended hex" orders it, lower case
NAMESPACES = DIGITS[:16]
MAX_INTENT = 32**9 - 1
MAX_ATTEMPT = 31
SHAPES = {
    IdForm.TEXT: re.compile(r"ct([0-9a-f])([0-9a-v]{9})([0-9a-v])([0-9a-v]{5})", re.ASCII),
    IdForm.INTEGER: re.compile(r"([1-9][0-9]{0,18})", re.ASCII),
    IdForm.HEX: re.compile(r"0x([0-9a-f]{16})([0-9a-f]{16})", re.ASCII),
}


class Attempt(Struct, frozen=True):
    """What an id names. One that is not `genuine` was made in our namespace, but not with our key."""

    intent_id: int
    attempt: int
    genuine: bool


class ClientIds:
    """Makes and reads the ids of one deployment."""

    def __init__(self, namespace: str, id_key: bytes) -> None:
        """Raise ValueError for a namespace that is not a lower-case hexadecimal digit, or an empty key."""
        if len(namespace) != 1 or namespace not in NAMESPACES:
            raise ValueError(f"a namespace is one of {NAMESPACES}")
        if not id_key:
            raise ValueError("the key of client order ids is empty")
        self._namespace = namespace
        self._id_key = id_key

    def make(self, form: IdForm, *, account_id: int, intent_id: int, attempt: int) -> str:
        """Raise ValueError when a number is out of its bounds: the intent's begin at 1, the attempt's at 0."""
        if not 0 < intent_id <= MAX_INTENT or not 0 <= attempt <= MAX_ATTEMPT:
            raise ValueError(f"no id for attempt {attempt} of intent {intent_id}")
        number = NAMESPACES.index(self._namespace) << 58 | intent_id << 8 | attempt
        if form is IdForm.INTEGER:
            return str(number)
        tag = self._tag(account_id, intent_id, attempt)
        if form is IdForm.HEX:
            return f"0x{number:016x}{tag:016x}"
        return f"ct{self._namespace}{_base32(intent_id, 9)}{_base32(attempt, 1)}{_base32(tag >> 39, 5)}"

    def read(self, form: IdForm, text: str, *, account_id: int) -> Attempt | None:
        """What an id found on the account names; None where it is not of our form and namespace: somebody else's."""
        shape = SHAPES[form].fullmatch(text)
        if shape is None:
            return None
        if form is IdForm.TEXT:
            namespace, intent_id, attempt = shape[1], int(shape[2], 32), int(shape[3], 32)
        else:
            number = int(shape[1], 10 if form is IdForm.INTEGER else 16)
            index, intent_id, attempt = number >> 58, number >> 8 & 2**50 - 1, number & 255
            namespace = NAMESPACES[index] if index < len(NAMESPACES) else ""
        if namespace != self._namespace or not 0 < intent_id <= MAX_INTENT or attempt > MAX_ATTEMPT:
            return None
        ours = self.make(form, account_id=account_id, intent_id=intent_id, attempt=attempt)
        return Attempt(intent_id, attempt, genuine=hmac.compare_digest(ours, text))

    def _tag(self, account_id: int, intent_id: int, attempt: int) -> int:
        """The first 64 bits of an HMAC; the text has room for 25 of them."""
        row = f"{self._namespace}|{account_id}|{intent_id}|{attempt}".encode()
        return int.from_bytes(hmac.digest(self._id_key, row, "sha256")[:8])


def _base32(number: int, length: int) -> str:
    return "".join(DIGITS[number >> 5 * place & 31] for place in reversed(range(length)))
