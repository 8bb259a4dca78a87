"""Secrets that are found again wherever they leak: whole or in part, as they are or encoded."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from apps.feeds.orders import Credentials

PART = 8  # characters of a secret that are too many to show
LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH, SPECIAL_AT = 36, (9, 21)  # so that its URL form is another, and both have parts without it
TOKENS = re.compile(rb"[A-Za-z0-9+/%_=-]{8,}")
# form -> how long a run of it gives PART characters away; eight bytes fix ten digits of base64 wherever they begin
RUNS = {"as it is": PART, "reversed": PART, "URL": PART, "hex": 2 * PART, "base64": 10}
HEX_RUN = 2 * PART  # of what is made of hex digits itself: eight of them are in any digest


@dataclass(frozen=True, slots=True)
class Find:
    """A part of a secret that shows."""

    secret: str  # its name
    form: str
    where: str


def secret(seed: str) -> str:
    """Letters, and two characters that URLs escape; no part of it can be a number or a digest."""
    digest = sha256(seed.encode()).digest() + sha256(f"{seed} more".encode()).digest()
    text = [LETTERS[byte % len(LETTERS)] for byte in digest[:LENGTH]]
    for at, special in zip(SPECIAL_AT, "+/", strict=True):
        text[at] = special
    return "".join(text)


def credentials(exchange: str, name: str) -> Credentials:
    """Of the form that the exchange has; nothing of one account is in another's."""
    if exchange == "hyperliquid":
        address, signer = (sha256(f"{name} {half}".encode()).hexdigest() for half in ("address", "signer"))
        return Credentials(key=f"0x{address[:40]}", secret=f"0x{signer}")
    return Credentials(key=secret(f"{name} key"), secret=secret(f"{name} secret"), passphrase=secret(f"{name} phrase"))


def forms(text: str) -> Iterator[tuple[str, str]]:
    """How a secret may be written; base64 and base64url as at any of the three places where it may begin."""
    yield "as it is", text
    yield "reversed", text[::-1]
    yield "URL", quote(text, safe="")
    yield "hex", text.encode().hex()
    for shift in range(3):
        # what stands before and behind shares a digit with it at most
        digits = base64.b64encode(b"\0" * shift + text.encode() + b"\0" * 2).decode()
        whole = digits[-(-8 * shift // 6) : 8 * (shift + len(text)) // 6]
        yield "base64", whole
        yield "base64", whole.translate(str.maketrans("+/", "-_"))


class Scanner:
    """Looks for any part of any of its secrets."""

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        """`secrets`: (name, text)."""
        self._parts: dict[int, dict[bytes, tuple[str, str]]] = {}
        for name, text in secrets:
            plain = text.removeprefix("0x")
            for form, shown in forms(plain):
                self._add(name, form, shown, RUNS[form] if form == "base64" or not _is_hex(shown) else HEX_RUN)
        self._seen: set[bytes] = set()

    def _add(self, name: str, form: str, shown: str, run: int) -> None:
        cased = shown if form == "base64" else shown.lower()
        for at in range(len(cased) - run + 1):
            self._parts.setdefault(run, {}).setdefault(cased[at : at + run].encode(), (name, form))

    def scan(self, content: bytes | str, where: str) -> set[Find]:
        """What shows in `content`; the words of it that were looked at before are clean, or were told of."""
        raw = content.encode(errors="replace") if isinstance(content, str) else content
        found: set[Find] = set()
        for token in set(TOKENS.findall(raw)) - self._seen:
            hits = {Find(name, form, where) for name, form in self._shown(token)}
            if not hits:
                self._seen.add(token)
            found |= hits
        return found

    def _shown(self, token: bytes) -> Iterator[tuple[str, str]]:
        if len(token) < HEX_RUN and token.isdigit():
            return  # a price or a time: no form of a secret is digits alone, but hex
        lower = token.lower()
        for run, parts in self._parts.items():
            for at in range(len(token) - run + 1):
                for text in (token, lower):
                    hit = parts.get(text[at : at + run])
                    if hit is not None:
                        yield hit


def _is_hex(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]+", text) is not None
