import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.monitoring.rows import NO_SEQ, TRADES, UPDATES, facts, prefix, text, trade_row, update_row, varint
from apps.monitoring.tests.events import STREAM, deltas, instrument, snapshots, trades

HEAD = text("batch") + prefix(instrument(), STREAM, 7)


def test_lengths_are_varints():
    assert [varint(n) for n in (0, 127, 128, 300)] == [b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02"]


def test_text_is_counted_in_bytes():
    assert text("é") == b"\x02\xc3\xa9"


@given(events=st.lists(deltas | snapshots, max_size=5))
@settings(max_examples=50)
def test_the_facts_of_book_rows_are_read_back(events):
    data = b"".join(HEAD + update_row(event, no) for no, event in enumerate(events, 1))
    found = list(facts(UPDATES, data))
    assert [(row.event_no, row.received_us) for row in found] == [
        (no, event.received_ns // 1000) for no, event in enumerate(events, 1)
    ]
    assert [row.seq for row in found] == [NO_SEQ if event.seq is None else event.seq for event in events]
    assert {row[:6] for row in found} <= {("batch", "binance", "spot", "BTC/USDT", STREAM, 7)}


@given(prints=st.lists(trades, max_size=5))
@settings(max_examples=50)
def test_the_facts_of_trade_rows_are_read_back(prints):
    data = b"".join(HEAD + trade_row(trade, no) for no, trade in enumerate(prints, 1))
    assert [row.received_us for row in facts(TRADES, data)] == [trade.received_ns // 1000 for trade in prints]


@given(event=deltas, cut=st.integers(1, 10_000))
@settings(max_examples=50)
def test_a_cut_row_is_noticed(event, cut):
    row = HEAD + update_row(event, 1)
    with pytest.raises((IndexError, struct.error)):
        list(facts(UPDATES, row[: -(cut % len(row)) or -1]))
