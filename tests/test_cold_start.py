"""Five hundred pairs of all exchanges and markets, on the exchanges' limits, by real processes."""

from collections.abc import Iterator

import pytest

from bench.cold_start import RATE, cold_start, mass_disconnect, together, waits
from bench.fleet import Fleet

pytestmark = [pytest.mark.processes, pytest.mark.timeout(1500)]

PAIRS = 500
SECONDS = 60


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet")) as made:
        made.prepare()
        made.watch(PAIRS)
        yield made


def test_all_are_live_within_a_minute_and_again_after_every_socket_was_cut_and_no_limit_is_broken(fleet: Fleet) -> None:
    start = together(cold_start(fleet, PAIRS, daemons=2).values())
    back = together(mass_disconnect(fleet, PAIRS).values())
    assert start.all_s < SECONDS
    assert back.all_s < SECONDS
    assert back.breaches == 0, fleet.simulator("state")["breaches"]
    assert back.handshakes <= 1.5 * back.sockets  # hardly any was tried twice
    assert back.requests <= PAIRS / 10  # only the books that need REST, most of them once
    assert back.spread_s > 0.1


def test_pairs_without_room_on_one_daemon_say_so_and_run_on_the_next_one_that_comes(fleet: Fleet) -> None:
    fleet.begin(rate=RATE)
    fleet.daemon("d1")
    fleet.wait("full sockets", lambda: {live(book) or waits(book) for book in books_of_all(fleet)} == {True}, SECONDS)
    assert any(waits(book) for book in fleet.books())
    (status,) = fleet.statuses()
    assert status["sockets"] == status["max_sockets"]
    fleet.daemon("d2")
    fleet.wait("all on two daemons", lambda: {live(book) for book in books_of_all(fleet)} == {True}, SECONDS)
    assert [bool(status["books"]) for status in fleet.statuses()] == [True, True]
    assert fleet.simulator("state")["breaches"] == {}


def live(book: dict[str, object]) -> bool:
    return book["state"] == "LIVE"


def books_of_all(fleet: Fleet) -> list[dict[str, object]]:
    """The books, each once, when none is missing."""
    books = {book["key"]: book for book in fleet.books()}
    return list(books.values()) if len(books) == PAIRS else []
