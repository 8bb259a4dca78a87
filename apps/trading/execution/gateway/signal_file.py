"""Whether a host's signal file is there: each sender looks right before a request leaves, without the database."""

from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


def is_halted(path: Path) -> bool:
    """It is taken for there when that cannot be told."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.error("cannot look for the signal file", error=str(error))
    return True
