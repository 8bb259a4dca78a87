"""Replays by hand-written recordings, and the command around them."""

import base64
import json

import pytest
from django.core.management import CommandError, call_command

from apps.feeds.drivers import registry
from apps.feeds.market import BookState, MarketType
from apps.feeds.replay import Replay, SymbolReport, as_json, as_text, frames


def depth(first, last, symbol="BTCUSDT", **changes):
    data = {"e": "depthUpdate", "E": 9, "s": symbol, "U": first, "u": last, "b": [["98", str(last)]], "a": []}
    return {"stream": f"{symbol.lower()}@depth@100ms", "data": data | changes}


def rest(last):
    return {"lastUpdateId": last, "bids": [["100", "1"], ["99", "2"]], "asks": [["101", "1"]]}


def played(*wire, snapshots=()) -> dict[str, SymbolReport]:
    answers = {"BTCUSDT": [json.dumps(one).encode() for one in snapshots]}
    replay = Replay(registry.driver("binance"), MarketType.SPOT, answers)
    for frame in wire:
        replay.play(frame if isinstance(frame, str) else json.dumps(frame))
    return {report.symbol: report for report in replay.finish()}


def test_a_book_without_its_snapshot_stays_syncing():
    report = played(depth(11, 11))["BTCUSDT"]
    assert (report.state, report.seq, report.bids, report.asks) == (BookState.SYNCING, None, [], [])


def test_snapshots_are_offered_in_their_order_whenever_the_book_needs_one():
    report = played(
        depth(12, 12), depth(13, 13), depth(20, 20), depth(21, 21), snapshots=[rest(5), rest(11), rest(15), rest(19)]
    )["BTCUSDT"]
    assert (report.state, report.seq) == (BookState.LIVE, 21)
    assert (report.gaps, report.applied, report.resyncs) == (1, 4, 3)


def test_a_snapshot_is_kept_for_the_gap_that_needs_it():
    report = played(depth(11, 11), depth(13, 13), snapshots=[rest(10), rest(12)])["BTCUSDT"]
    assert (report.state, report.seq, report.gaps) == (BookState.LIVE, 13, 1)


def test_a_symbol_with_a_snapshot_and_no_frames_is_live_at_it():
    report = played(snapshots=[rest(10)])["BTCUSDT"]
    assert (report.state, report.seq, report.bids_count, report.asks_count) == (BookState.LIVE, 10, 2, 1)


def test_a_malformed_frame_counts_for_the_symbol_it_names_or_else_for_all():
    reports = played(
        depth(11, 11), depth(5, 6, "ETHUSDT"), depth(12, 12, b=[["-1", "1"]]), "not a frame", snapshots=[rest(10)]
    )
    assert {symbol: report.malformed for symbol, report in reports.items()} == {"BTCUSDT": 2, "ETHUSDT": 1}
    assert reports["BTCUSDT"].state is BookState.LIVE


def test_a_snapshot_that_is_an_error_is_malformed_and_the_next_one_is_offered():
    report = played(depth(11, 11), snapshots=[{"code": -1121, "msg": "Invalid symbol."}, rest(10)])["BTCUSDT"]
    assert (report.state, report.malformed) == (BookState.LIVE, 1)


def test_lines_are_frames_blank_ones_are_none_and_base64_is_undone():
    assert list(frames([b'{"a":1}\r\n', b"", b"\n"], base64=False)) == [b'{"a":1}']
    encoded, broken = frames([base64.b64encode(b"\x00frame"), b"!!"], base64=True)
    assert encoded == b"\x00frame"
    replay = Replay(registry.driver("binance"), MarketType.SPOT, {})
    replay.play(broken)
    assert len(replay.malformed) == 1


def test_the_report_as_json_has_exactly_the_promised_fields():
    [told] = as_json(played(depth(11, 11), snapshots=[rest(10)]).values()).values()
    assert json.loads(json.dumps(told)) == {
        "state": "LIVE",
        "seq": 11,
        "gaps": 0,
        "applied": 1,
        "malformed": 0,
        "bids": [[100.0, 1.0], [99.0, 2.0], [98.0, 11.0]],
        "asks": [[101.0, 1.0]],
    }


def test_the_report_as_text_has_a_head_line_and_the_levels_side_by_side():
    head, *levels = as_text(played(depth(11, 11), snapshots=[rest(10)]).values())
    assert head == ("BTCUSDT  LIVE  seq 11  applied 1  dropped 0  gaps 0  malformed 0  resyncs 0  levels 3/1")
    assert [line.split() for line in levels] == [
        ["1.0", "at", "100.0", "|", "1.0", "at", "101.0"],
        ["2.0", "at", "99.0", "|"],
        ["11.0", "at", "98.0", "|"],
    ]


@pytest.fixture
def recorded(tmp_path):
    """A recording of one pair and its snapshot, as arguments of the command."""
    stream, snapshot = tmp_path / "stream.jsonl", tmp_path / "snapshot.json"
    stream.write_text(f"{json.dumps(depth(11, 11))}\n{json.dumps(depth(12, 12))}\n")
    snapshot.write_text(json.dumps(rest(10)))
    return ["--exchange", "binance", "--market", "spot", "--snapshot", f"BTCUSDT={snapshot}", str(stream)]


def test_the_command_prints_text(recorded, capsys):
    call_command("replay", *recorded)
    assert capsys.readouterr().out.startswith("BTCUSDT  LIVE  seq 12  applied 2")


def test_the_command_prints_json_cut_to_a_depth(recorded, capsys):
    call_command("replay", *recorded, "--json", "--depth", "1")
    told = json.loads(capsys.readouterr().out)
    assert (told["BTCUSDT"]["seq"], told["BTCUSDT"]["bids"]) == (12, [[100.0, 1.0]])


def test_the_command_reads_base64_where_the_name_says_so(tmp_path, capsys):
    path = tmp_path / "stream.b64.jsonl"
    path.write_bytes(base64.b64encode(json.dumps(depth(11, 11)).encode()) + b"\n")
    call_command("replay", "--exchange", "binance", "--market", "spot", "--json", str(path))
    assert json.loads(capsys.readouterr().out)["BTCUSDT"]["state"] == "SYNCING"


def test_the_command_exits_with_one_when_a_frame_was_malformed(recorded, tmp_path, capsys):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{\n")
    with pytest.raises(CommandError, match="1 malformed") as caught:
        call_command("replay", *recorded, str(broken))
    assert caught.value.returncode == 1
    assert "malformed 1" in capsys.readouterr().out, "the books are printed all the same"


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("--exchange", "nasdaq", "unknown exchange 'nasdaq'"),
        ("--market", "options", "unknown market 'options'"),
        ("--depth", "deep", "unknown depth 'deep'"),
        ("--depth", "-1", "unknown depth '-1'"),
        ("--snapshot", "BTCUSDT", "not SYMBOL=FILE"),
        ("--snapshot", "BTCUSDT=/nowhere/at/all", "cannot read /nowhere/at/all"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_two(recorded, option, value, text):
    with pytest.raises(CommandError, match=text) as caught:
        call_command("replay", *recorded, f"{option}={value}")
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_bad_input(recorded):
    with pytest.raises(CommandError, match="cannot read /nowhere/at/all: No such file") as caught:
        call_command("replay", *recorded, "/nowhere/at/all")
    assert caught.value.returncode == 2
