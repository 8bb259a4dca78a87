"""When a process counts as one that does not stay up."""

from workers.supervisor.crashes import MOST, WINDOW_S, Crashes

EXIT = "2026-11-20 10:45:55,000 WARN exited: daemon (exit status 1; not expected)"


def test_a_process_that_supervisord_gives_up_is_named():
    line = "2026-11-20 10:45:55,000 INFO gave up: web entered FATAL state, too many start retries too quickly"
    assert Crashes().note(line, 0) == "web"


def test_exits_in_quick_succession_are_too_many():
    crashes = Crashes()
    assert [crashes.note(EXIT, float(at)) for at in range(MOST)] == [None] * (MOST - 1) + ["daemon"]


def test_exits_far_apart_are_bad_luck():
    crashes = Crashes()
    assert not any(crashes.note(EXIT, at * WINDOW_S / 3) for at in range(50))


def test_each_process_has_its_own_count():
    crashes = Crashes()
    lines = [EXIT.replace("daemon", f"p{number}") for number in range(2 * MOST)]
    assert not any(crashes.note(line, 0) for line in lines)


def test_an_exit_that_was_asked_for_does_not_count():
    crashes = Crashes()
    assert not any(crashes.note("INFO stopped: daemon (exit status 0)", 0) for _ in range(2 * MOST))
