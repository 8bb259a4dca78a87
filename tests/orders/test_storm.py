"""O2: executors are killed and stopped at random under load. Beside them the usual shape, which doubles orders."""

from collections import Counter

import pytest

from tests.orders import endings, evidence, lives, naive, sales
from tests.orders.invariants import in_order, violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES, Storm

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.timeout(900 * TIMES)]

NAIVE_ACCOUNTS, NAIVE_ORDERS = 40, 240 * TIMES  # enough to see it
ACCOUNTS, ORDERS = 120 * TIMES, 2_400 * TIMES
QUIET, OF_EACH = 20 * TIMES, 100  # lanes without troubles, whose orders must stay in their order
KILLS, PAUSES, WORKERS = 300 * TIMES, 60 * TIMES, 8
EVERY_S = (0.02, 0.25)


@pytest.mark.mariadb
def test_the_usual_shape_doubles_orders_here(rig: Rig):
    """Otherwise the rig would be blind."""
    accounts = rig.accounts(NAIVE_ACCOUNTS)
    names = {each["name"] for each in accounts}
    price = f"{sales.across(rig, accounts[0])}"
    pair = accounts[0]["pairs"]["BTC/USDT"]
    tasks = [
        {
            "account": accounts[number % NAIVE_ACCOUNTS]["name"],
            "pair": pair,
            "price": price,
            "amount": f"{sales.AMOUNT}",
        }
        for number in range(NAIVE_ORDERS)
    ]
    rig.forks.call(naive.queue, tasks=tasks)
    sales.trouble(rig, accounts, NAIVE_ORDERS, seed=1)
    storm = Storm(
        start=lambda: rig.forks.start(naive.work, timeout_s=2.0),
        done=lambda: rig.forks.call(naive.left) == 0,
        workers=6,
        kills=30 * TIMES,
        pauses=6 * TIMES,
        on_death=lambda fork: rig.forks.call(naive.deliver_again, worker=fork.pid),
    )
    storm.run()
    taken = sales.accepted_by_id([row for row in rig.exchanges.accepted("binance") if row["account"] in names])
    doubled = {key: times for key, times in taken.items() if times > 1}
    print(
        f"usual shape: {len(doubled)} of {NAIVE_ORDERS} doubled, {sum(doubled.values()) - len(doubled)} orders too many"
    )
    assert storm.killed
    assert doubled


@pytest.mark.mariadb
def test_no_order_is_doubled_lost_or_stuck_whoever_dies(rig: Rig):
    """O9 as well: what goes well stays in the order of the intents."""
    accounts, quiet = rig.accounts(ACCOUNTS, held="1"), rig.accounts(QUIET, held="1")
    cells = sales.cells(rig, accounts, ORDERS, "storm")
    calm = [{**each, "purpose": "entry"} for each in sales.cells(rig, quiet, QUIET * OF_EACH, "quiet")]
    numbers = [each["id"] for each in [*accounts, *quiet]]
    callers = [rig.forks.start(lives.intend_all, cells=part) for part in (cells, calm)]
    assert [caller.result() for caller in callers] == [ORDERS, QUIET * OF_EACH]
    troubles = sales.trouble(rig, accounts, ORDERS, seed=2)
    storm = Storm(
        start=lambda: rig.forks.start(lives.serve, accounts=numbers, threads=2, seconds=300.0 * TIMES),
        done=lambda: rig.forks.call(endings.is_over, cells=[{"account": number} for number in numbers]),
        workers=WORKERS,
        kills=KILLS,
        pauses=PAUSES,
        every_s=EVERY_S,
    )
    storm.run()
    known = rig.forks.call(evidence.told, accounts=numbers)
    names, still = {each["name"] for each in [*accounts, *quiet]}, {each["name"] for each in quiet}
    accepted = [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
    results = Counter(f"{each['result']} {each['deny_reason']}".strip() for each in known["intents"])
    print(f"this design: {storm.killed} killed, {storm.paused} paused, {dict(troubles)}: {dict(results)}")
    assert violations(accepted, known) == []
    assert in_order([row for row in accepted if row["account"] in still], known) == []
    assert len(accepted) > (ORDERS + QUIET * OF_EACH) / 2, results
