"""Who works lanes: one per thread that does, with all that it needs."""

import itertools
import os
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from apps.feeds.client_ids import ClientIds
from apps.trading.execution.market import Market
from apps.trading.execution.ports import Ports

EXPIRY_MS = 2_000  # the exchange takes a request no later than so long after T1, where it can be told

_numbers = itertools.count(1)


class Tally:
    """What an executor has done, by name. Additions of one thread, read by others."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, number: int = 1) -> None:
        self._counts[name] += number

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)


@dataclass(frozen=True, kw_only=True)
class Executor:
    """`holder` is in leases what nobody else ever is, see `new_holder`: threads have one each.

    `ports` and `market` may be shared by the executors of a process.
    """

    holder: str
    build_id: str
    ports: Ports
    market: Market
    ids: ClientIds
    expiry_ms: int = EXPIRY_MS
    monotonic: Callable[[], float] = time.monotonic
    tally: Tally = field(default_factory=Tally)


def new_holder() -> str:
    """host:pid:boot:number, at most 64 characters: never the same again, in no process and no thread."""
    boot = uuid.uuid4().hex[:12]
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{boot}:{next(_numbers)}"
