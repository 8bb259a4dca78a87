"""What one socket should carry, what it was asked for, and what it has proven. Pure: values in, values out.

A change of depth is: unsubscribe the old topic, wait for the answer, subscribe the new one. A resubscribe is the same
with the topic unchanged.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from apps.feeds.drivers.base import Ack, Command, Topic, TopicKind
from apps.feeds.transport.slots import Phase, Slot


class Refusal(Struct, frozen=True):
    topic: Topic
    code: str
    text: str
    costly: bool = False  # it took the whole socket with it


class Answer(Struct, frozen=True, kw_only=True):
    """What an Ack settled."""

    confirmed: list[Topic] = []
    refused: list[Refusal] = []


class Overdue(Struct, frozen=True, kw_only=True):
    """What time has brought about; `unanswered` is a topic whose every command stayed without an answer."""

    unanswered: Topic | None
    silent: list[Topic]


class _Sent(Struct):
    """A command on its way; `open` are its topics without an answer."""

    command: Command
    joining: bool
    at: float
    open: dict[Topic, None]


class Ledger:
    """The slots of one socket; `name` is the exchange's own name of a topic, as its answers spell it."""

    def __init__(self, name: Callable[[Topic], str]) -> None:
        self.books: dict[str, Slot] = {}  # by symbol
        self.trades: dict[str, Slot] = {}
        self._name = name
        self._sent: dict[str, _Sent] = {}  # by request id

    def slots(self) -> Iterator[Slot]:
        yield from self.books.values()
        yield from self.trades.values()

    def slot(self, topic: Topic) -> Slot | None:
        return self._side(topic).get(topic.symbol)

    def want(self, topic: Topic) -> None:
        slot = self._side(topic).setdefault(topic.symbol, Slot(wanted=topic))
        if slot.wanted != topic:
            self._change(slot, topic)

    def drop(self, topic: Topic) -> None:
        slot = self.slot(topic)
        if slot is not None and slot.wanted == topic:
            self._change(slot, None)
            self._forget_if_done(topic)

    def renew(self, topic: Topic) -> None:
        """Subscribe anew on the same socket; what has not brought data yet comes fresh anyway."""
        slot = self.slot(topic)
        if slot is not None and slot.wanted == topic and slot.phase is Phase.LIVE:
            slot.renew = True

    def leaving(self) -> list[Topic]:
        """To be unsubscribed now."""
        return [slot.on_wire for slot in self.slots() if slot.on_wire is not None and slot.leaves()]

    def joining(self) -> list[Topic]:
        """To be subscribed now, in one frame where the exchange's limits allow it.

        One that is to be asked for alone comes last, and nothing else is asked for until it is answered.
        """
        if any(slot.alone and slot.phase is Phase.SUBSCRIBING for slot in self.slots()):
            return []
        slots = [slot for slot in self.slots() if slot.joins()]
        innocent = [slot for slot in slots if not slot.alone]
        if not innocent and self._sent:
            return []
        return [slot.wanted for slot in innocent or slots[:1] if slot.wanted is not None]

    def suspect(self, topic: Topic) -> None:
        """A socket ended when this topic was among those asked for."""
        slot = self.slot(topic)
        if slot is not None and slot.wanted == topic:
            slot.alone = True

    def unanswered(self, since: float) -> list[Topic]:
        """Wanted topics whose subscribe was sent after `since` and has no answer and no data."""
        return [
            topic
            for sent in self._sent.values()
            if sent.joining and sent.at >= since
            for topic in sent.open
            if (slot := self.slot(topic)) is not None and slot.phase is Phase.SUBSCRIBING and slot.wanted == topic
        ]

    def ask_snapshot(self, topic: Topic, *, now: float, spacing_s: float) -> None:
        """Note that a snapshot is needed; the next one of the same stream not before `spacing_s` seconds."""
        slot = self.slot(topic)
        if slot is not None and slot.on_wire == topic and slot.snapshot_due is None:
            slot.snapshot_due = max(now, slot.snapshot_asked + spacing_s)

    def snapshots_due(self, now: float) -> Iterator[Topic]:
        for slot in self.books.values():
            if slot.snapshot_due is not None and slot.snapshot_due <= now and slot.on_wire is not None:
                yield slot.on_wire

    def snapshot_sent(self, topic: Topic, request_id: str, now: float) -> None:
        slot = self.books[topic.symbol]
        slot.snapshot_due, slot.snapshot_asked, slot.snapshot_id = None, now, request_id

    def asks_snapshot(self, since: float) -> bool:
        """Whether a question for one that was put after `since` has no answer yet."""
        return any(slot.snapshot_id is not None and slot.snapshot_asked > since for slot in self.books.values())

    def snapshot_came(self, slot: Slot) -> bool:
        """True if it answers a question."""
        asked, slot.snapshot_id = slot.snapshot_id is not None, None
        return asked

    def snapshot_refused(self, ack: Ack) -> Topic | None:
        """The topic whose question for a snapshot was answered without one: it has to be put again."""
        if ack.ok or ack.request_id is None:
            return None
        for slot in self.books.values():
            if slot.snapshot_id == ack.request_id:
                slot.snapshot_id = None
                return slot.on_wire
        return None

    def in_flight(self) -> int:
        return len(self._sent)

    def sent(self, command: Command, *, joining: bool, now: float) -> None:
        for topic in command.topics:
            slot = self._side(topic)[topic.symbol]
            slot.phase = Phase.SUBSCRIBING if joining else Phase.UNSUBSCRIBING
            slot.since = now
            if joining:
                slot.on_wire = topic
                slot.passing = slot.wanted == topic
        self._sent[command.request_id] = _Sent(command, joining, now, dict.fromkeys(command.topics))

    def arrived(self, slot: Slot) -> None:
        """Data of a topic that is being subscribed proves the subscription, with or without an ack."""
        slot.phase = Phase.LIVE
        slot.renewed = slot.reported = False

    def answered(self, ack: Ack, now: float) -> Answer:
        """Settle the command that `ack` belongs to; an answer that belongs to none changes nothing."""
        sent = self._command_of(ack)
        if sent is None:
            return Answer()
        named = [topic for topic in sent.open if self._name(topic) in ack.topics]
        if ack.ok or not sent.joining:
            settled = named if ack.topics else list(sent.open)
            self._close(sent, settled)
            return Answer(confirmed=self._confirm(settled, joining=sent.joining, now=now))
        return self._refuse(sent, named, ack, now)

    def overdue(self, now: float, *, ack_s: float, ack_tries: int, first_data_s: float) -> Overdue:
        """Take back what got no answer, so that it is sent again; renew once the books that stay silent.

        Trades of a thin pair may stay away for hours, so their silence proves nothing.
        """
        unanswered: Topic | None = None
        for request_id, sent in list(self._sent.items()):
            if now - sent.at < ack_s:
                continue
            del self._sent[request_id]
            for slot in filter(None, map(self.slot, sent.open)):
                if self._take_back(slot, sent.joining) and slot.unanswered >= ack_tries:
                    unanswered = slot.on_wire or slot.wanted
        return Overdue(unanswered=unanswered, silent=self._silent(now - first_data_s))

    def _change(self, slot: Slot, wanted: Topic | None) -> None:
        """What is on the wire must leave even if it is wanted again before it has: its user starts anew."""
        slot.wanted = wanted
        slot.passing = False
        slot.renew = slot.on_wire is not None

    def _take_back(self, slot: Slot, joining: bool) -> bool:
        """True if the slot still waited for this answer."""
        if slot.phase is not (Phase.SUBSCRIBING if joining else Phase.UNSUBSCRIBING):
            return False
        slot.unanswered += 1
        if joining and slot.wanted == slot.on_wire:
            slot.on_wire, slot.phase, slot.passing = None, Phase.IDLE, False
        else:
            slot.phase = Phase.SUBSCRIBED  # perhaps on the wire: it leaves by an (other) unsubscribe
        return True

    def _silent(self, since: float) -> list[Topic]:
        reported = []
        for slot in self.books.values():
            if slot.phase is not Phase.SUBSCRIBED or slot.since > since or slot.reported or slot.wanted is None:
                continue
            if slot.renewed:
                slot.reported = True
                reported.append(slot.wanted)
            else:
                slot.renewed = slot.renew = True
        return reported

    def _command_of(self, ack: Ack) -> _Sent | None:
        """By request id, else by the topics it names, else by the order of sending."""
        if ack.nameless:
            return next(iter(self._sent.values()), None)
        if ack.request_id in self._sent:
            return self._sent[ack.request_id]
        for sent in self._sent.values():
            if any(self._name(topic) in ack.topics for topic in sent.open):
                return sent
        return None

    def _confirm(self, topics: Iterable[Topic], *, joining: bool, now: float) -> list[Topic]:
        confirmed = []
        for topic in topics:
            slot = self.slot(topic)
            if slot is None or slot.on_wire != topic:
                continue
            slot.unanswered = 0
            if not joining:
                self._off_wire(slot, topic)
                continue
            slot.alone = False
            if slot.phase is Phase.SUBSCRIBING:
                slot.phase, slot.since = Phase.SUBSCRIBED, now
            if slot.wanted == topic:
                confirmed.append(topic)
        return confirmed

    def _refuse(self, sent: _Sent, named: list[Topic], ack: Ack, now: float) -> Answer:
        """A refused subscribe: the named topics are out, neighbours that it undid are asked for again.

        If it names none of several, each is asked for alone: one of them is refused then, and known.
        """
        guilty = named or (list(sent.open) if len(sent.open) == 1 else [])
        if ack.whole_frame or not guilty:
            self._undo(sent, [topic for topic in sent.open if topic not in guilty], alone=not guilty)
        self._close(sent, guilty)
        if ack.already:
            return Answer(confirmed=self._confirm(guilty, joining=True, now=now))
        refused = []
        for topic in guilty:
            slot = self.slot(topic)
            if slot is None or slot.on_wire != topic:
                continue
            if slot.wanted == topic:
                slot.wanted = None
                refused.append(Refusal(topic, ack.code, ack.text))
            self._off_wire(slot, topic)
        return Answer(refused=refused)

    def _undo(self, sent: _Sent, neighbours: list[Topic], *, alone: bool) -> None:
        """The command had no effect for these: they are to be asked for again."""
        self._close(sent, neighbours)
        for topic in neighbours:
            slot = self.slot(topic)
            if slot is not None and slot.on_wire == topic and slot.phase is Phase.SUBSCRIBING:
                slot.alone = alone
                self._off_wire(slot, topic)

    def _off_wire(self, slot: Slot, topic: Topic) -> None:
        slot.on_wire, slot.phase, slot.renew, slot.passing, slot.snapshot_due = None, Phase.IDLE, False, False, None
        self._forget_if_done(topic)

    def _close(self, sent: _Sent, topics: Iterable[Topic]) -> None:
        for topic in topics:
            sent.open.pop(topic, None)
        if not sent.open:
            self._sent.pop(sent.command.request_id, None)

    def _forget_if_done(self, topic: Topic) -> None:
        slot = self.slot(topic)
        if slot is not None and slot.wanted is None and slot.on_wire is None:
            del self._side(topic)[topic.symbol]

    def _side(self, topic: Topic) -> dict[str, Slot]:
        return self.books if topic.kind is TopicKind.BOOK else self.trades
