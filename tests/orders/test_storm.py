"""O2: executors are killed and stopped at random under load. Beside them the usual shape, which doubles orders."""

import pytest

from tests.orders import naive, sales
from tests.orders.rig import Rig
from tests.orders.storm import TIMES, Storm

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.timeout(900 * TIMES)]

ACCOUNTS, ORDERS = 40, 240 * TIMES
KILLS, PAUSES, WORKERS = 30 * TIMES, 6 * TIMES, 6


@pytest.mark.mariadb
def test_the_usual_shape_doubles_orders_here(rig: Rig):
    """Otherwise the rig would be blind."""
    accounts = rig.accounts(ACCOUNTS)
    names = {each["name"] for each in accounts}
    price = f"{sales.across(rig)}"
    pair = accounts[0]["pairs"]["BTC/USDT"]
    tasks = [
        {"account": accounts[number % ACCOUNTS]["name"], "pair": pair, "price": price, "amount": f"{sales.AMOUNT}"}
        for number in range(ORDERS)
    ]
    rig.forks.call(naive.queue, tasks=tasks)
    sales.trouble(rig, accounts, ORDERS, seed=1)
    storm = Storm(
        start=lambda: rig.forks.start(naive.work, timeout_s=2.0),
        done=lambda: rig.forks.call(naive.left) == 0,
        workers=WORKERS,
        kills=KILLS,
        pauses=PAUSES,
        on_death=lambda fork: rig.forks.call(naive.deliver_again, worker=fork.pid),
    )
    storm.run()
    taken = sales.accepted_by_id([row for row in rig.exchanges.accepted("binance") if row["account"] in names])
    doubled = {key: times for key, times in taken.items() if times > 1}
    print(f"usual shape: {len(doubled)} of {ORDERS} doubled, {sum(doubled.values()) - len(doubled)} orders too many")
    assert storm.killed == KILLS
    assert doubled
