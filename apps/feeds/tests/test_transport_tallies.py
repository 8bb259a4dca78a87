"""What the loops of one process count together."""

import threading

from apps.feeds.drivers.base import Rate
from apps.feeds.transport.tallies import Tally

RATE = Rate(200, 600.0)
THREADS = 8


def test_threads_that_ask_at_once_never_take_more_than_the_rate():
    tally, begin = Tally(), threading.Barrier(THREADS)
    taken: list[float] = []

    def ask() -> None:
        begin.wait(60)
        taken.extend(tally.take("rest:toy", RATE, 1, spare=0) for _ in range(RATE.count))

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(0.0) == RATE.count


def test_a_door_stays_shut_for_the_longest_time_that_was_told():
    tally = Tally()
    tally.shut("rest:toy", 60.0)
    tally.shut("rest:toy", 1.0)
    assert tally.shut_s("rest:toy") > 1.0
    assert tally.shut_s("rest:other") == 0.0
