"""Following log files."""

from pathlib import Path

from workers.supervisor.tail import Tail


def test_only_what_is_new_is_shown_and_only_whole_lines(tmp_path: Path):
    log = tmp_path / "web.log"
    log.write_text("old\n")
    tail = Tail(tmp_path)
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert list(tail.lines()) == [("web", "one")]
        file.write("o\n")
    assert list(tail.lines()) == [("web", "two")]
    assert list(tail.lines()) == []


def test_a_rotated_file_is_read_from_its_beginning(tmp_path: Path):
    log = tmp_path / "web.log"
    log.write_text("a long old line\n")
    tail = Tail(tmp_path)
    log.rename(tmp_path / "web.log.1")
    log.write_text("new\n")
    assert list(tail.lines()) == [("web", "new")]


def test_a_file_that_appears_later_is_shown_whole(tmp_path: Path):
    tail = Tail(tmp_path)
    (tmp_path / "daemon.log").write_text("first\n")
    assert list(tail.lines()) == [("daemon", "first")]


def test_bytes_that_are_no_text_are_shown_all_the_same(tmp_path: Path):
    tail = Tail(tmp_path)
    (tmp_path / "x.log").write_bytes(b"\xff\n")
    assert list(tail.lines()) == [("x", "\ufffd")]
