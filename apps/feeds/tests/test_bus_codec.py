import msgspec
import pytest

from apps.feeds.bus import codec
from apps.feeds.market import BookState, PublicTrade, Side
from apps.feeds.tests.published import BTC, HandMade


def encoded(book: HandMade, levels: int = 20) -> dict:
    return codec.decode(codec.encode_book(book, levels=levels, fence=7, version=41, published_ns=5))


def test_a_book_carries_exactly_the_documented_fields():
    message = encoded(HandMade(), levels=1)
    assert message == {
        "exchange": "binance",
        "market_type": "spot",
        "pair": "BTC/USDT",
        "symbol": "BTCUSDT",
        "state": "LIVE",
        "reason": "",
        "seq": 10,
        "fence": 7,
        "version": 41,
        "depth": 20,
        "exchange_ms": 1_700_000_000_000,
        "received_ns": 1_700_000_000_000_000_000,
        "checked_ns": 1_700_000_000_000_000_000,
        "published_ns": 5,
        "limit_ms": 5_000,
        "bids": [[100.0, 1.0]],
        "asks": [[101.0, 2.0]],
    }


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.DOWN])
def test_a_book_that_is_not_served_has_empty_sides_whatever_the_builder_holds(state: BookState):
    book = HandMade(state=state, reason="gap: had 10, got 12")
    assert (encoded(book)["bids"], encoded(book)["asks"]) == ([], [])
    assert codec.best_of(book) == (state, None, None)


def test_a_stale_book_keeps_its_levels_and_says_that_it_is_stale():
    message = encoded(HandMade(state=BookState.STALE))
    assert message["state"] == "STALE"
    assert len(message["bids"]) == 20


@pytest.mark.parametrize(("depth", "levels"), [(20, 20), (50, 50), (0, 50)])
def test_the_top_is_twenty_levels_for_depth_twenty_and_fifty_else(depth: int, levels: int):
    assert codec.top_levels(depth) == levels


def test_the_best_prices_are_a_message_of_their_own():
    assert codec.decode(codec.encode_best(HandMade())) == {
        "exchange": "binance",
        "market_type": "spot",
        "pair": "BTC/USDT",
        "state": "LIVE",
        "bid": [100.0, 1.0],
        "ask": [101.0, 2.0],
        "seq": 10,
        "exchange_ms": 1_700_000_000_000,
        "received_ns": 1_700_000_000_000_000_000,
    }


def test_a_tape_lists_its_trades_newest_last():
    trades = [
        PublicTrade(
            symbol="BTCUSDT", trade_id=f"{n}", side=Side.SELL, price=1.5, amount=2.0, exchange_ms=n, received_ns=n
        )
        for n in (1, 2)
    ]
    message = codec.decode(codec.encode_trades(codec.trade_message(trade) for trade in trades))
    assert message["trades"][1] == {
        "id": "2",
        "side": "sell",
        "price": 1.5,
        "amount": 2.0,
        "exchange_ms": 2,
        "received_ns": 2,
    }
    assert [trade["id"] for trade in message["trades"]] == ["1", "2"]


def test_a_command_is_read_back_and_nonsense_is_refused():
    command = codec.DaemonCommand(op="resync", key=str(BTC))
    assert codec.decode_command(codec.encode_command(command)) == command
    with pytest.raises(msgspec.DecodeError):
        codec.decode_command(b'{"key": 1}')
