"""The benchmarks check what they measure."""

import pytest

from apps.feeds.drivers.registry import driver
from bench import bytes_to_book, matching
from bench.corpus import make


def test_the_books_of_the_corpus_are_right():
    bytes_to_book.check(make(pairs=3, messages=300), driver("binance"))


def test_a_wrong_book_gives_no_figures():
    corpus = make(pairs=3, messages=300)
    corpus.truth[corpus.symbols[0]].bids.clear()
    with pytest.raises(SystemExit, match="is wrong"):
        bytes_to_book.check(corpus, driver("binance"))


def test_a_seed_gives_the_same_frames():
    assert make(pairs=2, messages=20).frames == make(pairs=2, messages=20).frames


def test_the_benchmark_of_matching_checks_its_matches():
    orders = list(matching.make(2_000))
    matching.match_all(orders)
    matching.trade_all(orders)
