"""Every recorded book, replayed through driver and builder, compared whole with what was recorded beside it."""

from pathlib import Path

import pytest

from apps.feeds.drivers import registry
from apps.feeds.market import BookState
from apps.feeds.replay import Replay, SymbolReport, frames
from apps.feeds.tests.captures import RECORDINGS, Expected, Recording, expectations, lines, model_of

pytestmark = pytest.mark.captures


def replayed(captures: Path, recording: Recording, stop: int | None = None) -> dict[str, SymbolReport]:
    snapshots = {
        symbol: [(captures / recording.exchange / file).read_bytes()] for symbol, file in recording.snapshots.items()
    }
    replay = Replay(registry.driver(recording.exchange), recording.market_type, snapshots)
    for frame in frames(lines(captures, recording.exchange, recording.file)[:stop], base64=False):
        replay.play(frame)
    assert replay.malformed == []
    return {report.symbol: report for report in replay.finish()}


@pytest.fixture(params=RECORDINGS, ids=lambda recording: f"{recording.exchange}-{recording.file}")
def recording(request: pytest.FixtureRequest) -> Recording:
    return request.param


@pytest.fixture
def expected(captures: Path, recording: Recording) -> list[Expected]:
    rows = expectations(captures, recording)
    assert rows, "nothing is expected of this recording"
    return rows


def test_a_recording_ends_in_the_expected_books(captures: Path, recording: Recording, expected: list[Expected]) -> None:
    for want in expected:
        report = replayed(captures, recording, want.gap_line)[want.symbol]
        assert report.state is BookState.LIVE
        assert report.seq == want.seq
        assert want.applied in (None, report.applied)
        assert report.gaps == 0
        assert (report.bids_count, report.asks_count) == (want.bids_count, want.asks_count)
        assert report.bids[: len(want.bids)] == want.bids
        assert report.asks[: len(want.asks)] == want.asks


def test_every_level_equals_the_plain_models(captures: Path, recording: Recording, expected: list[Expected]) -> None:
    for want in expected:
        report = replayed(captures, recording, want.gap_line)[want.symbol]
        assert (report.bids, report.asks) == model_of(captures, recording, want.symbol, want.gap_line).levels()


def test_a_gap_is_found_at_its_line_and_nowhere_else(
    captures: Path, recording: Recording, expected: list[Expected]
) -> None:
    for want in expected:
        whole = replayed(captures, recording)[want.symbol]
        assert whole.gaps == (want.gap_line is not None)
        if want.gap_line is not None:
            before = replayed(captures, recording, want.gap_line)[want.symbol]
            after = replayed(captures, recording, want.gap_line + 1)[want.symbol]
            assert (before.gaps, after.gaps) == (0, 1)
            assert (whole.state, whole.bids, whole.asks) == (BookState.SYNCING, [], [])
