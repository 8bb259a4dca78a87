"""What a recording does not tell about its subscription is taken from what it shows."""

from apps.feeds.book.builder import BookBuilder, Changed, Dropped, NeedSnapshot
from apps.feeds.book.continuity import ChecksumOnly, PushedRange, UpdateRange, WholeBooks
from apps.feeds.book.recorded import Recorded
from apps.feeds.tests.book_events import delta, snapshot

DEPTHS = [ChecksumOnly(20), ChecksumOnly(50)]


def books_of(*counts: int) -> Recorded:
    """After whole books of so many levels."""
    rule = Recorded(ChecksumOnly(50), DEPTHS, anchored=False)
    for count in counts:
        rule.saw(snapshot(bids=[(float(price), 1.0) for price in range(1, count + 1)], asks=[]))
    return rule


def test_the_depth_is_the_shallowest_that_the_longest_whole_book_so_far_fits_in():
    assert [books_of(20).keep, books_of(21).keep, books_of(21, 5).keep, books_of().keep] == [20, 50, 50, 20]
    assert books_of(99).keep == 50, "never deeper than what can be asked for"


def test_a_book_without_limits_has_none_in_a_recording_either():
    assert Recorded(UpdateRange(), [WholeBooks()], anchored=False).keep is None


def test_differences_wait_for_a_rest_answer_that_is_in_the_recording():
    builder = BookBuilder("BTCUSDT", Recorded(PushedRange(), [], anchored=True))
    assert isinstance(builder.apply(delta(11, first=11)), NeedSnapshot)
    assert isinstance(builder.apply(snapshot(10, from_rest=True)), Changed)
    assert builder.seq == 11


def test_without_one_they_are_judged_as_on_the_live_stream():
    rule = Recorded(PushedRange(), [], anchored=False)
    builder = BookBuilder("BTCUSDT", rule)
    assert isinstance(builder.apply(delta(11, first=11)), Dropped)
    for pushed in (snapshot(11), snapshot(9)):
        rule.saw(pushed)
        assert isinstance(builder.apply(pushed), Changed), "a later push replaces the book"


def test_an_anchored_book_is_not_cut():
    assert Recorded(PushedRange(), [], anchored=True).keep is None
    assert Recorded(PushedRange(), [], anchored=False).keep == 500
