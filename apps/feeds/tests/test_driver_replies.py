"""What an answer means that is not the one asked for."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.drivers import asked, money, replies, wire
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import (
    Banned,
    InsufficientFunds,
    InvalidOrder,
    MalformedFrame,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
)
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import NewOrder, OrderType, PositionSide, TimeInForce

TABLE = {-1: InsufficientFunds, -2: OutcomeUnknown, -3: Retryable, -4: RateLimited}
BTC = Instrument(
    exchange="toy",
    market_type=MarketType.SPOT,
    pair="BTC/USDT",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.001"),
)

SWAP = replace(BTC, market_type=MarketType.FUTURES)


def answer(status=400, body=b"{}", **headers):
    return Answer(status=status, body=body, headers=headers)


def asked_for(**changes):
    order = {
        "instrument": BTC,
        "client_order_id": "ct1",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": 2_000,
        "amount": Decimal("0.010"),
        "price": Decimal("100.10"),
    }
    return NewOrder(**(order | changes))


def raised(kind, *args, **options):
    with pytest.raises(kind) as caught:
        replies.refuse(*args, **options)
    assert type(caught.value) is kind
    return caught.value


def test_a_code_of_the_table_is_its_class_with_code_and_text():
    error = raised(InsufficientFunds, answer(), -1, "no money", TABLE, order=True)
    assert (error.code, str(error)) == ("-1", "-1: no money")


def test_an_unknown_code_leaves_an_orders_fate_open_and_refuses_a_read():
    assert raised(OutcomeUnknown, answer(), -9, "what?", TABLE, order=True).code == "-9"
    assert raised(Refused, answer(), -9, "what?", TABLE, order=False).code == "-9"


def test_an_unknown_outcome_of_a_read_is_only_a_reason_to_read_again():
    raised(OutcomeUnknown, answer(), -2, "timeout", TABLE, order=True)
    raised(Retryable, answer(), -2, "timeout", TABLE, order=False)


def test_a_gateways_error_proves_nothing_of_an_order():
    raised(OutcomeUnknown, answer(502), None, "", TABLE, order=True)
    raised(Retryable, answer(502), None, "", TABLE, order=False)


def test_a_definite_code_counts_whatever_the_status():
    raised(InsufficientFunds, answer(503), -1, "no money", TABLE, order=True)


def test_a_body_that_is_not_the_exchanges_own_says_nothing_of_an_order():
    raised(OutcomeUnknown, answer(404, b"<html>"), None, "", TABLE, order=True)
    raised(MalformedFrame, answer(404, b"<html>"), None, "", TABLE, order=False)


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (418, Banned), (403, Banned)])
def test_limits_and_bans_last_as_long_as_the_exchange_says(status, kind):
    assert raised(kind, answer(status, **{"retry-after": "17"}), None, "", TABLE, order=True).after_s == 17.0
    assert raised(kind, answer(status), None, "", TABLE, order=True).after_s == replies.STAY_AWAY_S[status]


def test_a_limit_told_by_code_takes_the_time_of_the_status():
    assert raised(RateLimited, answer(429, **{"retry-after": "9"}), -4, "slow", TABLE, order=True).after_s == 9.0
    assert raised(RateLimited, answer(200), -4, "slow", TABLE, order=True).after_s == 1.0


def test_an_answer_that_cannot_be_read_leaves_an_orders_fate_open():
    shape = wire.decoder(dict[str, int])
    with pytest.raises(OutcomeUnknown):
        replies.read(shape, answer(200, b'{"a":"b"}'), order=True)
    with pytest.raises(MalformedFrame):
        replies.read(shape, answer(200, b'{"a":"b"}'), order=False)
    assert replies.read(shape, answer(200, b'{"a":1}'), order=True) == {"a": 1}
    assert replies.told(shape, answer(403, b"<html>")) is None


def test_an_answer_larger_than_any_account_is_not_read():
    shape = wire.decoder(dict[str, int])
    large = answer(200, b'{"a":1}' + b" " * replies.MAX_ANSWER)
    with pytest.raises(MalformedFrame):
        replies.read(shape, large, order=False)
    assert replies.told(shape, large) is None


def test_what_looks_like_a_key_is_not_repeated():
    told = replies.readable("error sign! origin_string[1658384314791abcDEF123450005000] for 9rFT6uR4uz9Imkw4Wx")
    assert told == "error sign! origin_string[[hidden]] for [hidden]"
    words = "order-accountbalance-error, EC_PostOnlyWillTakeLiquidity 12345678901234567890"
    assert replies.readable(words) == words
    assert len(replies.readable("no " * 1000)) == replies.MAX_TEXT


@pytest.mark.parametrize("told", ["NaN", "Infinity", "1e400", "1e99", "0x10", "1_000", " 1", "١", "1,5", "9" * 46])
def test_what_is_no_sane_number_is_malformed(told):
    with pytest.raises(MalformedFrame):
        money.number(told)


def test_a_shape_of_exact_numbers_refuses_others():
    class Row(money.Exact):
        free: Decimal
        note: str = ""

    shape = wire.decoder(Row)
    assert wire.body(shape, b'{"free":"1.10"}').free == Decimal("1.10")
    for told in (b'"NaN"', b'"1e400"', b"1e31", b'"x"', b"null"):
        with pytest.raises(MalformedFrame):
            wire.body(shape, b'{"free":' + told + b"}")


def test_numbers_are_exact_both_ways():
    assert money.number("0.10000000000000000000000000000001") == Decimal("0.10000000000000000000000000000001")
    assert [money.number(told) for told in (None, "", "null")] == [None] * 3
    assert money.amount("") == 0
    assert [money.positive(told) for told in ("0", "-1", "0.00", "2")] == [None, None, None, Decimal(2)]
    assert [money.plain(Decimal(told)) for told in ("1E+2", "0.100", "1E-8", "10", "0.000")] == [
        "100",
        "0.1",
        "0.00000001",
        "10",
        "0",
    ]


def test_an_order_is_valid_until_it_expires_and_no_longer_than_the_exchange_allows():
    assert asked.window_ms(asked_for(), 500, 60_000) == 1_500
    assert asked.window_ms(asked_for(), 500, 1_000) == 1_000
    for late in (2_000, 3_000):
        with pytest.raises(InvalidOrder, match="expired"):
            asked.window_ms(asked_for(), late, 60_000)


def test_amounts_and_prices_are_on_the_grid():
    assert (asked.amount(asked_for()), asked.price(asked_for())) == ("0.01", "100.1")
    for changes in (
        {"amount": Decimal("0.0101")},
        {"amount": Decimal(0)},
        {"amount": None},
        {"quote_amount": Decimal(5)},
    ):
        with pytest.raises(InvalidOrder):
            asked.amount(asked_for(**changes))
    for changes in ({"price": Decimal("100.101")}, {"price": None}, {"price": Decimal(-1)}, {"type": OrderType.MARKET}):
        with pytest.raises(InvalidOrder):
            asked.price(asked_for(**changes))


def test_an_amount_in_quote_currency_is_for_market_buys_on_spot():
    spend = {"type": OrderType.MARKET, "price": None, "amount": None, "quote_amount": Decimal("25.50")}
    assert asked.quote_amount(asked_for(**spend)) == "25.5"
    for changes in (
        {"side": Side.SELL},
        {"type": OrderType.LIMIT},
        {"quote_amount": Decimal(0)},
        {"amount": Decimal(1)},
    ):
        with pytest.raises(InvalidOrder):
            asked.quote_amount(asked_for(**(spend | changes)))


def test_what_contradicts_itself_is_not_sent():
    asked.check(asked_for())
    asked.check(asked_for(instrument=SWAP, position_side=PositionSide.SHORT, reduce_only=True))
    for changes in (
        {"side": Side.UNKNOWN},
        {"type": OrderType.MARKET},
        {"type": OrderType.MARKET, "price": None, "tif": TimeInForce.IOC},
        {"reduce_only": True},
        {"position_side": PositionSide.LONG},
        {"instrument": SWAP, "position_side": PositionSide.LONG, "reduce_only": True},
    ):
        with pytest.raises(InvalidOrder):
            asked.check(asked_for(**changes))
