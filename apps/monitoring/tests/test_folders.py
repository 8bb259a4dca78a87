"""A look at a host's spool, where daemons and other scans move files away between the listing and the reading.

A link to nowhere is what such a file is to who has just listed it.
"""

from pathlib import Path
from typing import Any

import pytest

from apps.monitoring import folders
from apps.monitoring.gaps import Gap
from apps.monitoring.spool import Spool
from apps.monitoring.tests.events import NOON_NS, STREAM


def vanished(folder: Path, name: str) -> None:
    (folder / name).symlink_to(folder / "nowhere")


@pytest.mark.parametrize("name", ["a.part", "b.seg", "gaps-1.json"])
@pytest.mark.parametrize(
    "look",
    [folders.salvage, lambda root: list(folders.sealed(root)), lambda root: list(folders.gaps(root))],
    ids=["salvage", "sealed", "gaps"],
)
def test_a_file_that_vanished_after_it_was_listed_is_passed_over(tmp_path: Path, name: str, look: Any):
    (tmp_path / "d1").mkdir()
    vanished(tmp_path / "d1", name)
    assert look(tmp_path) == []


def test_gaps_beside_one_that_vanished_are_told(tmp_path: Path):
    gap = Gap(
        exchange="binance",
        market_type="spot",
        pair="BTC/USDT",
        stream=STREAM,
        epoch=7,
        from_ns=NOON_NS,
        to_ns=None,
        reason="the daemon was killed",
        daemon="d1",
    )
    spool = Spool(tmp_path, "d1")
    spool.write_gaps([gap])
    spool.close()
    vanished(tmp_path / "d1", "gaps-0.json")
    assert [gaps for _, gaps in folders.gaps(tmp_path)] == [[gap]]
