"""Tables and views in a real ClickHouse, and our rows as it reads them."""

from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.market import BookDelta, BookSnapshot
from apps.monitoring.clickhouse import Address, AwayError, UnsafeTableError, connect, prepare
from apps.monitoring.rows import COLUMNS, NO_SEQ, TRADES, UPDATES, prefix, text, trade_row, update_row
from apps.monitoring.tests.events import NOON_NS, STREAM, deltas, instrument, snapshots, trades

HEAD = text("d1-x-20250301-1") + prefix(instrument(), STREAM, 7)
START = datetime(1970, 1, 1, tzinfo=UTC)
SEEDS = {
    "orderbook_deltas": ["timestamp", "exchange_id", "pair", "market_type", "side", "price", "amount", "action"],
    "orderbook_snapshots": ["timestamp", "exchange_id", "pair", "market_type", "bids", "asks", "sequence_num"],
}


@pytest.fixture
def client(clickhouse_url):
    client = connect(clickhouse_url)
    prepare(client, 3650)
    yield client
    client.close()


def insert(client, table, rows):
    client.raw_insert(table, COLUMNS[table], b"".join(HEAD + row for row in rows), fmt="RowBinary")


def expected(event: BookDelta | BookSnapshot, event_no: int) -> dict[str, object]:
    def known(value: int | None) -> int:
        return NO_SEQ if value is None else value

    is_snapshot = isinstance(event, BookSnapshot)
    return {
        "event_no": event_no,
        "ts_recv": START + timedelta(microseconds=event.received_ns // 1000),
        "ts_exchange": START + timedelta(milliseconds=event.exchange_ms or 0),
        "is_snapshot": int(is_snapshot),
        "from_rest": int(is_snapshot and event.from_rest),
        "first_seq": NO_SEQ if is_snapshot else known(event.first_seq),
        "seq": known(event.seq),
        "prev_seq": known(event.prev_seq),
        "bids": event.bids,
        "asks": event.asks,
    }


@given(events=st.lists(deltas | snapshots, min_size=1, max_size=8))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_clickhouse_reads_any_book_event_as_it_was(client, events):
    client.command(f"TRUNCATE TABLE {UPDATES}")
    insert(client, UPDATES, [update_row(event, no) for no, event in enumerate(events, 1)])
    query = (
        "SELECT event_no, toTimeZone(ts_recv, 'UTC') AS ts_recv, ts_exchange, is_snapshot, from_rest, first_seq, seq,"
        " prev_seq, arrayZip(bid_prices, bid_amounts) AS bids, arrayZip(ask_prices, ask_amounts) AS asks"
        " FROM orderbook_updates ORDER BY event_no"
    )
    found = [
        row | {name: row[name].replace(tzinfo=UTC) for name in ("ts_recv", "ts_exchange")}
        for row in client.query(query).named_results()
    ]
    assert found == [expected(event, no) for no, event in enumerate(events, 1)]


@given(prints=st.lists(trades, min_size=1, max_size=8))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_clickhouse_reads_any_trade_as_it_was(client, prints):
    client.command(f"TRUNCATE TABLE {TRADES}")
    insert(client, TRADES, [trade_row(trade, no) for no, trade in enumerate(prints, 1)])
    found = client.query("SELECT trade_id, side, price, amount FROM trades ORDER BY event_no").result_rows
    assert found == [(trade.trade_id, trade.side, trade.price, trade.amount) for trade in prints]


def test_a_row_names_its_book_stream_and_batch(client):
    insert(client, UPDATES, [update_row(BookDelta(symbol="BTCUSDT", seq=1, bids=[], asks=[], received_ns=NOON_NS), 1)])
    query = "SELECT batch_id, exchange, market_type, pair, symbol, stream, epoch FROM orderbook_updates"
    assert client.query(query).result_rows == [("d1-x-20250301-1", "binance", "spot", "BTC/USDT", "BTCUSDT", STREAM, 7)]


@pytest.mark.parametrize("view", SEEDS)
def test_a_view_begins_with_the_seeds_columns(client, view):
    assert list(client.query(f"SELECT * FROM {view}").column_names)[: len(SEEDS[view])] == SEEDS[view]


def test_deltas_are_seen_level_by_level(client):
    event = BookDelta(
        symbol="BTCUSDT", seq=5, bids=[(100.0, 1.5), (99.0, 0.0)], asks=[(101.0, 2.0)], received_ns=NOON_NS
    )
    insert(client, UPDATES, [update_row(event, 1)])
    rows = client.query("SELECT exchange_id, pair, market_type, side, price, amount, action FROM orderbook_deltas")
    assert rows.result_rows == [
        ("binance", "BTC/USDT", "spot", "bid", 100.0, 1.5, "update"),
        ("binance", "BTC/USDT", "spot", "bid", 99.0, 0.0, "delete"),
        ("binance", "BTC/USDT", "spot", "ask", 101.0, 2.0, "update"),
    ]


def test_snapshots_are_seen_whole(client):
    event = BookSnapshot(symbol="BTCUSDT", seq=5, bids=[(100.0, 1.5)], asks=[], received_ns=NOON_NS)
    insert(client, UPDATES, [update_row(event, 1)])
    query = "SELECT toUnixTimestamp(timestamp), bids, asks, sequence_num FROM orderbook_snapshots"
    assert client.query(query).result_rows == [(NOON_NS // 10**9, [(100.0, 1.5)], [], 5)]
    assert client.query("SELECT count() FROM orderbook_deltas").result_rows == [(0,)]


def test_rows_live_as_many_days_as_the_setting_says(client):
    for days in (30, 7):
        prepare(client, days)
        for table in COLUMNS:
            assert f"toIntervalDay({days})" in client.command(f"SHOW CREATE TABLE {table}")


def test_a_table_that_would_store_a_batch_twice_is_refused(client):
    client.command("ALTER TABLE trades MODIFY SETTING non_replicated_deduplication_window = 0")
    with pytest.raises(UnsafeTableError, match="trades: non_replicated_deduplication_window"):
        prepare(client, 30)


def test_nobody_answering_is_told_from_a_refusal(clickhouse_server, unused_tcp_port):
    with pytest.raises(AwayError):
        connect(f"http://127.0.0.1:{unused_tcp_port}/ct")
    client = connect(f"{clickhouse_server}/ct")
    with pytest.raises(DatabaseError):
        client.query("SELECT nope")
    client.close()


def test_an_address_is_taken_apart():
    assert Address.parse("https://me:p%40ss@db.example:9440/ct") == Address(
        host="db.example", port=9440, database="ct", username="me", password="p@ss", secure=True
    )
    assert Address.parse("http://127.0.0.1").port == 8123
    assert Address.parse("https://db").port == 8443
