"""The simulator's order desk: what it takes, what it refuses and why, what it holds back, what it tells."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.listings import Scale
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.rules import Least
from apps.feeds.simulator.trading.tickets import Ended, Reason, Refused
from apps.feeds.tests.still_market import StillDesk, open_with, ticket

START = {"BTC": 100, "USDT": 10_000}


def refused(act: Callable[[], Any]) -> Reason:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.reason


def stand(**rules: Any) -> tuple[StillDesk, Account]:
    """Anonymous volume of 10 at 100 to buy from and of 10 at 98 to sell to."""
    desk = StillDesk(**rules)
    for market_type in ("spot", "futures"):
        desk.volume(market_type, 100, 10)
        desk.volume(market_type, -98, 10)
    return desk, open_with(desk, "anna", **START)


def free(account: Account, asset: str, market_type: str = "spot") -> Decimal:
    return account.holding(market_type, asset).free


def ended(order: Order) -> tuple[str, Ended | None, int]:
    return order.status, order.ended, order.filled


def test_a_resting_order_holds_its_money_back_and_a_cancel_gives_it_back() -> None:
    desk, anna = stand()
    order = desk.place(anna, ticket("buy", 5, 99))
    assert (order.status, free(anna, "USDT"), anna.holding("spot", "USDT").locked) == ("open", 10_000 - 495, 495)
    desk.cancel(anna, order)
    assert (ended(order), free(anna, "USDT")) == (("cancelled", Ended.CLIENT, 0), 10_000)


def test_a_taker_gets_the_price_of_the_book_and_pays_its_fee_in_what_it_receives() -> None:
    desk, anna = stand()
    order = desk.place(anna, ticket("buy", 4, 105))
    assert (order.status, order.average) == ("filled", 100)
    assert anna.holding("spot", "USDT").total == 10_000 - 400
    assert anna.holding("spot", "BTC").total == 100 + 4 - Decimal("0.004")
    assert anna.holding("spot", "USDT").locked == 0


def test_fees_are_taken_in_quote_where_the_exchange_does_so() -> None:
    desk, anna = stand(fee_in="quote")
    desk.place(anna, ticket("buy", 4, 105))
    assert anna.holding("spot", "BTC").total == 104
    assert anna.holding("spot", "USDT").total == 10_000 - 400 - Decimal("0.4")


def test_volume_that_was_there_first_is_ahead_and_an_anonymous_taker_fills_in_order() -> None:
    desk, anna = stand()
    order = desk.place(anna, ticket("buy", 5, 98))
    listing = desk.markets["spot", "BTCUSDT"].listing
    assert desk.trade(listing, "sell", 12) == 12
    assert (order.status, order.filled) == ("partial", 2)
    assert order.executions[0].is_maker
    assert [(trade.side, trade.price, trade.size) for trade in desk.shown.trades] == [("sell", 98, 10), ("sell", 98, 2)]


def test_anonymous_volume_that_is_cancelled_leaves_from_behind() -> None:
    desk, anna = stand()
    order = desk.place(anna, ticket("buy", 5, 98))
    desk.volume("spot", -98, 30)
    desk.volume("spot", -98, 4)
    desk.fill(order, 1)
    assert sum(trade.size for trade in desk.shown.trades) == 5
    assert order.filled == 1


def test_two_accounts_trade_with_each_other_and_the_public_is_told_once() -> None:
    desk, anna = stand()
    boris = open_with(desk, "boris", **START)
    resting = desk.place(anna, ticket("buy", 5, 99))
    taking = desk.place(boris, ticket("sell", 3, 99))
    assert (resting.filled, taking.filled) == (3, 3)
    assert [(trade.side, trade.price, trade.size) for trade in desk.shown.trades] == [("sell", 99, 3)]
    assert resting.executions[0].number == taking.executions[0].number == desk.shown.trades[0].number


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        (ticket("buy", 25, 100, force="ioc"), ("cancelled", Ended.IOC, 10)),
        (ticket("buy", 25, 100, force="fok"), ("cancelled", Ended.FOK, 0)),
        (ticket("buy", 25), ("cancelled", Ended.IOC, 10)),
        (ticket("buy", 10, 100, force="fok"), ("filled", None, 10)),
        (ticket("buy", 5, 99, force="post"), ("open", None, 0)),
        (ticket("buy", None, quote_size=Decimal(250)), ("filled", None, 2)),
    ],
)
def test_each_force_ends_as_it_should(asked: Any, end: Any) -> None:
    desk, anna = stand()
    order = desk.place(anna, asked)
    assert ended(order) == end
    assert (order in anna.open.values()) == (end[0] == "open")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (ticket("buy", 1, 99, symbol="NOCOIN"), Reason.UNKNOWN_SYMBOL),
        (ticket("buy", 1, Decimal("99.5")), Reason.OFF_TICK),
        (ticket("buy", 1, Decimal(-1)), Reason.OFF_TICK),
        (ticket("buy", Decimal("1.5"), 99), Reason.OFF_LOT),
        (ticket("buy", Decimal("0.5"), 99), Reason.TOO_SMALL),
        (ticket("buy", 0, 99), Reason.TOO_SMALL),
        (ticket("buy", 1, 4), Reason.TOO_SMALL),
        (ticket("buy", None, quote_size=Decimal(50)), Reason.TOO_SMALL),
        (ticket("buy", 200, 99), Reason.INSUFFICIENT_FUNDS),
        (ticket("sell", 101, 105), Reason.INSUFFICIENT_FUNDS),
        (ticket("buy", 1, 100, force="post"), Reason.WOULD_TAKE),
        (ticket("buy", 1, 99, "futures", position_side="long"), Reason.POSITION_SIDE),
        (ticket("buy", 1, 99, "futures", reduce_only=True), Reason.REDUCE_ONLY),
        (ticket("buy", 3000, 99, "futures"), Reason.INSUFFICIENT_FUNDS),
    ],
)
def test_what_is_refused_changes_nothing(asked: Any, reason: Reason) -> None:
    desk, anna = stand(least=lambda listing: Least(Decimal(1), Decimal(5)))
    assert refused(lambda: desk.place(anna, asked)) == reason
    assert (desk.accepted, anna.orders, free(anna, "USDT"), free(anna, "BTC")) == ([], {}, 10_000, 100)


def test_a_post_only_order_that_would_take_is_accepted_and_cancelled_where_the_exchange_does_so() -> None:
    desk, anna = stand(post_only="cancel")
    assert ended(desk.place(anna, ticket("buy", 1, 100, force="post"))) == ("cancelled", Ended.POST_ONLY, 0)
    assert len(desk.accepted) == 1


def test_an_expired_request_is_refused_at_the_matcher_and_only_there() -> None:
    for expiry, reason in (("matcher", Reason.EXPIRED), ("gateway", None)):
        desk, anna = stand(expiry=expiry)
        late = ticket("buy", 1, 99, expires_ms=desk.ms - 1)
        if reason is not None:
            assert refused(lambda: desk.place(anna, late)) == reason  # noqa: B023 (called at once)
        else:
            assert desk.place(anna, late).status == "open"


def test_futures_may_have_their_own_ids_and_their_own_rule_for_the_clients() -> None:
    desk, anna = stand(unique="never", futures_unique="open", order_id="S{}".format, futures_order_id="F{}".format)
    spot = [desk.place(anna, ticket("buy", 1, 99, client_id="one")) for _ in range(2)]
    futures = desk.place(anna, ticket("buy", 1, 99, market_type="futures", client_id="one"))
    assert [order.id[0] for order in (*spot, futures)] == ["S", "S", "F"]
    again = ticket("buy", 1, 99, market_type="futures", client_id="one")
    assert refused(lambda: desk.place(anna, again)) == Reason.DUPLICATE_ID


@pytest.mark.parametrize(
    ("unique", "while_open", "after", "a_day_later"),
    [
        ("never", True, True, True),
        ("open", False, True, True),
        ("day", False, False, True),
        ("forever", False, False, False),
    ],
)
def test_a_client_id_is_taken_for_as_long_as_the_exchange_says(
    unique: str, while_open: bool, after: bool, a_day_later: bool
) -> None:
    desk, anna = stand(unique=unique)

    def taken() -> bool:
        try:
            desk.cancel(anna, desk.place(anna, ticket("buy", 1, 99, client_id="mine")))
        except Refused as refusal:
            return refusal.reason != Reason.DUPLICATE_ID
        return True

    first = desk.place(anna, ticket("buy", 1, 99, client_id="mine"))
    assert taken() == while_open
    desk.cancel(anna, first)
    assert taken() == after
    desk.ms += 86_400_001
    assert taken() == a_day_later


def test_an_order_is_found_by_either_id_and_not_by_ids_of_two_orders() -> None:
    desk, anna = stand()
    one = desk.place(anna, ticket("buy", 1, 99, client_id="one"))
    two = desk.place(anna, ticket("buy", 1, 97, client_id="two"))
    assert desk.find(anna, "spot", id=one.id) is desk.find(anna, "spot", client_id="one") is one
    assert desk.open_orders(anna, "spot") == [one, two]
    assert refused(lambda: desk.find(anna, "spot", id=one.id, client_id="two")) == Reason.UNKNOWN_ORDER
    assert refused(lambda: desk.find(anna, "futures", client_id="one")) == Reason.UNKNOWN_ORDER
    assert refused(lambda: desk.find(open_with(desk, "boris"), "spot", id=one.id)) == Reason.UNKNOWN_ORDER


def test_an_order_can_be_hidden_from_queries_but_not_from_its_cancel() -> None:
    desk, anna = stand()
    desk.faults.begin("not_found", "anna", seconds=2.0)
    order = desk.place(anna, ticket("buy", 1, 99))
    assert refused(lambda: desk.find(anna, "spot", id=order.id)) == Reason.UNKNOWN_ORDER
    assert desk.open_orders(anna, "spot") == []
    assert desk.find(anna, "spot", id=order.id, to_cancel=True) is order
    desk.ms += 2_001
    assert desk.open_orders(anna, "spot") == [order]


def test_a_final_order_cannot_be_cancelled() -> None:
    desk, anna = stand()
    order = desk.place(anna, ticket("buy", 1, 100))
    assert refused(lambda: desk.cancel(anna, order)) == Reason.ALREADY_FINAL


def test_cancel_all_leaves_other_symbols_and_other_accounts_alone() -> None:
    desk, anna = stand()
    spot = desk.place(anna, ticket("buy", 1, 99))
    futures = desk.place(anna, ticket("buy", 1, 99, "futures"))
    boris = open_with(desk, "boris", **START)
    other = desk.place(boris, ticket("buy", 1, 99))
    assert desk.cancel_all(anna, "spot", "BTCUSDT") == [spot]
    assert (futures.status, other.status) == ("open", "open")


@pytest.mark.parametrize(
    ("manner", "maker", "taker"),
    [
        ("", ("filled", None), ("filled", None)),
        ("maker", ("cancelled", Ended.SELF_TRADE), ("open", None)),
        ("taker", ("open", None), ("cancelled", Ended.SELF_TRADE)),
        ("both", ("cancelled", Ended.SELF_TRADE), ("cancelled", Ended.SELF_TRADE)),
    ],
)
def test_an_account_that_meets_itself_is_parted_as_it_asked(manner: str, maker: Any, taker: Any) -> None:
    desk, anna = stand()
    resting = desk.place(anna, ticket("buy", 2, 99))
    taking = desk.place(anna, ticket("sell", 2, 99, self_trade=manner))
    assert ((resting.status, resting.ended), (taking.status, taking.ended)) == (maker, taker)


def test_a_position_is_opened_turned_and_closed_with_its_profit() -> None:
    desk, anna = stand()
    desk.place(anna, ticket("buy", 4, 100, "futures"))
    position = anna.positions["BTCUSDT", "net"]
    assert (position.size, position.entry, position.margin) == (4, 100, 20)
    desk.place(anna, ticket("sell", 6, 98, "futures"))
    assert (position.size, position.entry, position.realised) == (-2, 98, -8)
    desk.volume("futures", 97, 5)
    desk.place(anna, ticket("buy", 2, 97, "futures"))
    assert (position.size, position.entry, position.realised) == (0, 0, -6)
    holding = anna.holding("futures", "USDT")
    fees = Decimal("0.0005") * (400 + 588 + 194)
    assert (holding.total, holding.locked) == (10_000 - 6 - fees, 0)


def test_hedge_mode_holds_both_sides_and_closes_no_more_than_there_is() -> None:
    desk, _ = stand()
    boris = open_with(desk, "boris", hedge=True, **START)
    desk.place(boris, ticket("buy", 3, 100, "futures", position_side="long"))
    desk.place(boris, ticket("sell", 2, 98, "futures", position_side="short"))
    sizes = {side: position.size for (_, side), position in boris.positions.items()}
    assert sizes == {"long": 3, "short": -2}
    too_much = ticket("buy", 3, 100, "futures", position_side="short")
    assert refused(lambda: desk.place(boris, too_much)) == Reason.REDUCE_ONLY
    desk.place(boris, ticket("buy", 2, 100, "futures", position_side="short"))
    assert boris.positions["BTCUSDT", "short"].size == 0
    assert refused(lambda: desk.place(boris, ticket("buy", 1, 99, "futures"))) == Reason.POSITION_SIDE


def test_a_reduce_only_order_is_trimmed_where_the_exchange_does_so() -> None:
    desk, anna = stand(reduce_only="trim")
    desk.place(anna, ticket("buy", 3, 100, "futures"))
    assert desk.place(anna, ticket("sell", 5, 105, "futures", reduce_only=True)).size == 3


def test_reduce_only_orders_end_with_the_position() -> None:
    desk, anna = stand()
    desk.place(anna, ticket("buy", 3, 100, "futures"))
    closing = desk.place(anna, ticket("sell", 3, 105, "futures", reduce_only=True))
    desk.place(anna, ticket("sell", 1, 98, "futures"))
    assert ended(closing) == ("cancelled", Ended.REDUCE_ONLY, 0)


def test_leverage_changes_the_margin_of_what_is_held() -> None:
    desk, anna = stand()
    desk.place(anna, ticket("buy", 4, 100, "futures"))
    desk.set_leverage(anna, "BTCUSDT", 10, "isolated")
    assert anna.holding("futures", "USDT").locked == 40
    assert anna.positions["BTCUSDT", "net"].mode == "isolated"
    assert refused(lambda: desk.set_leverage(anna, "BTCUSDT", 126)) == Reason.LEVERAGE


def test_funding_is_paid_by_the_long_and_received_by_the_short() -> None:
    desk, anna = stand()
    boris = open_with(desk, "boris", **START)
    desk.place(anna, ticket("buy", 4, 100, "futures"))
    desk.place(boris, ticket("sell", 4, 98, "futures"))
    assert desk.pay_funding(desk.markets["futures", "BTCUSDT"].listing, Decimal("0.01")) == 2
    assert ([row.amount for row in anna.funding], [row.amount for row in boris.funding]) == (
        [Decimal("-3.96")],
        [Decimal("3.96")],
    )


def test_one_wallet_can_serve_both_markets() -> None:
    desk, anna = stand(wallets={"spot": "unified", "futures": "unified"})
    desk.place(anna, ticket("buy", 5, 99))
    assert free(anna, "USDT", "futures") == 10_000 - 495


def test_the_accept_log_keeps_what_was_accepted_and_nothing_else() -> None:
    desk, anna = stand()
    order = desk.place(anna, ticket("buy", 5, 99, client_id="mine"))
    refused(lambda: desk.place(anna, ticket("buy", 5, 99, client_id="mine")))
    desk.cancel(anna, order)
    assert [(row.account, row.client_id, row.order) for row in desk.accepted] == [("anna", "mine", order)]


def test_the_clock_of_the_exchange_can_be_off() -> None:
    desk, _ = stand()
    desk.faults.begin("clock_drift", None, seconds=-2.5)
    assert desk.now_ms() == desk.ms - 2_500


def test_a_short_position_is_written_with_its_sign() -> None:
    assert Scale(Decimal("0.001")).text(-4) == "-0.004"
    assert Scale(Decimal("0.001"), 5).text(-1996) == "-1.99600"


def test_the_mark_is_the_middle_of_the_book_and_of_half_a_book_the_last_price() -> None:
    desk, anna = stand()
    listing = desk.market("spot", "BTCUSDT").listing
    assert desk.mark(listing) == 99
    desk.place(anna, ticket("buy", 10, 100))
    assert desk.mark(listing) == 100
