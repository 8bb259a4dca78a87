"""What becomes of orders of a paper account: they do as well as the real book and tape allow, and never better."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.errors import DuplicateOrder, InvalidOrder, OrderIsFinal, UnknownOrder
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Fill, OrderStatus, OrderType, OrderUpdate, TimeInForce
from apps.trading.tests.paper import FUTURES, SPOT, account, fills, order, ref, show, statuses, trade

BUY, SELL = Side.BUY, Side.SELL
OPEN, PARTIAL, FILLED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.FILLED
CANCELLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.REJECTED
BIDS, ASKS = [(100, 5), (99, 8)], [(101, 3), (102, 4)]


# taking


def test_a_market_order_walks_the_book_and_pays_the_taker_s_fee():
    paper = account()
    show(paper, BIDS, ASKS)
    events = paper.place(order(BUY, 5), 1)
    assert fills(events) == [(101, 3, False), (102, 2, False)]
    assert statuses(events) == [OPEN, PARTIAL, FILLED]
    assert [each.fee for each in events if isinstance(each, Fill)] == [Decimal("0.606"), Decimal("0.408")]
    assert paper.order(ref()).average_price == Decimal("101.4")


def test_what_the_book_cannot_fill_of_a_market_order_is_cancelled():
    paper = account()
    show(paper, BIDS, ASKS)
    events = paper.place(order(BUY, 10), 1)
    assert fills(events) == [(101, 3, False), (102, 4, False)]
    assert statuses(events)[-1] is CANCELLED


def test_displayed_volume_is_taken_once_until_more_is_displayed():
    paper = account()
    show(paper, BIDS, ASKS)
    paper.place(order(BUY, 3), 1)
    assert fills(paper.place(order(BUY, 1, client_order_id="c2"), 2)) == [(102, 1, False)]
    show(paper, BIDS, [(101, 5), (102, 4)], 3)
    assert fills(paper.place(order(BUY, 4, client_order_id="c3"), 4)) == [(101, 2, False), (102, 2, False)]


def test_a_level_that_went_and_came_back_is_there_to_be_taken():
    paper = account()
    show(paper, BIDS, ASKS)
    paper.place(order(BUY, 3), 1)
    show(paper, BIDS, [(102, 4)], 2)
    show(paper, BIDS, ASKS, 3)
    assert fills(paper.place(order(BUY, 3, client_order_id="c2"), 4)) == [(101, 3, False)]


def test_a_market_buy_spends_its_quote_amount_in_whole_lots():
    paper = account()
    show(paper, BIDS, ASKS)
    events = paper.place(order(BUY, None, quote_amount=Decimal(450)), 1)
    assert fills(events) == [(101, 3, False), (102, 1, False)]
    assert statuses(events)[-1] is FILLED


def test_an_ioc_takes_what_its_limit_allows_and_the_rest_is_cancelled():
    paper = account()
    show(paper, BIDS, ASKS)
    events = paper.place(order(BUY, 5, 101, tif=TimeInForce.IOC), 1)
    assert fills(events) == [(101, 3, False)]
    assert statuses(events) == [OPEN, PARTIAL, CANCELLED]


def test_a_limit_order_takes_what_crosses_and_the_rest_of_it_rests():
    paper = account()
    show(paper, BIDS, ASKS)
    events = paper.place(order(BUY, 5, 101), 1)
    assert fills(events) == [(101, 3, False)]
    assert [each.status for each in paper.open_orders()] == [PARTIAL]


def test_a_post_only_order_that_would_take_is_refused_whole():
    paper = account()
    show(paper, BIDS, ASKS)
    events = paper.place(order(BUY, 5, 101, tif=TimeInForce.POST_ONLY), 1)
    assert [(each.status, each.text) for each in events if isinstance(each, OrderUpdate)] == [
        (REJECTED, "PAPER WouldTake: post-only, and it would have traded at once")
    ]
    assert paper.open_orders() == []


# resting


def resting(side: Side = BUY, amount: int = 4, price: int = 100):
    """An order behind the five at 100 (or the three at 101), since ms 1."""
    paper = account()
    show(paper, BIDS, ASKS)
    paper.place(order(side, amount, price), 1)
    return paper


def test_it_fills_after_what_was_ahead_of_it_has_traded_and_pays_the_maker_s_fee():
    paper = resting()
    assert fills(paper.show_trade(SPOT, trade(SELL, 100, 3, 2), 2)) == []
    events = paper.show_trade(SPOT, trade(SELL, 100, 4, 3), 3)
    assert fills(events) == [(100, 2, True)]
    assert [each.fee for each in events if isinstance(each, Fill)] == [Decimal("0.2")]
    events = paper.show_trade(SPOT, trade(SELL, 100, 9, 4), 4)
    assert (fills(events), statuses(events)) == ([(100, 2, True)], [FILLED])


def test_a_sell_waits_in_its_queue_as_well():
    paper = resting(SELL, 4, 101)
    assert fills(paper.show_trade(SPOT, trade(BUY, 101, 3, 2), 2)) == []
    assert fills(paper.show_trade(SPOT, trade(BUY, 101, 3, 3), 3)) == [(101, 3, True)]


def test_trades_of_the_other_side_at_its_price_do_not_move_it():
    paper = resting()
    for at in (2, 3):
        assert fills(paper.show_trade(SPOT, trade(BUY, 100, 50, at), at)) == []
        assert fills(paper.show_trade(SPOT, trade(Side.UNKNOWN, 100, 50, at), at)) == []


def test_a_price_that_trades_through_fills_it_with_what_was_traded_there():
    paper = resting()
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 3, 2), 2)) == [(100, 3, True)]


def test_a_book_that_crosses_its_price_fills_it_at_its_price_with_what_is_displayed_once():
    paper = resting()
    assert fills(show(paper, [(98, 1)], [(99, 1), (100, 2)], 2)) == [(100, 1, True), (100, 2, True)]
    assert fills(show(paper, [(98, 2)], [(99, 1), (100, 2)], 3)) == []
    assert fills(show(paper, [(98, 2)], [(99, 1), (100, 3)], 4)) == [(100, 1, True)]


def test_cancels_of_others_do_not_move_it_up_unless_less_is_left_than_was_ahead():
    paper = resting()
    show(paper, [(100, 9), (99, 8)], ASKS, 2)  # four more join behind
    show(paper, [(100, 6), (99, 8)], ASKS, 3)  # three leave: taken to be from behind
    assert fills(paper.show_trade(SPOT, trade(SELL, 100, 5, 4), 4)) == []
    show(paper, [(100, 1), (99, 8)], ASKS, 4)
    assert fills(paper.show_trade(SPOT, trade(SELL, 100, 1, 5), 5)) == [(100, 1, True)]


def test_less_than_what_was_ahead_is_all_that_is_ahead():
    paper = resting()
    show(paper, [(100, 1), (99, 8)], ASKS, 2)
    assert fills(paper.show_trade(SPOT, trade(SELL, 100, 2, 5_000), 5_000)) == [(100, 1, True)]


def test_a_trade_that_is_told_after_the_book_that_shows_it_moves_it_up_once():
    paper = resting()
    show(paper, [(100, 1), (99, 8)], ASKS, 2)  # four have gone
    assert fills(paper.show_trade(SPOT, trade(SELL, 100, 4, 2), 3)) == []  # by this trade
    assert fills(paper.show_trade(SPOT, trade(SELL, 100, 2, 4), 4)) == [(100, 1, True)]


def test_a_trade_that_the_book_it_joined_shows_already_does_not_count():
    paper = account()
    show(paper, BIDS, ASKS, 10)
    paper.place(order(BUY, 4, 100), 11)
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 50, 10), 12)) == []
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 50, 11), 12)) == [(100, 4, True)]


def test_where_books_tell_no_time_trades_told_soon_after_it_joined_do_not_count():
    paper = account()
    show(paper, BIDS, ASKS, 10, exchange_ms=None)
    paper.place(order(BUY, 4, 100), 11)
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 50, 900), 900)) == []
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 50, 2_011), 2_011)) == [(100, 4, True)]


def test_below_what_is_displayed_nobody_knows_the_queue_until_the_level_is_seen():
    paper = account()
    show(paper, BIDS, ASKS, whole=False)
    paper.place(order(BUY, 4, 98), 1)
    assert fills(paper.show_trade(SPOT, trade(SELL, 98, 50, 2), 2)) == []
    show(paper, [(98, 7)], ASKS, 3, whole=False)
    assert fills(paper.show_trade(SPOT, trade(SELL, 98, 8, 4), 4)) == [(98, 1, True)]


def test_two_of_our_orders_share_a_trade_the_better_price_and_the_older_first():
    paper = account()
    show(paper, [(99, 1)], [(105, 1)])
    for number, price in enumerate((100, 101, 101), 1):
        paper.place(order(BUY, 2, price, client_order_id=f"c{number}"), number)
    events = paper.show_trade(SPOT, trade(SELL, 98, 5, 10), 10)
    filled = [(each.client_order_id, int(each.amount)) for each in events if isinstance(each, Fill)]
    assert filled == [("c2", 2), ("c3", 2), ("c1", 1)]


def test_parts_of_a_lot_do_not_fill():
    paper = account()
    show(paper, [(99, 1)], [(105, 1)])
    paper.place(order(BUY, 2, 100), 1)
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 1.7, 2), 2)) == [(100, 1, True)]


# the way there, the book, cancels


def test_an_order_meets_the_book_as_it_is_when_it_arrives():
    paper = account(latency_ms=50)
    show(paper, BIDS, ASKS)
    assert paper.place(order(BUY, 3), 100) == []
    show(paper, BIDS, [(104, 3)], 149)
    assert fills(show(paper, BIDS, ASKS, 151)) == [(104, 3, False)]


def test_an_order_on_its_way_is_not_open_yet():
    paper = account(latency_ms=50)
    show(paper, BIDS, ASKS)
    paper.place(order(BUY, 3, 99), 100)
    assert (paper.open_orders(), paper.order(ref()).status) == ([], OrderStatus.PENDING)
    assert statuses(paper.advance(150)) == [OPEN]


def test_a_cancel_takes_its_time_and_a_fill_may_come_before_it():
    paper = resting()
    paper._latency_ms = 50
    paper.cancel(ref(), 100)
    assert fills(paper.show_trade(SPOT, trade(SELL, 99, 1, 120), 120)) == [(100, 1, True)]
    events = paper.advance(150)
    assert [(each.status, each.filled, each.text) for each in events if isinstance(each, OrderUpdate)] == [
        (CANCELLED, 1, "PAPER cancelled by us")
    ]
    assert fills(paper.show_trade(SPOT, trade(SELL, 90, 50, 160), 160)) == []


def test_a_cancel_that_comes_too_late_changes_nothing():
    paper = resting()
    paper._latency_ms = 50
    paper.cancel(ref(), 100)
    paper.show_trade(SPOT, trade(SELL, 99, 9, 120), 120)
    assert paper.advance(150) == []
    assert paper.order(ref()).status is FILLED
    with pytest.raises(OrderIsFinal, match="FILLED"):
        paper.cancel(ref(), 160)


def test_an_order_that_nobody_placed_is_unknown():
    paper = account()
    for ask in (paper.order, lambda each: paper.cancel(each, 1)):
        with pytest.raises(UnknownOrder):
            ask(ref("c9"))


def test_final_orders_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("apps.trading.paper.kept.KEPT", 2)
    paper = account()
    show(paper, BIDS, ASKS)
    for number in range(3):
        paper.place(order(SELL, 1, client_order_id=f"c{number}"), number)
    assert paper.order(ref("c1")).status is FILLED
    with pytest.raises(UnknownOrder):
        paper.order(ref("c0"))


def test_an_order_can_be_asked_for_by_the_id_that_it_was_given():
    paper = resting()
    told = paper.order(ref())
    assert told.exchange_order_id == "PAPER-7-1"
    assert paper.order(replace(ref(), client_order_id=None, exchange_order_id="PAPER-7-1")) == told


def test_without_a_live_book_orders_are_refused_and_what_rests_stays():
    paper = resting()
    paper.hide_book(SPOT, 2)
    events = paper.place(order(BUY, 1, client_order_id="c2"), 3)
    assert [each.text for each in events if isinstance(each, OrderUpdate)] == [
        "PAPER UnknownSymbol: the book is not live"
    ]
    assert [each.client_order_id for each in paper.open_orders()] == ["c1"]
    show(paper, BIDS, ASKS, 4)
    assert statuses(paper.place(order(BUY, 1, client_order_id="c3"), 5))[-1] is FILLED


def test_an_order_that_arrives_after_its_expiry_is_refused():
    paper = account(latency_ms=50)
    show(paper, BIDS, ASKS)
    paper.place(order(BUY, 1, expires_ms=120), 100)
    [update] = paper.advance(200)
    assert (update.status, update.text) == (REJECTED, "PAPER RequestExpired: it came 30 ms too late")


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (order(BUY, 1, instrument=replace(SPOT, market_type=MarketType.FUTURES)), "not of this account's market"),
        (order(BUY, 1, 100, instrument=replace(SPOT, lot=Decimal(2))), "not a positive multiple of the lot"),
        (order(BUY, 1, 101, instrument=replace(SPOT, tick=Decimal(2))), "not a positive multiple of the tick"),
        (order(BUY, 1, 101, instrument=replace(SPOT, min_amount=Decimal(2))), "too small"),
        (order(BUY, 1, 101, instrument=replace(SPOT, min_notional=Decimal(200))), "worth too little"),
        (order(SELL, 1, 101, reduce_only=True), "are for futures"),
        (order(SELL, None, quote_amount=Decimal(5)), "only buys"),
    ],
)
def test_what_no_exchange_takes_is_not_sent(new, why: str):
    with pytest.raises(InvalidOrder, match=why):
        account().place(new, 1)


def test_the_id_of_a_working_order_is_taken():
    paper = resting()
    with pytest.raises(DuplicateOrder):
        paper.place(order(BUY, 1, 99), 2)


def test_events_count_contracts_where_the_exchange_does():
    paper = account(FUTURES)
    show(paper, [(100, 50)], [(101, 30)], instrument=FUTURES)
    events = paper.place(order(BUY, 40, 101, instrument=FUTURES), 1)
    assert fills(events) == [(101, 3, False)]
    update = paper.order(ref(instrument=FUTURES))
    assert (update.amount, update.filled) == (4, 3)


FIVE_DIGITS = replace(SPOT, tick=Decimal("0.01"), lot=Decimal("0.001"), price_digits=5)


@pytest.mark.parametrize("price", ["1234.56", "12345.6", "100000.5", "99.999"])
def test_a_price_of_more_digits_than_the_exchange_takes_is_refused(price: str):
    wanted = order(BUY, 1, instrument=FIVE_DIGITS)
    with pytest.raises(InvalidOrder, match="tick"):
        account().place(replace(wanted, type=OrderType.LIMIT, price=Decimal(price)), 1)


@pytest.mark.parametrize("price", ["1234.5", "12345", "123456", "99.99"])
def test_a_price_of_as_many_digits_as_the_exchange_takes_is_accepted(price: str):
    paper = account(balances={"USDT": Decimal(1_000_000)})
    show(paper, [(90, 5)], [(900_000, 3)], instrument=FIVE_DIGITS)
    wanted = order(BUY, 1, instrument=FIVE_DIGITS)
    assert statuses(paper.place(replace(wanted, type=OrderType.LIMIT, price=Decimal(price)), 1)) == [OPEN]


def test_an_amount_finer_than_the_lot_is_refused():
    wanted = order(BUY, 1, 100, instrument=FIVE_DIGITS)
    with pytest.raises(InvalidOrder, match="lot"):
        account().place(replace(wanted, amount=Decimal("0.0005")), 1)
