"""Work of many accounts side by side."""

import threading
from collections import Counter

import pytest
from django.db import DatabaseError, connection

from apps.feeds.drivers import registry
from apps.feeds.tests.waiting import await_that
from apps.trading.execution.runtime import spreading
from apps.trading.execution.runtime.spreading import REST_S, THREADS, Spread
from apps.trading.tests.rows import account


def one_exchange(_: int) -> str:
    return "binance"


class Work:
    """Calls that wait until they are let go; some fail."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.let = {1: threading.Event(), 2: threading.Event()}

    def __call__(self, account_id: int) -> None:
        self.begun.append(account_id)
        assert self.let[account_id].wait(60)
        self.done.append(account_id)


def test_an_account_that_hangs_holds_up_no_other_and_is_not_begun_twice():
    work = Work()
    spread = Spread("work", work, threads=2, exchange_of=one_exchange)
    assert spread.begin([1, 2]) == 2
    work.let[2].set()
    await_that(lambda: work.done == [2])
    await_that(lambda: spread.begin([1, 2]) == 1)  # the other is at it still
    await_that(lambda: work.done == [2, 2])
    assert work.begun.count(1) == 1
    work.let[1].set()
    spread.close()
    assert sorted(work.done) == [1, 2, 2]


@pytest.mark.django_db
def test_an_exchange_that_hangs_holds_up_no_account_of_another(django_assert_num_queries):
    hanging = [account().pk for _ in range(THREADS + 1)]
    elsewhere = account("okx").pk
    answers, done = threading.Event(), []

    def work(account_id: int) -> None:
        assert account_id == elsewhere or answers.wait(60)
        done.append(account_id)

    spread = Spread("work", work)
    assert spread.begin([*hanging, elsewhere]) == len(hanging) + 1
    await_that(lambda: done == [elsewhere])
    with django_assert_num_queries(0):  # an account never moves
        await_that(lambda: spread.begin([elsewhere]) == 1)
    await_that(lambda: done == [elsewhere, elsewhere])
    answers.set()
    await_that(lambda: sorted(done) == sorted([*hanging, elsewhere, elsewhere]))
    spread.close()


def test_exchanges_share_all_threads_but_one_each_and_who_has_fewest_is_first():
    at = {account_id: "a" if account_id <= 10 else "b" for account_id in range(1, 21)}
    answers, threads = {account_id: threading.Event() for account_id in at}, {}

    def work(account_id: int) -> None:
        threads[account_id] = threading.get_ident()
        assert answers[account_id].wait(60)

    def begun() -> Counter[str]:
        return Counter(at[account_id] for account_id in list(threads))

    spread = Spread("work", work, threads=4, own=1, exchange_of=at.__getitem__)
    spread.begin(at)
    await_that(lambda: begun() == {"a": 4, "b": 1})
    for each, then in ((1, {"a": 4, "b": 2}), (11, {"a": 4, "b": 3})):
        answers[each].set()
        await_that(lambda then=then: begun() == then)
    for answer in answers.values():
        answer.set()
    await_that(lambda: begun() == {"a": 10, "b": 10})
    spread.close()
    assert len(set(threads.values())) == 5


def test_where_all_exchanges_hang_each_work_has_its_third_of_the_66_connections_that_the_manual_tells():
    exchanges = registry.exchange_ids()
    at = {number: exchanges[number % len(exchanges)] for number in range(12 * len(exchanges))}
    answers, threads = threading.Event(), set()

    def work(_: int) -> None:
        threads.add(threading.get_ident())
        assert answers.wait(60)

    spread = Spread("work", work, exchange_of=at.__getitem__)
    spread.begin(at)
    await_that(lambda: len(threads) == 66 / 3)
    answers.set()
    await_that(lambda: spread.begin(at) == len(at))
    spread.close()
    assert len(threads) == 66 / 3


def test_an_account_told_of_while_it_is_busy_has_its_turn_once_more_right_after():
    work = Work()
    spread = Spread("work", work, threads=2, exchange_of=one_exchange)
    spread.begin([1])
    await_that(lambda: work.begun == [1])
    for _ in range(2):
        assert spread.begin([1], told=True) == 0
    work.let[1].set()
    await_that(lambda: work.done == [1, 1])
    await_that(lambda: spread.begin([1]) == 1)  # it is free again: twice told is once more
    await_that(lambda: work.done == [1, 1, 1])
    spread.close()


def test_an_account_told_of_while_it_waits_for_an_answer_is_begun_beside_that_but_no_third_time():
    work = Work()
    spread = Spread("work", work, threads=8, exchange_of=one_exchange)
    spread.begin([1])
    await_that(lambda: work.begun == [1])
    assert spread.begin([1], told=True) == 1
    await_that(lambda: work.begun == [1, 1])
    assert spread.begin([1], told=True) == 0
    work.let[1].set()
    await_that(lambda: work.done == [1, 1, 1])
    spread.close()


def test_half_of_the_threads_are_left_to_accounts_that_nothing_is_done_for():
    work = Work()
    spread = Spread("work", work, threads=4, exchange_of=one_exchange)
    assert spread.begin([1, 2]) == 2
    assert spread.begin([1, 2], told=True) == 0
    for each in work.let.values():
        each.set()
    await_that(lambda: len(work.done) == 4)
    spread.close()


def test_an_account_whose_work_has_failed_rests_unless_it_is_told_of():
    now, tries = [0.0], []

    def fail(account_id: int) -> None:
        tries.append(account_id)
        raise ValueError

    spread = Spread("work", fail, clock=lambda: now[0], exchange_of=one_exchange)

    def begun(*, told: bool = False) -> int:
        number = spread.begin([1], told=told)
        await_that(lambda: not spread._busy.total())
        return number

    assert [begun(), begun(), begun(told=True), begun()] == [1, 0, 1, 0]
    now[0] += REST_S
    assert begun() == 1
    spread.close()
    assert tries == [1, 1, 1]


def test_what_waits_for_a_thread_does_not_begin_while_another_exchange_is_waited_for_at_the_end():
    begun, free = [], {1: threading.Event(), 2: threading.Event()}

    def work(account_id: int) -> None:
        begun.append(account_id)
        assert free[account_id].wait(60)

    spread = Spread("work", work, threads=1, exchange_of=lambda account_id: account_id == 1)
    spread.begin([1, 2, 3])
    await_that(lambda: sorted(begun) == [1, 2])
    ending = threading.Thread(target=spread.close)
    ending.start()
    await_that(lambda: spread.begin([4]) == 0)  # it is closed
    free[2].set()
    await_that(lambda: spread._busy[2] == 0)
    free[1].set()
    ending.join(60)
    assert not ending.is_alive()
    assert sorted(begun) == [1, 2]


def test_nothing_begins_once_it_is_closed():
    spread = Spread("work", lambda _: None, exchange_of=one_exchange)
    spread.close()
    assert spread.begin([1]) == 0


@pytest.mark.parametrize("error", [DatabaseError("gone"), ValueError("ours")])
def test_a_failure_is_counted_and_the_account_gets_its_next_turn(error: Exception):
    tries: list[int] = []

    def fail(account_id: int) -> None:
        tries.append(account_id)
        raise error

    spread = Spread("work", fail, exchange_of=one_exchange)
    spread.begin([1])
    await_that(lambda: spread.begin([1]) == 1)
    await_that(lambda: spread.errors == 2)
    spread.close()
    assert tries == [1, 1]


def test_connections_that_cannot_be_closed_cost_no_account_its_place(monkeypatch: pytest.MonkeyPatch):
    class Broken:
        def close_all(self) -> None:
            raise DatabaseError("gone")

    monkeypatch.setattr(spreading, "connections", Broken())
    spread = Spread("work", lambda _: None, threads=1, exchange_of=one_exchange)
    for errors in (1, 2):
        await_that(lambda: spread.begin([1], told=True) == 1)
        await_that(lambda errors=errors: spread.errors == errors)
    spread.close()


class Connected:
    """What is done has a connection to the database, and fails where it is told so."""

    def __init__(self) -> None:
        self.had: list[object] = []
        self.fails = False

    def __call__(self, account_id: int) -> None:
        connection.ensure_connection()
        self.had.append(connection.connection)
        if self.fails:
            raise DatabaseError("gone")


def in_turn(spread: Spread, work: Connected) -> object:
    """What one more turn had."""
    count = len(work.had)
    await_that(lambda: spread.begin([1]) == 1)
    await_that(lambda: len(work.had) == count + 1)
    return work.had[-1]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_turn_has_the_connection_of_the_one_before_unless_that_failed():
    work = Connected()
    spread = Spread("work", work, threads=1, exchange_of=one_exchange)
    first = in_turn(spread, work)
    work.fails = True
    assert in_turn(spread, work) is first
    assert in_turn(spread, work) is not first
    spread.close()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_connection_that_was_not_used_for_long_is_given_up():
    work = Connected()
    spread = Spread("work", work, threads=1, kept_s=0.0, exchange_of=one_exchange)
    first = in_turn(spread, work)
    assert in_turn(spread, work) is not first
    spread.close()
