from apps.feeds.book.book import OrderBook
from apps.feeds.tests.book_events import ASKS, BIDS


def test_sides_are_sorted_unique_and_positive_whatever_the_wire_sends():
    book = OrderBook([(99.0, 2.0), (100.0, 1.0), (99.0, 3.0), (98.0, 0.0)], [(102.0, 1.0), (101.0, 5.0)])
    assert book.top(0) == ([(100.0, 1.0), (99.0, 3.0)], [(101.0, 5.0), (102.0, 1.0)])


def test_an_update_sets_absolute_amounts_and_zero_removes():
    book = OrderBook(BIDS, ASKS)
    book.update([(99.0, 7.0), (100.0, 0.0), (99.5, 4.0)], [(150.0, 0.0)])
    assert book.top(0) == ([(99.5, 4.0), (99.0, 7.0)], ASKS)


def test_the_top_is_cut_to_the_levels_asked_for():
    book = OrderBook(BIDS, ASKS)
    assert book.top(1) == ([(100.0, 1.0)], [(101.0, 1.0)])
    assert book.top(50) == (BIDS, ASKS)


def test_an_empty_side_has_no_best_and_crosses_nothing():
    book = OrderBook([], ASKS)
    assert not book.crossed
    assert book.tops() == (0.0, 0.0, 101.0, 1.0)
    assert OrderBook([], []).top(0) == ([], [])
    assert OrderBook(BIDS, []).tops() == (100.0, 1.0, 0.0, 0.0)


def test_a_bid_at_the_best_ask_crosses_the_book():
    book = OrderBook(BIDS, ASKS)
    book.update([(101.0, 1.0)], [])
    assert book.crossed


def test_keep_cuts_the_far_end_of_both_sides():
    book = OrderBook([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)], [(4.0, 1.0), (5.0, 1.0), (6.0, 1.0)])
    book.keep(2)
    assert book.top(0) == ([(3.0, 1.0), (2.0, 1.0)], [(4.0, 1.0), (5.0, 1.0)])
    assert (book.bids_count, book.asks_count) == (2, 2)
