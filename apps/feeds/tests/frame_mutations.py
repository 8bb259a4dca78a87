"""Ways to spoil a frame: each takes the text of a good one and a source of chance."""

import gzip
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

Mutation: TypeAlias = Callable[[str, Random], str | bytes]
BinaryMutation: TypeAlias = Callable[[bytes, Random], bytes]

YEAR_MS = 365 * 24 * 3600 * 1000
STRANGE_VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, "", "0", "-1", "NaN", "Infinity", "-Infinity", "1e400", "1e-400", "-0", "0x10",
    "1_0", " 1 ", "١٢", "1,5", 2**63, -(2**63) - 1, [], {}, [[]], [None], "null", "\x00", "\ud800", "🜁", "A" * 5_000,
    "../../x", "btcusdt@depth@100ms", "orderbook.50.BTCUSDT", "books",
]  # fmt: skip


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key of a parsed frame."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    for key in keys:
        yield node, key
        yield from _places(node[key])


def _at_a_place(change: Callable[[Any, Any, Random], None]) -> Mutation:
    def mutate(text: str, random: Random) -> str:
        try:
            frame = json.loads(text)
        except ValueError:
            return text + "}"
        places = list(_places(frame))
        if places:
            change(*random.choice(places), random)
        return json.dumps(frame, ensure_ascii=random.random() < 0.5, separators=(",", ":"))

    return mutate


def _swap(node: Any, key: Any, random: Random) -> None:
    node[key] = random.choice(STRANGE_VALUES)


def _delete(node: Any, key: Any, random: Random) -> None:
    del node[key]


def _rename(node: Any, key: Any, random: Random) -> None:
    if isinstance(node, dict):
        node[random.choice([key.upper(), key + "x", "", "s", "data"])] = node.pop(key)


def _nudge(node: Any, key: Any, random: Random) -> None:
    """Old and new sequences, times a year off, prices off by a sign."""
    step = random.choice([-1, 1, -1000, 1000, -YEAR_MS, YEAR_MS, 2**40])
    if isinstance(node[key], bool) or not isinstance(node[key], int | str):
        return
    if isinstance(node[key], int):
        node[key] += step
    elif node[key].isdigit():
        node[key] = str(int(node[key]) + step)
    else:
        node[key] = f"-{node[key]}"


def _grow(node: Any, key: Any, random: Random) -> None:
    if isinstance(node[key], list) and node[key]:
        node[key] = node[key] * (random.choice([2, 300, 30_000]) // max(len(node[key]), 1) + 1)


def _nest(node: Any, key: Any, random: Random) -> None:
    node[key] = "@deep@"


def deepen(text: str, random: Random) -> str:
    depth = random.choice([100, 10_000])
    return _at_a_place(_nest)(text, random).replace('"@deep@"', "[" * depth + "]" * depth)


def lengthen_a_number(text: str, random: Random) -> str:
    digits = random.choice(["9" * 1_000_000, "0." + "9" * 1_000_000, "-" + "1" * 5_000, "1e" + "9" * 500])
    quote = random.choice(['"', ""])
    return _at_a_place(_nest)(text, random).replace('"@deep@"', quote + digits + quote)


def truncate(text: str, random: Random) -> str:
    return text[: random.randrange(len(text) + 1)]


def flip_a_bit(text: str, random: Random) -> bytes:
    spoilt = bytearray(text.encode())
    if spoilt:
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def duplicate_a_key(text: str, random: Random) -> str:
    try:
        frame = json.loads(text)
    except ValueError:
        return text + text
    if not isinstance(frame, dict) or not frame:
        return text
    key = random.choice(list(frame))
    return text.rstrip()[:-1] + f",{json.dumps(key)}:{json.dumps(random.choice(STRANGE_VALUES))}}}"


def dress(text: str, random: Random) -> str:
    return random.choice(["\ufeff", " ", "\x00", "\ud800", "[", "{}"]) + text + random.choice(["", "\n", "\x00", "]"])


MUTATIONS: list[Mutation] = [
    truncate,
    flip_a_bit,
    duplicate_a_key,
    dress,
    deepen,
    lengthen_a_number,
    *(_at_a_place(change) for change in (_swap, _swap, _swap, _delete, _rename, _nudge, _nudge, _grow)),
]


def cut(frame: bytes, random: Random) -> bytes:
    return frame[: random.randrange(len(frame) + 1)]


def flip_bits(frame: bytes, random: Random) -> bytes:
    spoilt = bytearray(frame)
    for _ in range(random.choice([1, 1, 3])):
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def change_wire_types(frame: bytes, random: Random) -> bytes:
    """The low three bits of a byte are the wire type where it is a tag, and a length or text where it is none."""
    spoilt = bytearray(frame)
    for _ in range(random.choice([1, 4])):
        at = random.randrange(len(spoilt))
        spoilt[at] = spoilt[at] & ~7 | random.randrange(8)
    return bytes(spoilt)


def repeat_a_part(frame: bytes, random: Random) -> bytes:
    begin = random.randrange(len(frame))
    end = min(len(frame), begin + random.choice([1, 20, 200]))
    return frame[:end] + frame[begin:end] * random.choice([1, 50, 5_000]) + frame[end:]


def overlong_numbers(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    return frame[:at] + b"\xff" * random.choice([1, 4, 9, 200]) + b"\x01" + frame[at + 1 :]


BINARY_MUTATIONS: list[BinaryMutation] = [cut, flip_bits, change_wire_types, repeat_a_part, overlong_numbers]


def packed(frame: str | bytes, random: Random) -> bytes:
    """As gzip, now and then torn, spoilt, or a bomb of a thousand times its size."""
    content = frame.encode(errors="surrogatepass") if isinstance(frame, str) else frame
    if random.random() < 0.01:
        content += b" " * random.choice([50_000, 5_000_000])
    whole = gzip.compress(content, 1, mtime=0)
    return random.choice(BINARY_MUTATIONS)(whole, random) if random.random() < 0.1 else whole


def spoil(frame: str | bytes, random: Random) -> str | bytes:
    """A text as text, bytes as bytes."""
    if isinstance(frame, bytes):
        return random.choice(BINARY_MUTATIONS)(frame, random)
    return random.choice(MUTATIONS)(frame, random)
