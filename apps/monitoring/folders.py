"""The spool folders of one host, seen from outside: they are the truth until ledger and ClickHouse have it all."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

import msgspec
import structlog

from apps.monitoring.gaps import Gap
from apps.monitoring.segments import SealedBatch
from apps.monitoring.spool import Spool, SpoolBusyError

KEEP = timedelta(hours=24)
FULLEST = 0.8  # of the disk; beyond that what is done goes early
ORPHAN_S = 60  # a living daemon writes its open segments far more often
HOUR = "%Y%m%d%H"
log = structlog.get_logger(__name__)


def sealed(root: Path) -> Iterator[SealedBatch]:
    """Segments that are not known to be in ClickHouse."""
    for path in sorted(root.glob("*/*.seg")):
        try:
            yield msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=SealedBatch)
        except FileNotFoundError:  # moved while we looked
            continue
        except msgspec.DecodeError as error:
            log.error("segment_unreadable", path=str(path), error=str(error))


def gaps(root: Path) -> Iterator[tuple[Path, list[Gap]]]:
    """Files of gaps; whoever has put them into the ledger deletes the file."""
    for path in sorted(root.glob("*/gaps-*.json")):
        try:
            yield path, msgspec.json.decode(path.read_bytes(), type=list[Gap])
        except FileNotFoundError:  # another scan was faster
            continue
        except msgspec.DecodeError as error:
            log.error("gaps_unreadable", path=str(path), error=str(error))


def salvage(root: Path) -> list[SealedBatch]:
    """Seal what daemons left open that are gone and did not come back."""
    found: list[SealedBatch] = []
    for directory in {part.parent for part in root.glob("*/*.part") if _age_s(part) > ORPHAN_S}:
        try:
            spool = Spool(root, directory.name, wait_s=0)
        except SpoolBusyError:
            continue
        found += spool.recover()[1]
        spool.close()
    return found


def _age_s(path: Path) -> float:
    """Since it was written to; 0 for one that was sealed while we looked."""
    try:
        return time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def retire(path: Path, now: datetime) -> None:
    """Move a segment that ClickHouse has out of the way; again is harmless."""
    hour = path.parent / "done" / now.strftime(HOUR)
    hour.mkdir(parents=True, exist_ok=True)
    for name in (path, path.with_suffix(".json")):
        with suppress(FileNotFoundError):  # another worker was faster
            name.rename(hour / name.name)


def restore(path: Path) -> None:
    """Bring a retired segment back, if it is needed and still there."""
    if path.exists():
        return
    for found in path.parent.glob(f"done/*/{path.name}"):
        for name in (found.with_suffix(".json"), found):
            with suppress(FileNotFoundError):
                name.rename(path.parent / name.name)


def clean(root: Path, now: datetime) -> int:
    """Delete what has been done for a day, and earlier while the disk is fuller than it may be; returns the hours."""
    deleted = 0
    for hour in sorted(root.glob("*/done/*"), key=lambda path: path.name):
        age = now - datetime.strptime(hour.name, HOUR).replace(tzinfo=UTC)
        usage = shutil.disk_usage(root)
        if age < KEEP + timedelta(hours=1) and usage.used / usage.total < FULLEST:
            break
        shutil.rmtree(hour, ignore_errors=True)
        deleted += 1
    return deleted
