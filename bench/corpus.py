"""A synthetic market: Binance frames of many wide books, and the truth that they must lead to. The same for a seed."""

import json
import random
from dataclasses import dataclass, field

LEVELS = 500  # a side
CHANGED = 23  # levels a frame: about 730 bytes


@dataclass(slots=True)
class Truth:
    """A book as plain dicts of price text to amount text: slow, and too simple to be wrong."""

    bids: dict[int, str] = field(default_factory=dict)  # price in ticks
    asks: dict[int, str] = field(default_factory=dict)

    def top(self, levels: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        bids = sorted(self.bids.items(), reverse=True)[:levels]
        asks = sorted(self.asks.items())[:levels]
        return [(float(_price(p)), float(a)) for p, a in bids], [(float(_price(p)), float(a)) for p, a in asks]


@dataclass(frozen=True, slots=True)
class Corpus:
    symbols: list[str]
    snapshots: dict[str, bytes]  # bodies of REST answers
    frames: list[str]
    truth: dict[str, Truth]


def make(*, pairs: int = 500, messages: int = 50_000, seed: int = 7) -> Corpus:
    chance = random.Random(seed)
    symbols = [f"C{n:03d}USDT" for n in range(pairs)]
    truth = {symbol: _start(chance) for symbol in symbols}
    snapshots = {symbol: _snapshot(book) for symbol, book in truth.items()}
    seqs = dict.fromkeys(symbols, 1000)
    frames = []
    for number in range(messages):
        symbol = chance.choice(symbols)
        bids = _change(truth[symbol].bids, 10_000, -1, CHANGED // 2, chance)
        asks = _change(truth[symbol].asks, 10_001, 1, CHANGED - CHANGED // 2, chance)
        frames.append(_frame(symbol, seqs[symbol], bids, asks, number))
        seqs[symbol] += CHANGED
    return Corpus(symbols=symbols, snapshots=snapshots, frames=frames, truth=truth)


def _start(chance: random.Random) -> Truth:
    return Truth(
        bids={10_000 - n: _amount(chance) for n in range(LEVELS)},
        asks={10_001 + n: _amount(chance) for n in range(LEVELS)},
    )


def _change(side: dict[int, str], best: int, step: int, count: int, chance: random.Random) -> list[list[str]]:
    """Change levels of one side, most of them near the best; a third of the changes remove or bring back."""
    changed: dict[int, str] = {}
    while len(changed) < count:
        price = best + step * min(int(chance.expovariate(1 / 60)), LEVELS + 20)
        amount = "0.00000000" if price in side and chance.random() < 0.33 else _amount(chance)
        changed[price] = amount
        if float(amount):
            side[price] = amount
        else:
            del side[price]
    return [[_price(price), amount] for price, amount in changed.items()]


def _snapshot(book: Truth) -> bytes:
    bids = [[_price(price), amount] for price, amount in sorted(book.bids.items(), reverse=True)]
    asks = [[_price(price), amount] for price, amount in sorted(book.asks.items())]
    return json.dumps({"lastUpdateId": 1000, "bids": bids, "asks": asks}).encode()


def _frame(symbol: str, seq: int, bids: list[list[str]], asks: list[list[str]], number: int) -> str:
    data = {"e": "depthUpdate", "E": 1_760_000_000_000 + number, "s": symbol, "U": seq + 1, "u": seq + CHANGED}
    message = {"stream": f"{symbol.lower()}@depth@100ms", "data": {**data, "b": bids, "a": asks}}
    return json.dumps(message, separators=(",", ":"))


def _price(ticks: int) -> str:
    return f"{ticks / 100:.8f}"


def _amount(chance: random.Random) -> str:
    return f"{chance.randint(1, 10**9) / 10**6:.8f}"
