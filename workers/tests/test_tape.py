from workers.tape import REMEMBERED, Tape


def test_a_print_is_fresh_once():
    tape = Tape()
    assert [tape.fresh(one) for one in ("1", "2", "1", "3", "2")] == [True, True, False, True, False]


def test_only_the_newest_prints_are_remembered():
    tape = Tape()
    for number in range(REMEMBERED + 1):
        assert tape.fresh(str(number))
    assert not tape.fresh(str(REMEMBERED))
    assert tape.fresh("0")
