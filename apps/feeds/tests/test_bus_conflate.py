from apps.feeds.bus import codec
from apps.feeds.bus.conflate import Slot
from apps.feeds.market import BookState, PublicTrade, Side
from apps.feeds.tests.published import HandMade

MS = 1_000_000
WALL = 1_700_000_000_500_000_000
START = 10**12


def slot_of(book: HandMade) -> Slot:
    return Slot(book, shard="binance:spot:1", interval_ns=100 * MS, base=0)


def taken(slot: Slot, now_ns: int) -> dict[str, dict]:
    ops, _ = slot.take(now_ns, WALL, fence=1)
    return {op.name.split(":")[0]: codec.decode(op.payload) for op in ops}


def trade(n: int) -> PublicTrade:
    return PublicTrade(symbol="S", trade_id=str(n), side=Side.BUY, price=1.0, amount=1.0, exchange_ms=n, received_ns=n)


def published_slot(book: HandMade) -> Slot:
    slot = slot_of(book)
    slot.changed(START, best=True)
    assert taken(slot, START)["book"]["version"] == book.version
    return slot


def test_a_change_below_the_best_prices_waits_for_the_rate_and_carries_the_latest_state():
    book = HandMade()
    slot = published_slot(book)
    for _ in range(3):
        book.version += 1
        slot.changed(START + 10 * MS, best=False)
    assert taken(slot, START + 99 * MS) == {}
    assert taken(slot, START + 100 * MS)["book"]["version"] == book.version
    assert not slot.waiting


def test_a_change_of_the_best_prices_goes_out_after_twenty_milliseconds_at_the_latest():
    book = HandMade()
    slot = published_slot(book)
    book.move(102.0)
    slot.changed(START + 5 * MS, best=True)
    assert taken(slot, START + 19 * MS) == {}
    message = taken(slot, START + 20 * MS)
    assert message["book"]["bids"][0] == [102.0, 1.0]
    assert message["bbo"]["bid"] == [102.0, 1.0]


def test_best_prices_are_not_repeated_when_only_deeper_levels_moved():
    book = HandMade()
    slot = published_slot(book)
    book.version += 1
    slot.changed(START + 10 * MS, best=False)
    assert "bbo" not in taken(slot, START + 100 * MS)


def test_an_invalidation_is_kept_although_the_book_is_live_again_before_it_was_sent():
    book = HandMade()
    slot = published_slot(book)
    book.become(BookState.SYNCING, "gap: had 10, got 12")
    slot.invalidated(START + MS, WALL, fence=1)
    book.become(BookState.LIVE)
    slot.changed(START + 2 * MS, best=True)
    urgent = codec.decode(slot.take_urgent()[0].payload)
    assert (urgent["state"], urgent["reason"], urgent["bids"]) == ("SYNCING", "gap: had 10, got 12", [])
    after = taken(slot, START + 30 * MS)["book"]
    assert after["state"] == "LIVE"
    assert after["version"] > urgent["version"]


def test_a_quiet_book_is_rewritten_every_two_seconds_under_the_same_version():
    book = HandMade()
    slot = published_slot(book)
    slot.rewrite(START + 1_999 * MS)
    assert not slot.waiting
    slot.rewrite(START + 2_000 * MS)
    ops, since_ns = slot.take(START + 2_000 * MS, WALL, fence=1)
    assert [op.name.split(":")[0] for op in ops] == ["book", "bbo"]
    assert codec.decode(ops[0].payload)["version"] == book.version
    assert since_ns is None


def test_the_full_book_goes_out_twice_a_second_at_most():
    book = HandMade(depth=0)
    slot = published_slot(book)
    book.move(101.0)
    slot.changed(START + 10 * MS, best=True)
    assert "full" not in taken(slot, START + 100 * MS)
    assert len(taken(slot, START + 500 * MS)["full"]["bids"]) == 60


def test_the_wait_is_counted_from_the_receipt_or_from_when_the_rate_allowed_it():
    book = HandMade(received_ns=WALL - 3 * MS)
    slot = slot_of(book)
    slot.changed(START, best=True)
    assert slot.take(START + 2 * MS, WALL, fence=1)[1] == WALL - 2 * MS
    book.received_ns, book.version = WALL + 40 * MS, 2
    slot.changed(START + 42 * MS, best=False)
    assert slot.take(START + 105 * MS, WALL + 105 * MS, fence=1)[1] == WALL + 102 * MS


def test_what_a_failed_write_took_is_due_again_and_trades_keep_their_order():
    slot = slot_of(HandMade())
    slot.traded(START, [trade(1), trade(2)])
    slot.changed(START, best=True)
    taken(slot, START)
    slot.traded(START + MS, [trade(3)])
    slot.failed(START + MS)
    message = taken(slot, START + MS)
    assert message["book"]["version"] == 1
    ids = [t["id"] for t in message["trades"]["trades"]]
    assert ids == ["1", "2", "3"]


def test_trades_beyond_the_bound_are_counted_as_skipped():
    slot = slot_of(HandMade())
    slot.traded(START, [trade(n) for n in range(70)])
    assert slot.skipped == 20


def test_the_key_of_a_tape_is_written_once_a_second_and_ends_with_the_last_trade():
    slot = slot_of(HandMade())
    slot.traded(START, [trade(1)])
    assert [op.ttl_s for op in slot.take(START, WALL, 1)[0]] == [0, -codec.TAPE_TTL_S]
    slot.traded(START + MS, [trade(2)])
    assert [op.ttl_s for op in slot.take(START + 100 * MS, WALL, 1)[0]] == [0]
    slot.rewrite(START + 1_000 * MS)
    ops, _ = slot.take(START + 1_000 * MS, WALL, 1)
    tape = [op for op in ops if op.name.startswith("trades")]
    assert [op.ttl_s for op in tape] == [-codec.TAPE_TTL_S]
    assert [t["id"] for t in codec.decode(tape[0].payload)["trades"]] == ["1", "2"]
