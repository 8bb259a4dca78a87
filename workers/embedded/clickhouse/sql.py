"""Where a statement's parts lie: just enough of SQL's surface to find FORMAT and the data behind an INSERT."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

DEFAULT_FORMAT = "TabSeparated"

TOKEN = re.compile(
    rb"""(?P<skip>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/|\s+)
    |(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
NAME = re.compile(rb"\s+([A-Za-z][A-Za-z0-9]*)")
BEFORE_DATA = re.compile(rb"[ \t\f]*\r?\n?")  # the server's rule: blanks, then one line end


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a request.

    `verb` is its first word in upper case, `(` for a bracketed SELECT, "" for none. `plain` is the text without its
    FORMAT clause. `data` is what follows an INSERT's FORMAT clause, None where the statement carries none.
    """

    text: bytes
    verb: str
    format: str | None
    plain: bytes
    data: memoryview | None = None

    @property
    def selects(self) -> bool:
        return self.verb in ("SELECT", "WITH", "(")


def parse(text: bytes) -> Statement:
    """Split a request's text; data behind `INSERT ... FORMAT X` is not looked into."""
    verb = ""
    found: re.Match[bytes] | None = None
    for word, end in _outer_words(text):
        verb = verb or word
        if verb == "INSERT" and word in ("VALUES", "SELECT", "WITH"):
            return Statement(text=text, verb=verb, format=None, plain=text)
        if word == "FORMAT" and (name := NAME.match(text, end)) is not None:
            found = name
            if verb == "INSERT":
                break
    if found is None:
        return Statement(text=text, verb=verb, format=None, plain=text)
    name_text = found[1].decode()
    head = text[: found.start()].rstrip()[: -len("FORMAT")]
    if verb == "INSERT":
        start = _end(BEFORE_DATA.match(text, found.end()), found.end())
        return Statement(text=text, verb=verb, format=name_text, plain=head, data=memoryview(text)[start:])
    return Statement(text=text, verb=verb, format=name_text, plain=head + text[found.end() :].rstrip(b"; \t\r\n"))


def _end(found: re.Match[bytes] | None, default: int) -> int:
    return default if found is None else found.end()


def _outer_words(text: bytes) -> Iterator[tuple[str, int]]:
    """Words outside quotes, comments and brackets, in upper case, with their ends; a leading bracket counts as one."""
    depth = 0
    first = True
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "skip":
            continue
        if kind == "open":
            if first:
                yield "(", token.end()
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "word" and depth == 0:
            yield token[0].decode().upper(), token.end()
        first = False
