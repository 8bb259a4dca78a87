from collections.abc import Mapping

from apps.feeds.market import BookKey, MarketType
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.listings import instrument
from apps.monitoring.preview import Cost, Market, cost

MARKETS = {
    ("binance", MarketType.SPOT): Market(pairs_per_connection=2, topics_per_frame=3),
    ("okx", MarketType.SPOT): Market(pairs_per_connection=40, topics_per_frame=100),
}


def held(*pairs: str, exchange: str = "binance", depth: int = 20) -> dict[BookKey, Subscription]:
    found = [Subscription(instrument=instrument(pair, exchange), depth=depth) for pair in pairs]
    return {one.key: one for one in found}


def change(
    now: Mapping[BookKey, Subscription], then: Mapping[BookKey, Subscription], pairs: int = 500, sockets: int = 20
) -> Cost:
    return cost(now=now, then=then, markets=MARKETS, pair_slots=pairs, socket_slots=sockets, rates={})


def test_a_third_pair_opens_a_second_socket():
    found = change(held("A/B", "C/D"), held("A/B", "C/D", "E/F"))
    assert (found.books, found.sockets, found.subscribe_frames) == ((2, 3), (1, 2), 1)


def test_each_exchange_has_its_own_sockets():
    assert change({}, held("A/B") | held("A/B", exchange="okx")).sockets == (0, 2)


def test_book_and_trades_of_each_pair_fill_the_frames():
    assert change({}, held("A/B", "C/D", "E/F")).subscribe_frames == 2  # six topics, three a frame


def test_pairs_that_stay_are_not_interrupted():
    assert change(held("A/B"), held("A/B", "C/D")).interrupted == 0


def test_a_changed_depth_interrupts_its_own_book():
    assert change(held("A/B", "C/D"), held("A/B") | held("C/D", depth=50)).interrupted == 1


def test_what_is_over_capacity_does_not_fit():
    assert change({}, held("A/B", "C/D"), pairs=2).fits
    assert not change({}, held("A/B", "C/D"), pairs=1).fits
    assert not change({}, held("A/B", "C/D", "E/F"), sockets=1).fits


def test_a_new_book_is_taken_for_an_average_one():
    now = held("A/B", "C/D")
    rates = dict(zip(now, (10.0, 20.0), strict=True))
    found = cost(now=now, then=held("A/B", "C/D", "E/F"), markets=MARKETS, pair_slots=9, socket_slots=9, rates=rates)
    assert found.messages_s == (30.0, 45.0)
