"""R14 across accounts, for which no row of both is locked: of two orders that would meet, one is sent at most. See
`exposure.self_trade` for why."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import pytest
from django.db import connections, transaction

from apps.feeds.market import Side
from apps.feeds.orders import OrderType
from apps.trading.execution.entry.claiming import claim
from apps.trading.models import Order, Trade
from apps.trading.tests import held_lanes, stage
from apps.trading.tests.threads import WAIT_S
from apps.users.models import User

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.usefixtures("long_leases")]

STEPS = 4  # T0 reads and writes, T0 commits, T1 reads and writes, T1 commits
FIRST_MOVES = list(combinations(range(1, 2 * STEPS), STEPS - 1))  # when the one who begins takes his other steps


class Party:
    """One account's order on a connection of its own, moved on by a step at a time."""

    def __init__(self, trade: Trade, side: Side, type: OrderType) -> None:
        self._trade, self._side, self._type = trade, side, type
        self._thread = ThreadPoolExecutor(1)
        self._port = stage.Exchange(trade.account_id or 0)
        self._executor = stage.executor(self._port)
        self._block: Any = None
        self._steps = iter((self._want, self._commit, self._claim, self._commit))
        self.denied = ""

    def step(self) -> None:
        self._thread.submit(next(self._steps)).result(WAIT_S)

    def end(self) -> None:
        self._thread.submit(connections.close_all).result(WAIT_S)
        self._thread.shutdown()

    def _want(self) -> None:
        price = None if self._type is OrderType.MARKET else stage.MID
        self._begin(lambda: stage.want(self._trade, side=self._side, type=self._type, price=price))

    def _claim(self) -> None:
        held = held_lanes.acquire(stage.lane(self._trade), self._executor)
        assert held is not None
        self._begin(lambda: claim(held, executor=self._executor, port=self._port))

    def _begin(self, call: Callable[[], object]) -> None:
        self._block = transaction.atomic()
        self._block.__enter__()
        call()

    def _commit(self) -> None:
        self._block.__exit__(None, None, None)


@contextmanager
def two_parties(number: int, type: OrderType) -> Iterator[tuple[Party, Party]]:
    """Two accounts of one person whom no other case knows."""
    owner = User.objects.create(username=f"person {number}")
    trades = [stage.trade(stage.rich_account(owner=owner)) for _ in range(2)]
    parties = Party(trades[0], Side.BUY, OrderType.LIMIT), Party(trades[1], Side.SELL, type)
    try:
        yield parties
    finally:
        for party in parties:
            party.end()


@pytest.mark.mariadb
@pytest.mark.parametrize("type", [OrderType.LIMIT, OrderType.MARKET])
def test_in_whatever_order_two_executors_read_and_commit_one_of_two_that_would_meet_is_sent_at_most(type: OrderType):
    sent: list[int] = []
    for number, moves in enumerate(FIRST_MOVES):
        with two_parties(number, type) as (first, second):
            for step in range(2 * STEPS):
                (first if step == 0 or step in moves else second).step()
        sent.append(Order.objects.filter(account__owner__username=f"person {number}").count())
    assert len(sent) == 35
    assert max(sent) == 1
    assert min(sent) == 0  # both were wanted before either read again: each saw the other
