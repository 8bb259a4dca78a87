"""Executors as they run in forks here: the real ones, on books that stand still and with shorter tails."""

import json
import os
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.request import urlopen

from django.conf import settings
from msgspec.structs import replace

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import Expiry, ExpiryCheck
from apps.feeds.market import BookKey, BookState
from apps.feeds.models import TradePair
from apps.feeds.tests.trading_stand import WideGates
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import Gates
from apps.trading.execution.executors.executor import Executor, new_holder
from apps.trading.execution.gateway.clocks import Clocks
from apps.trading.execution.gateway.ports import CannotWork, Port
from apps.trading.execution.gateway.remote_ports import RemotePorts, server_time
from apps.trading.execution.pretrade.market import mid_of
from apps.trading.risk.view import Top
from tests.orders.rows import BUILD
from tests.orders.wire import MortalClient

TAIL_S = 1.0  # after its expiry an order may still be matched here for so long
SIGNED_MS = 3_000  # the same of an exchange that takes a request for as long as its signature is good
TIMEOUT_S = 3.0
ANSWER_S = 120.0


class StillMarket:
    """The true books, read once: they stand still."""

    def __init__(self) -> None:
        self._tops: dict[BookKey, Top | None] = {}

    def top(self, key: BookKey) -> Top | None:
        if key not in self._tops:
            self._tops[key] = _top(key)
        return self._tops[key]

    def mid(self, key: BookKey) -> Decimal | None:
        return mid_of(self.top(key))


def _top(key: BookKey) -> Top | None:
    """None: it is not listed there."""
    listed = TradePair.objects.filter(exchange__code=key.exchange, market_type=key.market_type, pair=key.pair)
    row = listed.first()
    if row is None:
        return None
    address = f"{settings.CT_SIMULATOR_URL}/_sim/book?exchange={key.exchange}&market_type={key.market_type}"
    with urlopen(f"{address}&symbol={row.symbol}", timeout=ANSWER_S) as answer:
        book = json.loads(answer.read())
    bids, asks = ([(Decimal(str(p)), Decimal(str(a))) for p, a in book[side][:20]] for side in ("bids", "asks"))
    return Top(
        state=BookState.LIVE,
        age_ms=0,
        owner_is_current=True,
        bid=bids[0][0],
        ask=asks[0][0],
        bid_depth=sum((amount for _, amount in bids), Decimal(0)),
        ask_depth=sum((amount for _, amount in asks), Decimal(0)),
    )


class ShortPort:
    """A port whose exchange is done with a request sooner; all else is the real one's."""

    def __init__(self, port: Port, tail_s: float) -> None:
        self._port = port
        self._tail_s = tail_s

    @property
    def expiry(self) -> Expiry:
        real = self._port.expiry
        longest_ms = SIGNED_MS if real.check is ExpiryCheck.NONE else real.longest_ms
        return replace(real, tail_s=self._tail_s, longest_ms=longest_ms)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


class ShortPorts:
    def __init__(self, ports: RemotePorts, tail_s: float, only: int | None = None) -> None:
        """`only`: the one account that there is a way to."""
        self.remote = ports
        self._tail_s = tail_s
        self._only = only

    def of(self, account_id: int) -> Any:
        if self._only not in (None, account_id):
            raise CannotWork(f"account {account_id} is left to others")
        return ShortPort(self.remote.of(account_id), self._tail_s)


def ports(
    *,
    url: str | None = None,
    tail_s: float = TAIL_S,
    timeout_s: float = TIMEOUT_S,
    only: int | None = None,
    notes: str | None = None,
    gates: Gates | None = None,
) -> ShortPorts:
    """Of this process. `url`: where the exchanges are; `only`: the one account that it cares for; `notes`: the file in
    which it is written when each order left; `gates`: its limits, wide ones unless given."""
    client = MortalClient(
        drivers={name: registry.driver(name) for name in registry.trader_ids()},
        traders={name: registry.trader(name) for name in registry.trader_ids()},
        addresses=Addresses(url or settings.CT_SIMULATOR_URL),
        timeout_s=timeout_s,
        gates=gates or WideGates(),
    )
    client.notes = None if notes is None else os.open(notes, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    remote = RemotePorts(
        client,
        run=loop.run,
        clocks=Clocks(lambda exchange, market_type: server_time(client, loop.run, exchange, market_type)),
        halt_file=settings.CT_HALT_FILE,
        simulated=True,
    )
    return ShortPorts(remote, tail_s, only)


def executor(given: Any = None, **changes: Any) -> Executor:
    """One for this thread; `given` are ports that others use as well. No daemon looks after its accounts."""
    if settings.CT_ID_KEY is None:
        raise RuntimeError("no key of ids")
    values: dict[str, Any] = {
        "holder": new_holder(),
        "build_id": BUILD,
        "ports": given or ports(),
        "market": StillMarket(),
        "ids": ClientIds(settings.CT_ID_NAMESPACE, settings.CT_ID_KEY.encode()),
        "gated": False,
        **changes,
    }
    return Executor(**values)


def until(condition: Callable[[], object], seconds: float = 120.0, every_s: float = 0.1) -> bool:
    """Whether it came to be; what the machine takes away from this process does not count."""
    for _ in range(round(seconds / every_s)):
        if condition():
            return True
        time.sleep(every_s)
    return bool(condition())
