"""How spoilt input is judged, public or private."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import process_time

from apps.feeds.errors import FeedError, Flaw, MalformedFrame

FRAMES = int(os.environ.get("CT_FUZZ", "5000"))
FRAME_CPU_S = 0.05


def cpu_s(parse: Callable[[], object]) -> float:
    """CPU time of one call; one that seems slow is measured again, since a collector may have run in it."""
    for _ in range(3):
        with untraced(), suppress(FeedError):
            began = process_time()
            try:
                parse()
            finally:
                took_s = process_time() - began
        if took_s <= FRAME_CPU_S:
            break
    return took_s


@contextmanager
def untraced() -> Iterator[None]:
    """The work of a tool that follows each line (coverage) is not ours."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


def check_short(error: MalformedFrame) -> None:
    """A refusal has a name to be counted under, and never carries the frame."""
    assert error.flaw in Flaw
    assert len(str(error)) < 400
