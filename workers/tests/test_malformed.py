from pathlib import Path

from msgspec import json

from apps.feeds.errors import Flaw, MalformedFrame
from workers.malformed import CHARACTERS, KEPT, Malformed


async def test_the_last_hundred_frames_of_an_exchange_are_on_disk(tmp_path: Path):
    malformed = Malformed(tmp_path / "malformed")
    for number in range(KEPT + 20):
        malformed.keep("okx", "okx:spot:public:1", f"frame {number}", MalformedFrame("no ts"), number)
    await malformed.write()
    lines = [json.decode(line) for line in (tmp_path / "malformed/okx.jsonl").read_bytes().splitlines()]
    assert [line["frame"] for line in lines] == [f"frame {number}" for number in range(20, KEPT + 20)]
    assert (lines[0]["connection"], lines[0]["error"], lines[0]["received_ns"]) == ("okx:spot:public:1", "no ts", 20)
    assert malformed.counts == {("okx", Flaw.CONTENT): KEPT + 20}


async def test_a_huge_frame_is_cut_and_its_size_noted(tmp_path: Path):
    malformed = Malformed(tmp_path)
    malformed.keep("okx", "c", b"\xff" * 1_000_000, MalformedFrame("not UTF-8", flaw=Flaw.ENCODING), 1)
    await malformed.write()
    (line,) = (tmp_path / "okx.jsonl").read_bytes().splitlines()
    kept = json.decode(line)
    assert (kept["size"], kept["base64"], len(kept["frame"])) == (1_000_000, True, CHARACTERS)
    assert (kept["flaw"], malformed.counts) == ("encoding", {("okx", Flaw.ENCODING): 1})


async def test_the_file_of_the_former_life_is_kept_beside(tmp_path: Path):
    for life in ("first", "second"):
        malformed = Malformed(tmp_path)
        malformed.keep("okx", "c", life, MalformedFrame("bad"), 1)
        await malformed.write()
    assert b"first" in (tmp_path / "okx.1.jsonl").read_bytes()
    assert b"second" in (tmp_path / "okx.jsonl").read_bytes()


async def test_a_disk_that_refuses_costs_the_file_only(tmp_path: Path):
    (tmp_path / "malformed").write_text("a file where the folder should be")
    malformed = Malformed(tmp_path / "malformed")
    malformed.keep("okx", "c", "x", MalformedFrame("bad"), 1)
    await malformed.write()
    assert malformed.counts.total() == 1
