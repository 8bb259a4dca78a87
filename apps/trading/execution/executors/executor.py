"""Who works lanes: one per thread that does, with all that it needs."""

import itertools
import os
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.feeds.client_ids import ClientIds
from apps.trading.execution.gateway.clocks import steady_s
from apps.trading.execution.gateway.ports import Ports
from apps.trading.execution.pretrade.catalogue import Catalogue
from apps.trading.execution.pretrade.market import Market
from apps.trading.execution.runtime.failing import Apart

EXPIRY_MS = 2_000  # the exchange takes a request no later than so long after T1, where it can be told
SHUT_S = 5.0

_numbers = itertools.count(1)


class Tally:
    """What an executor has done, by name. Additions of one thread, read by others."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, number: int = 1) -> None:
        self._counts[name] += number

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)


class Shut:
    """Accounts to which this process has no way, or whose exchange's time it does not know: left alone for a while, so
    that they hold up nobody."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._until: dict[int, float] = {}
        self._monotonic = monotonic

    def note(self, account_id: int) -> None:
        self._until[account_id] = self._monotonic() + SHUT_S

    def accounts(self) -> list[int]:
        now = self._monotonic()
        self._until = {one: until for one, until in self._until.items() if until > now}
        return list(self._until)


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
    monotonic: Callable[[], float] = steady_s  # a host that slept has not sent in time, and its leases have run out
    catalogue: Catalogue = field(default_factory=Catalogue)
    tally: Tally = field(default_factory=Tally)
    shut: Shut = field(default_factory=Shut)
    apart: Apart = field(default_factory=Apart)
    gated: bool = True  # begins orders only of accounts that are open by their rows, see `gateway.opened`
    is_stopping: Callable[[], bool] = lambda: False  # then no order is begun any more; what is under way ends


def client_ids() -> ClientIds:
    """Of this deployment. Raise ImproperlyConfigured without the key."""
    if settings.CT_ID_KEY is None:
        raise ImproperlyConfigured("CT_ID_KEY is not set: this process makes no ids of orders")
    return ClientIds(settings.CT_ID_NAMESPACE, settings.CT_ID_KEY.encode())


def new_holder() -> str:
    """host:pid:boot:number, at most 64 characters: never the same again, in no process and no thread."""
    boot = uuid.uuid4().hex[:12]
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{boot}:{next(_numbers)}"
