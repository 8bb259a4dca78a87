"""The books of paper accounts: wallets, positions, what is held, and every entry marked PAPER."""

from decimal import Decimal

import pytest

from apps.feeds.market import Side
from apps.feeds.orders import Balance, Balances, Fees, OrderStatus, OrderUpdate, Position, Positions, PositionSide
from apps.trading.paper.ledger import Entry, EntryKind, Holding
from apps.trading.tests.paper import FUTURES, SPOT, account, order, ref, show, statuses, trade

BUY, SELL = Side.BUY, Side.SELL
REJECTED, CANCELLED = OrderStatus.REJECTED, OrderStatus.CANCELLED


def wallet(paper, asset: str = "USDT") -> Balance:
    return next(row for row in paper.balances().rows if row.asset == asset)


def position(paper) -> Position:
    return paper.positions().rows[0]


def refusal(events) -> str:
    return next(each.text for each in events if isinstance(each, OrderUpdate) and each.status is REJECTED)


# spot


def test_a_spot_buy_changes_both_wallets_and_takes_its_fee_in_quote_currency():
    paper = account()
    show(paper, [(100, 50)], [(101, 30)])
    events = paper.place(order(BUY, 10), 1)
    entries = [each for each in events if isinstance(each, Entry)]
    assert [(each.kind, each.asset, each.amount) for each in entries] == [
        (EntryKind.TRADE, "A", 10),
        (EntryKind.TRADE, "USDT", -1010),
        (EntryKind.FEE, "USDT", Decimal("-2.02")),
    ]
    assert {(each.mode, each.account, each.client_order_id, each.trade_id) for each in entries} == {
        ("PAPER", "7", "c1", "PAPER-7-T1")
    }
    assert (wallet(paper).total, wallet(paper, "A").total) == (Decimal("98987.98"), 1010)


def test_after_each_change_the_wallets_are_told_as_an_exchange_does():
    paper = account()
    show(paper, [(100, 50)], [(101, 30)])
    events = paper.place(order(SELL, 10), 1)
    assert events[-1] == Balances(
        rows=[
            Balance(asset="A", free=Decimal(990), total=Decimal(990)),
            Balance(asset="USDT", free=Decimal(100_998), total=Decimal(100_998)),
        ],
        whole=False,
        exchange_ms=1,
    )


def test_a_resting_order_holds_what_it_may_take_until_it_is_gone():
    paper = account()
    show(paper, [(100, 50)], [(101, 30)])
    paper.place(order(BUY, 10, 100), 1)
    assert wallet(paper) == Balance(asset="USDT", free=Decimal(98_998), total=Decimal(100_000))
    paper.place(order(SELL, 10, 102, client_order_id="c2"), 2)
    assert wallet(paper, "A").free == 990
    for client_order_id in ("c1", "c2"):
        paper.cancel(ref(client_order_id), 3)
    assert (wallet(paper).free, wallet(paper, "A").free) == (100_000, 1_000)


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (order(BUY, 11, 100), "it takes 1102.2 USDT, 1100 is free"),
        (order(SELL, 6), "it takes 6 A, 5 is free"),
        (order(BUY, 11), "it takes 1113.222 USDT, 1100 is free"),
        (order(BUY, None, quote_amount=Decimal(1100)), "it takes 1102.2 USDT, 1100 is free"),
    ],
)
def test_what_the_account_cannot_pay_is_refused(new, told: str):
    paper = account(balances={"USDT": Decimal(1100), "A": Decimal(5)})
    show(paper, [(100, 50)], [(101, 8), (102, 30)] if new.amount != 11 else [(101, 30)])
    assert refusal(paper.place(new, 1)) == f"PAPER InsufficientFunds: {told}"


def test_a_rebate_comes_in():
    paper = account(fees=Fees(maker=Decimal("-0.001"), taker=Decimal("0.002")))
    show(paper, [(99, 5)], [(101, 30)])
    paper.place(order(BUY, 10, 100), 1)
    paper.show_trade(SPOT, trade(SELL, 99, 50, 2), 2)
    assert wallet(paper).total == 100_000 - 1_000 + 1


# futures


def futures(**options):
    paper = account(FUTURES, balances={"USDT": Decimal(10_000)}, **options)
    show(paper, [(100, 500)], [(101, 300)], instrument=FUTURES)
    return paper


def market(side: Side, amount: int, number: int, **options):
    return order(side, amount, instrument=FUTURES, client_order_id=f"m{number}", **options)


def test_a_position_has_its_average_entry_and_closing_it_realises_the_profit():
    paper = futures(fees=Fees(maker=Decimal(0), taker=Decimal(0)))
    paper.place(market(BUY, 10, 1), 1)
    show(paper, [(103, 500)], [(104, 300)], 2, instrument=FUTURES)
    paper.place(market(BUY, 20, 2), 3)
    assert (position(paper).amount, position(paper).entry_price) == (3, 103)
    show(paper, [(110, 500)], [(111, 300)], 4, instrument=FUTURES)
    events = paper.place(market(SELL, 20, 3), 5)
    assert [(each.kind, each.amount) for each in events if isinstance(each, Entry)] == [(EntryKind.PROFIT, 140)]
    assert (position(paper).amount, position(paper).entry_price, wallet(paper).total) == (1, 103, 10_140)


