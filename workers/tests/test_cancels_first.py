"""L7: a person's cancel waits neither for a placement that hangs nor for the books that the same daemon feeds."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from apps.feeds.market import Side
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import control, open_account
from apps.feeds.tests.waiting import await_that, timed, until
from apps.feeds.transport import loop
from apps.trading.execution.cancels import cancelling
from apps.trading.models import Order
from apps.users.services import Actor
from workers.options import Options
from workers.tests import test_trader_exchange
from workers.tests.daemon import watch
from workers.tests.test_trader_exchange import keyed
from workers.tests.trading import Desk, aside, below, eventually, ready, trading
from workers.trader.threads import Threads

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
chosen = test_trader_exchange.chosen
PERSON = Actor(user="anna")
PAIRS = ("binance:spot:BTC/USDT", "binance:spot:ETH/USDT", "binance:spot:SOL/USDT")
MESSAGES_S = 300
START_S = 60.0
HANGS_S, BOUND_S = 30.0, 1.0  # a request is given up after three seconds


@pytest.fixture
def interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("interval")
async def test_cancels_leave_at_once_while_a_placement_hangs_and_books_are_fed(
    simulator: Simulator, chosen: Options, tmp_path: Path
):
    await open_account(simulator, "binance")
    account_id = await aside(keyed)
    await watch(*PAIRS)
    async with trading(chosen, tmp_path, cancels_on_stop=False) as daemon:
        desk = Desk(account_id, daemon.trader.windows)
        await ready(daemon.trader, account_id)
        mid = await desk.seen()
        rests = [
            await desk.order_of(await desk.want(Side.BUY, f"0.001{number}", below(mid)), "OPEN") for number in range(3)
        ]
        await control(simulator, "rate", msg_s=MESSAGES_S)
        await control(
            simulator, "account_fault", exchange="binance", op="accept_hang", kind="place", seconds=HANGS_S, count=1
        )
        await desk.want(Side.BUY, "0.0008", below(mid))
        await until(lambda: len(simulator.exchanges["binance"].desk.accepted) == len(rests) + 1)
        with timed() as passed:
            for row in rests:
                await aside(cancelling.request_cancel, row, PERSON)
            await eventually(lambda: cancelled(simulator), lambda count: count == len(rests))
            assert passed() <= BOUND_S


class TestBesideALoopThatStandsStill:
    """The exchange is not on the loop that stands still either."""

    @pytest.fixture
    def simulator(self) -> Iterator[Simulator]:
        running = Simulator(seed=7)
        loop.run(running.start(), START_S)
        yield running
        loop.run(running.stop(), START_S)

    @pytest.mark.usefixtures("interval")
    async def test_a_cancel_leaves_and_is_answered_while_the_loop_that_feeds_books_does_nothing(
        self, simulator: Simulator, chosen: Options, tmp_path: Path
    ):
        await open_account(simulator, "binance")
        account_id = await aside(keyed)
        async with trading(chosen, tmp_path, cancels_on_stop=False) as daemon:
            desk = Desk(account_id, daemon.trader.windows)
            await ready(daemon.trader, account_id)
            order = await desk.order_of(await desk.want(Side.BUY, "0.001", below(await desk.seen())), "OPEN")
            person = threading.Thread(target=cancel, args=[order])
            person.start()
            await_that(lambda: cancelled(simulator) == 1)  # in the loop itself, which does nothing else meanwhile
            person.join()


def cancel(order: Order) -> None:
    try:
        cancelling.request_cancel(order, PERSON)
    finally:
        connections.close_all()


def cancelled(simulator: Simulator) -> int:
    return sum(each.order.status == "cancelled" for each in simulator.exchanges["binance"].desk.accepted)


@pytest.mark.usefixtures("interval")
def test_threads_beside_the_loop_get_their_turn_soon():
    Threads([]).start()
    assert sys.getswitchinterval() <= 0.001
