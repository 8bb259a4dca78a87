import pytest

from ctweb.live import protocol
from ctweb.live.protocol import Ack, Hello, Pause, ProtocolError, Rate, Sub


def test_the_messages_of_the_protocol_are_read():
    assert protocol.parse('{"op":"hello","v":1}') == Hello(1)
    assert protocol.parse('{"op":"sub","id":7,"topic":"book","key":"binance:spot:BTC/USDT"}') == Sub(
        7, "book", "binance:spot:BTC/USDT", 20, 10
    )
    assert protocol.parse('{"op":"ack","n":3}') == Ack(3)
    assert protocol.parse('{"op":"pause"}') == Pause()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"op":"drop table"}',
        '{"v":1}',
        '{"op":"sub","id":"7","topic":"book"}',
        '{"op":"sub","id":7,"topic":"book","depth":51}',
        '{"op":"sub","id":7,"topic":"book","depth":-1}',
        '{"op":"sub","id":7,"topic":"book","hz":0}',
        '{"op":"sub","id":7,"topic":"book","hz":1000}',
        '{"op":"ack"}',
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ProtocolError):
        protocol.parse(text)


def test_a_message_over_16_kb_is_refused_unread():
    with pytest.raises(ProtocolError, match="bytes"):
        protocol.parse(" " * 16_385)


def test_the_rate_is_counted_per_second():
    rate = Rate(3)
    assert [rate.allows(10.0 + n / 10) for n in range(4)] == [True, True, True, False]
    assert rate.allows(11.0)
