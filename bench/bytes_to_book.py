"""`python -m bench.bytes_to_book`: what it costs to get from a frame's bytes to a book, on one core.

CPU time of one thread over the same frames in every round; every book's top 20 is compared with the truth before a
figure is printed.
"""

import statistics
import tracemalloc
from collections.abc import Callable
from functools import partial
from time import process_time

import msgspec

from apps.feeds.book.builder import BookBuilder
from apps.feeds.drivers.base import Driver
from apps.feeds.drivers.registry import driver
from apps.feeds.market import BookDelta, BookSnapshot, MarketType
from bench.corpus import LEVELS, Corpus, make

ROUNDS = 5
TOP = 20
SPOT = MarketType.SPOT


def main() -> None:
    corpus = make()
    binance = driver("binance")
    size = statistics.mean(map(len, corpus.frames))
    print(f"{len(corpus.symbols)} books of {LEVELS} levels a side, {len(corpus.frames)} frames of {size:.0f} bytes")
    check(corpus, binance)
    whole, parse, decode, read = [], [], [], []
    for _ in range(ROUNDS):
        books = builders(corpus, binance)
        whole.append(cost(partial(apply, corpus, binance, books), len(corpus.frames)))
        read.append(cost(partial(top, books), len(books)))
        parse.append(cost(partial(parse_all, corpus, binance), len(corpus.frames)))
        decode.append(cost(partial(decode_all, corpus), len(corpus.frames)))
    line("parse + apply", whole, rate=True)
    line("parse alone", parse)
    line("untyped JSON decode alone", decode)
    line(f"read the top {TOP}", read)
    print(f"{'memory of the books':<28}{memory(corpus, binance):8.1f} MB")


def builders(corpus: Corpus, binance: Driver) -> dict[str, BookBuilder]:
    """Every book loaded from its snapshot."""
    rule = binance.rule(SPOT, 0)
    books = {symbol: BookBuilder(symbol, rule) for symbol in corpus.symbols}
    for symbol, body in corpus.snapshots.items():
        books[symbol].apply(binance.parse_snapshot(SPOT, symbol, body, 0))
    return books


def apply(corpus: Corpus, binance: Driver, books: dict[str, BookBuilder]) -> None:
    for frame in corpus.frames:
        for event in binance.parse(SPOT, frame, 0):
            if isinstance(event, BookDelta | BookSnapshot):
                books[event.symbol].apply(event)


def parse_all(corpus: Corpus, binance: Driver) -> None:
    for frame in corpus.frames:
        binance.parse(SPOT, frame, 0)


def decode_all(corpus: Corpus) -> None:
    for frame in corpus.frames:
        msgspec.json.decode(frame)


def top(books: dict[str, BookBuilder]) -> None:
    for builder in books.values():
        if builder.book is not None:
            builder.book.top(TOP)


def cost(work: Callable[[], None], count: int) -> float:
    """Microseconds of CPU time for one of `count`."""
    started = process_time()
    work()
    return (process_time() - started) * 1e6 / count


def check(corpus: Corpus, binance: Driver) -> None:
    """Raise SystemExit when any book is not what the frames say."""
    books = builders(corpus, binance)
    apply(corpus, binance, books)
    for symbol, builder in books.items():
        if builder.book is None or builder.book.top(TOP) != corpus.truth[symbol].top(TOP):
            raise SystemExit(f"the book of {symbol} is wrong: no figures")


def memory(corpus: Corpus, binance: Driver) -> float:
    """Megabytes that the loaded books hold."""
    tracemalloc.start()
    books = builders(corpus, binance)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del books
    return held / 1e6


def line(name: str, costs: list[float], *, rate: bool = False) -> None:
    middle = statistics.median(costs)
    per_second = f"  {1e6 / middle:10,.0f} msg/s" if rate else ""
    print(f"{name:<28}{middle:8.2f} us  ({min(costs):.2f} - {max(costs):.2f}, {len(costs)} rounds){per_second}")


if __name__ == "__main__":
    main()
