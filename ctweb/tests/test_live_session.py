import pytest
from msgspec import json

from apps.feeds.tests.listings import instrument
from apps.feeds.tests.published import ladder
from ctweb.live.feeds import BookFeed, TapeFeed
from ctweb.live.protocol import Close, ProtocolError
from ctweb.live.session import Session
from ctweb.live.subs import BookSubscription, TapeSubscription
from ctweb.tests.bus import NOW_NS, book, message, prints

SECOND = 1_000_000_000
TICK = SECOND // 10


class Socket:
    """A session whose time the test turns."""

    def __init__(self) -> None:
        self.session = Session(0.0)
        self.now_ns = NOW_NS
        self.feed = BookFeed("book:binance:spot:BTC/USDT", instrument())
        self.session.add(BookSubscription(7, self.feed, depth=20, hz=10))
        self.publish(100.0)

    def publish(self, best_bid: float) -> None:
        changed = book(version=self.feed.version + 1, received_ns=self.now_ns, last_event_ns=self.now_ns)
        changed.builder.book = ladder(best_bid)
        self.feed.offer(message(changed, published_ns=self.now_ns))

    def pass_time(self, ns: int = TICK):
        """The frame that is sent then, decoded; None: none."""
        self.now_ns += ns
        frame = self.session.frame(self.now_ns, self.seconds)
        return None if frame is None else json.decode(frame)

    @property
    def seconds(self) -> float:
        return (self.now_ns - NOW_NS) / SECOND


def best(frame):
    return frame["m"][0]["b"][0][0]


def test_a_frame_carries_what_changed_with_its_age():
    socket = Socket()
    frame = socket.pass_time()
    assert (frame["op"], frame["n"], frame["m"][0]["id"], frame["m"][0]["age"]) == ("f", 1, 7, 100)
    assert frame["now"] == socket.now_ns // 1_000_000
    assert socket.pass_time() is None


def test_with_two_frames_unacked_nothing_is_sent_and_then_the_newest_only():
    socket = Socket()
    for price in (100.0, 101.0):
        socket.publish(price)
        assert socket.pass_time() is not None
    for price in (102.0, 103.0, 104.0):
        socket.publish(price)
        assert socket.pass_time() is None
    socket.session.ack(2, socket.seconds)
    frame = socket.pass_time()
    assert (frame["n"], best(frame), frame["conflated"]) == (3, "104.00", 2)


def test_a_quiet_book_proves_its_life_once_a_second():
    socket = Socket()
    socket.pass_time()
    frames = [socket.pass_time() for _ in range(10)]
    assert [frame is not None for frame in frames] == [False] * 9 + [True]
    assert frames[-1]["m"] == [{"id": 7, "age": 1100, "s": "LIVE"}]


def test_a_socket_without_subscriptions_gets_an_empty_frame_each_second():
    session = Session(0.0)
    assert session.frame(NOW_NS, 0.5) is None
    assert json.decode(session.frame(NOW_NS, 1.0))["m"] == []


def test_a_paused_tab_gets_heartbeats_only_and_a_whole_frame_when_it_resumes():
    socket = Socket()
    socket.pass_time()
    socket.session.paused = True
    socket.publish(101.0)
    assert socket.pass_time() is None
    assert socket.pass_time(SECOND)["m"] == []
    socket.session.ack(2, socket.seconds)
    socket.session.resume()
    assert best(socket.pass_time()) == "101.00"


def test_a_book_is_sent_no_oftener_than_asked():
    socket = Socket()
    socket.session.remove(7)
    socket.session.add(BookSubscription(8, socket.feed, depth=0, hz=10))
    sent = 0
    for n in range(20):
        socket.publish(100.0 + n)
        frame = socket.pass_time()
        if frame is not None:
            sent += 1
            socket.session.ack(frame["n"], socket.seconds)
    assert sent == 4  # full books: twice a second


def test_the_tape_sends_what_is_new_and_says_what_was_skipped():
    session = Session(0.0)
    tape = TapeFeed("trades:binance:spot:BTC/USDT", instrument())
    session.add(TapeSubscription(1, tape))
    tape.offer(prints("a", "b"))
    first = json.decode(session.frame(NOW_NS, 0.1))["m"][0]
    assert ([row[0] for row in first["t"]], first["skipped"]) == (["a", "b"], 0)
    tape.offer(prints(*(f"c{n}" for n in range(70))))
    second = json.decode(session.frame(NOW_NS, 0.2))["m"][0]
    assert (len(second["t"]), second["skipped"]) == (50, 20)


def test_a_frame_unacked_for_five_seconds_ends_the_socket():
    socket = Socket()
    socket.pass_time()
    assert socket.session.verdict(5.0) is None
    assert socket.session.verdict(5.2) is Close.SLOW


def test_a_megabyte_unacked_ends_the_socket():
    socket = Socket()
    socket.session._unacked[1] = (0.0, 1_000_001)
    assert socket.session.verdict(0.1) is Close.SLOW


def test_an_ack_of_a_frame_that_was_never_sent_is_refused():
    with pytest.raises(ProtocolError):
        Session(0.0).ack(1, 0.0)


def test_the_65th_book_is_refused_and_a_closed_session_watches_nothing():
    session = Session(0.0)
    feed = BookFeed("book:binance:spot:BTC/USDT", instrument())
    for id in range(64):
        assert session.room_for(book=True) is None
        session.add(BookSubscription(id, feed, depth=5))
    assert session.room_for(book=True) == "at most 64 books"
    assert session.room_for(book=False) is None
    assert feed.watchers == 64
    session.close()
    assert feed.watchers == 0