def test_a_position_can_be_turned_over():
    paper = futures(fees=Fees(maker=Decimal(0), taker=Decimal(0)))
    paper.place(market(BUY, 10, 1), 1)
    paper.place(market(SELL, 30, 2), 2)
    assert (position(paper).amount, position(paper).entry_price, wallet(paper).total) == (-2, 100, 9_990)


def test_a_closed_position_is_told_once_more_as_zero():
    paper = futures()
    paper.place(market(BUY, 10, 1), 1)
    events = paper.place(market(SELL, 10, 2), 2)
    told = [each for each in events if isinstance(each, Positions)]
    assert [(row.amount, row.entry_price) for row in told[-1].rows] == [(0, None)]
    assert paper.positions().rows == []


def test_margin_is_held_for_positions_and_orders_by_the_leverage():
    paper = futures(leverage=Decimal(5), fees=Fees(maker=Decimal(0), taker=Decimal(0)))
    paper.place(market(BUY, 10, 1), 1)
    assert wallet(paper).free == 10_000 - Decimal(1010) / 5
    paper.place(order(BUY, 20, 100, instrument=FUTURES), 2)
    assert wallet(paper).free == 10_000 - Decimal(1010) / 5 - 400


def test_what_only_closes_needs_no_margin():
    paper = futures(fees=Fees(maker=Decimal(0), taker=Decimal(0)))
    paper.place(market(BUY, 90, 1), 1)
    assert refusal(paper.place(market(BUY, 90, 2), 2)).startswith("PAPER InsufficientFunds")
    assert statuses(paper.place(market(SELL, 90, 3), 3))[-1] is OrderStatus.FILLED


def test_a_position_can_be_closed_once_and_what_goes_beyond_it_needs_margin():
    paper = account(FUTURES)
    show(paper, [(99, 10_000)], [(100, 10_000)], instrument=FUTURES)
    paper.place(order(BUY, 500, instrument=FUTURES), 1)  # half of the money
    opened = wallet(paper).free
    paper.place(order(SELL, 500, 101, client_order_id="c2", instrument=FUTURES), 2)
    assert wallet(paper).free == opened - Decimal("101")  # its fee alone
    events = paper.place(order(SELL, 500, 101, client_order_id="c3", instrument=FUTURES), 3)
    assert "InsufficientFunds" in refusal(events)
    paper.place(order(SELL, 400, 101, client_order_id="c4", instrument=FUTURES), 4)
    assert wallet(paper).free == opened - Decimal("101") - 400 * 101 * Decimal("1.002")
    show(paper, [(101, 10_000)], [(102, 10_000)], 5, instrument=FUTURES)
    assert (position(paper).amount, wallet(paper).free > 0) == (-40, True)


def test_reduce_only_closes_what_there_is_and_no_more():
    paper = futures()
    assert "nothing to reduce" in refusal(paper.place(market(SELL, 10, 1, reduce_only=True), 1))
    paper.place(market(BUY, 10, 2), 2)
    events = paper.place(market(SELL, 30, 3, reduce_only=True), 3)
    assert statuses(events)[-1] is CANCELLED
    assert paper.positions().rows == []


def test_a_resting_reduce_only_order_ends_when_its_position_is_gone():
    paper = futures()
    paper.place(market(BUY, 20, 1), 1)
    paper.place(order(SELL, 20, 105, instrument=FUTURES, reduce_only=True), 2)
    paper.place(market(SELL, 20, 3), 3)
    assert statuses(paper.show_trade(FUTURES, trade(BUY, 110, 500, 4), 4)) == [CANCELLED]
    assert paper.positions().rows == []


def test_in_hedge_mode_long_and_short_are_held_apart_and_closing_never_opens():
    paper = futures()
    paper.place(market(BUY, 10, 1, position_side=PositionSide.LONG), 1)
    paper.place(market(SELL, 20, 2, position_side=PositionSide.SHORT), 2)
    assert [(row.side, row.amount) for row in paper.positions().rows] == [
        (PositionSide.LONG, 1),
        (PositionSide.SHORT, -2),
    ]
    paper.place(market(SELL, 30, 3, position_side=PositionSide.LONG), 3)
    assert [(row.side, row.amount) for row in paper.positions().rows] == [(PositionSide.SHORT, -2)]


def test_a_part_that_is_closed_takes_its_share_of_the_cost():
    holding = Holding()
    holding.change(Decimal(3), Decimal(100))
    holding.change(Decimal(4), Decimal("100.5"))
    before = holding.cost
    profit = holding.change(Decimal(-5), Decimal(101))
    assert profit == 5 * 101 - (before - holding.cost)
    assert holding.cost / holding.amount == pytest.approx(before / 7)
