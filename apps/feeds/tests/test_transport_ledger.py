"""What one socket carries: answers that are late, missing, wrong or spoil their neighbours."""

import itertools

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Ack, Command, Topic, TopicKind
from apps.feeds.market import MarketType
from apps.feeds.transport.ledger import Ledger, Overdue, Refusal
from apps.feeds.transport.slots import Phase

PATIENCE = {"ack_s": 10.0, "ack_tries": 3, "first_data_s": 30.0}


def book(symbol: str, depth: int = 20) -> Topic:
    return Topic(kind=TopicKind.BOOK, symbol=symbol, depth=depth)


def name(topic: Topic) -> str:
    return f"{topic.kind}.{topic.depth}.{topic.symbol}"


class Desk:
    """A ledger and somebody who sends what it asks for."""

    def __init__(self, *topics: Topic) -> None:
        self.ledger = Ledger(name)
        self._ids = map(str, itertools.count(1))
        for topic in topics:
            self.ledger.want(topic)

    def send(self, now: float = 0.0) -> tuple[str, list[Topic]]:
        """Send the next command; its id and its topics."""
        leaving = self.ledger.leaving()
        topics = leaving or self.ledger.joining()
        request_id = next(self._ids)
        command = Command(frame="", request_id=request_id, topics=tuple(topics))
        self.ledger.sent(command, joining=not leaving, now=now)
        return request_id, topics

    def ack(self, request_id: str, now: float = 0.0) -> list[Topic]:
        return self.ledger.answered(Ack(ok=True, request_id=request_id), now).confirmed

    def data(self, topic: Topic) -> None:
        slot = self.ledger.slot(topic)
        assert slot is not None
        assert slot.passing
        self.ledger.arrived(slot)

    def live(self) -> "Desk":
        self.ack(self.send()[0])
        for slot in self.ledger.slots():
            self.ledger.arrived(slot)
        return self

    def phase(self, topic: Topic) -> Phase | None:
        slot = self.ledger.slot(topic)
        return slot and slot.phase


def test_an_acknowledged_topic_is_live_only_when_its_data_came():
    desk = Desk(book("A"))
    request_id, topics = desk.send()
    assert topics == [book("A")]
    assert desk.ack(request_id) == [book("A")]
    assert desk.phase(book("A")) is Phase.SUBSCRIBED
    desk.data(book("A"))
    assert desk.phase(book("A")) is Phase.LIVE


def test_a_change_of_depth_waits_for_the_old_topic_to_leave():
    desk = Desk(book("A", 20)).live()
    desk.ledger.drop(book("A", 20))
    desk.ledger.want(book("A", 50))
    leave, topics = desk.send()
    assert topics == [book("A", 20)]
    assert desk.ledger.joining() == []
    desk.ack(leave)
    assert desk.ledger.joining() == [book("A", 50)]


def test_what_is_dropped_and_wanted_again_at_once_starts_anew():
    desk = Desk(book("A")).live()
    desk.ledger.drop(book("A"))
    desk.ledger.want(book("A"))
    assert not desk.ledger.slot(book("A")).passing
    leave, topics = desk.send()
    assert topics == [book("A")]
    desk.ack(leave)
    assert desk.ledger.joining() == [book("A")]


def test_a_topic_dropped_before_it_was_asked_for_leaves_no_trace():
    desk = Desk(book("A"))
    desk.ledger.drop(book("A"))
    assert list(desk.ledger.slots()) == []


def test_a_topic_dropped_while_its_subscribe_is_on_its_way_leaves_after_the_answer():
    desk = Desk(book("A"))
    request_id, _ = desk.send()
    desk.ledger.drop(book("A"))
    assert desk.ledger.leaving() == []
    assert desk.ack(request_id) == []
    assert desk.ledger.leaving() == [book("A")]


def test_answers_without_an_id_are_matched_by_the_names_in_them():
    desk = Desk(book("A"), book("B"))
    desk.send()
    answer = desk.ledger.answered(Ack(ok=True, topics=(name(book("B")),)), 0.0)
    assert answer.confirmed == [book("B")]
    assert desk.phase(book("A")) is Phase.SUBSCRIBING


def test_an_answer_to_nothing_we_sent_changes_nothing():
    desk = Desk(book("A"))
    desk.send()
    desk.ledger.answered(Ack(ok=True, request_id="77"), 0.0)
    desk.ledger.answered(Ack(ok=False, code="60014"), 0.0)
    assert desk.phase(book("A")) is Phase.SUBSCRIBING


def test_a_named_refusal_leaves_its_neighbours_alone():
    desk = Desk(book("A"), book("B"))
    desk.send()
    answer = desk.ledger.answered(Ack(ok=False, topics=(name(book("A")),), code="60018", text="no such"), 0.0)
    assert answer.refused == [Refusal(book("A"), "60018", "no such")]
    assert desk.ledger.slot(book("A")) is None
    assert desk.phase(book("B")) is Phase.SUBSCRIBING
    assert desk.ledger.joining() == []


def test_after_the_refusal_of_a_whole_frame_the_others_are_asked_for_without_the_named_one():
    desk = Desk(book("A"), book("B"), book("C"))
    request_id, _ = desk.send()
    ack = Ack(ok=False, request_id=request_id, topics=(name(book("B")),), code="handler not found", whole_frame=True)
    assert [refusal.topic for refusal in desk.ledger.answered(ack, 0.0).refused] == [book("B")]
    assert desk.send()[1] == [book("A"), book("C")]


