"""What is left of a segment after any accident: its longest whole beginning, never a wrong row."""

from zlib import crc32

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.monitoring.blocks import INDEX_LINE, whole_blocks
from apps.monitoring.rows import UPDATES, facts, prefix, text, update_row
from apps.monitoring.segments import SealedBatch, Span
from apps.monitoring.spool import Spool
from apps.monitoring.tests.events import NOON_NS, STREAM, delta, instrument

BATCH = f"d1-{UPDATES}-20250301-1x2x3"
HEAD = text(BATCH) + prefix(instrument(), STREAM, 7)


def rows(first: int, count: int) -> list[bytes]:
    return [HEAD + update_row(delta(no), no) for no in range(first, first + count)]


def write(directory, sizes) -> Spool:
    """An open segment with one block of each size, as a kill leaves it; the folder is free."""
    spool = Spool(directory, "d1")
    first = 1
    for size in sizes:
        spool.append(BATCH, UPDATES, rows(first, size), NOON_NS - 1)
        first += size
    spool.close()
    return spool


def recovered(directory) -> list[int]:
    """Event numbers of everything that recovery seals."""
    spool = Spool(directory, "d1")
    _, sealed = spool.recover()
    found = []
    for batch in sealed:
        path = directory / "d1" / f"{batch.batch_id}.seg"
        found += [row.event_no for row in facts(UPDATES, path.read_bytes())]
        assert len(found) == batch.rows
        path.unlink()
    spool.close()
    return found


def ends(sizes) -> list[int]:
    return [sum(sizes[: count + 1]) for count in range(len(sizes))]


def test_a_segment_cut_at_any_byte_keeps_its_whole_blocks(tmp_path):
    sizes = [2, 1, 3]
    write(tmp_path, sizes)
    part, index = (tmp_path / "d1" / f"{BATCH}.{suffix}" for suffix in ("part", "idx"))
    data, lines = part.read_bytes(), index.read_bytes()
    block_ends = [len(b"".join(rows(1, end))) for end in ends(sizes)]
    for cut in range(len(data) + 1):
        part.write_bytes(data[:cut])
        index.write_bytes(lines)
        expected = max((rows for rows, end in zip(ends(sizes), block_ends, strict=True) if end <= cut), default=0)
        assert whole_blocks(part, index).rows == expected
        if cut % 50 == 0:
            assert recovered(tmp_path) == list(range(1, expected + 1))


def test_an_index_cut_at_any_byte_keeps_what_it_still_names(tmp_path):
    sizes = [2, 1, 3]
    write(tmp_path, sizes)
    part, index = (tmp_path / "d1" / f"{BATCH}.{suffix}" for suffix in ("part", "idx"))
    lines = index.read_bytes()
    line = len(lines) // len(sizes)
    for cut in range(len(lines) + 1):
        index.write_bytes(lines[:cut])
        assert whole_blocks(part, index).rows == [0, *ends(sizes)][cut // line]


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_changed_byte_costs_its_block_and_those_behind_it(tmp_path_factory, sizes, data):
    directory = tmp_path_factory.mktemp("spool")
    write(directory, sizes)
    part = directory / "d1" / f"{BATCH}.part"
    content = bytearray(part.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    part.write_bytes(content)
    unharmed = max((end for end in ends(sizes) if len(b"".join(rows(1, end))) <= at), default=0)
    assert recovered(directory) == list(range(1, unharmed + 1))


@pytest.mark.parametrize("missing", ["state.json", ".idx"])
def test_recovery_goes_on_without_a_file(tmp_path, missing):
    write(tmp_path, [2])
    for path in (tmp_path / "d1").glob(f"*{missing}"):
        path.unlink()
    assert recovered(tmp_path) == ([] if missing == ".idx" else [1, 2])


def test_a_kill_between_description_and_rename_is_finished_at_the_next_start(tmp_path):
    spool = Spool(tmp_path, "d1")
    spool.append(BATCH, UPDATES, rows(1, 3), NOON_NS)
    span = Span(stream=STREAM, epoch=7, first_no=1, last_no=3)
    batch = spool.seal(BATCH, "20250301", [span], NOON_NS)
    spool.close()
    folder = tmp_path / "d1"
    (folder / f"{BATCH}.seg").rename(folder / f"{BATCH}.part")
    (folder / f"{BATCH}.idx").write_bytes(index_of(rows(1, 3)))
    spool = Spool(tmp_path, "d1")
    _, (again,) = spool.recover()
    spool.close()
    assert (again.rows, again.sha256, again.spans) == (batch.rows, batch.sha256, batch.spans)
    assert msgspec.json.decode((folder / f"{BATCH}.json").read_bytes(), type=SealedBatch) == again


def index_of(block: list[bytes]) -> bytes:
    data = b"".join(block)
    return INDEX_LINE.format(0, len(data), len(block), crc32(data), NOON_NS).encode()


def test_a_name_that_could_leave_the_folder_is_refused(tmp_path):
    for name in ("..", "../d1", "", "a/b", "d1."):
        with pytest.raises(ValueError, match="daemon id"):
            Spool(tmp_path, name)


def test_a_segment_that_is_moved_away_while_the_folder_is_read_does_not_wait_any_more(tmp_path):
    spool = Spool(tmp_path, "d1")
    (tmp_path / "d1" / "gone.seg").symlink_to(tmp_path / "nowhere")  # listed, and no file by then
    assert spool.waiting() == (0, 0, None)
    spool.close()