def test_an_already_subscribed_topic_counts_as_subscribed_and_the_others_are_asked_for_again():
    desk = Desk(book("A"), book("B"))
    request_id, _ = desk.send()
    ack = Ack(ok=False, request_id=request_id, topics=(name(book("A")),), already=True, whole_frame=True)
    answer = desk.ledger.answered(ack, 0.0)
    assert (answer.confirmed, answer.refused) == ([book("A")], [])
    assert desk.ledger.joining() == [book("B")]


def test_the_exchange_that_refuses_what_we_have_says_so_by_its_code():
    frame = (
        '{"success":false,"ret_msg":"error:already subscribed,topic:publicTrade.BTCUSDT","req_id":"1","op":"subscribe"}'
    )
    ack = registry.driver("bybit").parse(MarketType.SPOT, frame, 0)[0]
    assert isinstance(ack, Ack)
    assert (ack.already, ack.whole_frame) == (True, True)


def test_a_refusal_that_names_none_of_several_has_each_asked_for_alone():
    desk = Desk(book("A"), book("B"))
    first, _ = desk.send()
    desk.ledger.answered(Ack(ok=False, request_id=first, code="2"), 0.0)
    second, topics = desk.send()
    assert topics == [book("A")]
    answer = desk.ledger.answered(Ack(ok=False, request_id=second, code="2"), 0.0)
    assert [refusal.topic for refusal in answer.refused] == [book("A")]
    third, topics = desk.send()
    assert topics == [book("B")]
    assert desk.ack(third) == [book("B")]


def test_a_command_without_an_answer_is_sent_again_and_given_up_after_three_tries():
    desk = Desk(book("A"))
    for at in (0.0, 10.0):
        desk.send(at)
        assert desk.ledger.overdue(at + 9.9, **PATIENCE).unanswered is None
        assert desk.ledger.overdue(at + 10.0, **PATIENCE).unanswered is None
        assert desk.ledger.joining() == [book("A")]
    desk.send(20.0)
    assert desk.ledger.overdue(30.0, **PATIENCE).unanswered == book("A")


def test_data_stands_for_an_answer_that_never_comes():
    desk = Desk(book("A"))
    desk.send(0.0)
    desk.data(book("A"))
    assert desk.ledger.overdue(60.0, **PATIENCE) == Overdue(unanswered=None, silent=[])
    assert desk.ledger.in_flight() == 0
    assert desk.phase(book("A")) is Phase.LIVE


def test_an_unsubscribe_without_an_answer_is_sent_again():
    desk = Desk(book("A")).live()
    desk.ledger.drop(book("A"))
    desk.send(0.0)
    desk.ledger.overdue(10.0, **PATIENCE)
    assert desk.ledger.leaving() == [book("A")]


def test_a_refused_unsubscribe_means_that_the_topic_is_gone():
    desk = Desk(book("A")).live()
    desk.ledger.drop(book("A"))
    request_id, _ = desk.send()
    desk.ledger.answered(Ack(ok=False, request_id=request_id, code="not subscribed"), 0.0)
    assert list(desk.ledger.slots()) == []


def test_a_book_that_is_acknowledged_and_silent_is_renewed_once_then_reported_once():
    desk = Desk(book("A"))
    desk.ack(desk.send(0.0)[0], now=1.0)
    assert desk.ledger.overdue(30.9, **PATIENCE) == Overdue(unanswered=None, silent=[])
    desk.ledger.overdue(31.0, **PATIENCE)
    leave, topics = desk.send(31.0)
    assert topics == [book("A")]
    desk.ack(leave, now=31.0)
    desk.ack(desk.send(31.0)[0], now=31.0)
    assert desk.ledger.overdue(61.0, **PATIENCE).silent == [book("A")]
    assert desk.ledger.overdue(120.0, **PATIENCE).silent == []
    assert desk.ledger.leaving() == []


def test_silent_trades_prove_nothing():
    trades = Topic(kind=TopicKind.TRADES, symbol="A")
    desk = Desk(trades)
    desk.ack(desk.send(0.0)[0])
    assert desk.ledger.overdue(1000.0, **PATIENCE) == Overdue(unanswered=None, silent=[])
    assert desk.ledger.leaving() == []


@pytest.mark.parametrize("acknowledged", [False, True])
def test_renewing_what_has_not_begun_yet_sends_nothing(acknowledged):
    desk = Desk(book("A"))
    request_id, _ = desk.send()
    if acknowledged:
        desk.ack(request_id)
    desk.ledger.renew(book("A"))
    assert desk.ledger.leaving() == []


def test_a_renewed_topic_keeps_passing_data_until_it_is_off_the_wire():
    desk = Desk(book("A")).live()
    desk.ledger.renew(book("A"))
    leave, _ = desk.send()
    assert desk.ledger.slot(book("A")).passing
    desk.ack(leave)
    assert not desk.ledger.slot(book("A")).passing
    assert desk.send()[1] == [book("A")]


def test_a_nameless_answer_belongs_to_the_oldest_command_and_to_nobody_when_none_is_open():
    desk = Desk(book("A"))
    desk.send()
    desk.ledger.want(book("B"))
    desk.send()
    nameless = Ack(ok=True, nameless=True)
    assert desk.ledger.answered(nameless, 0.0).confirmed == [book("A")]
    assert desk.ledger.answered(Ack(ok=False, nameless=True, code="no"), 0.0).refused == [Refusal(book("B"), "no", "")]
    assert desk.ledger.answered(nameless, 0.0).confirmed == []
