"""Which topic makes an exchange close the socket, where it refuses without a word. Pure: values in, values out.

What was asked for and not answered when a socket ended is suspected, and asked for alone on the next one. A topic that
ends a socket while nothing else is asked for is convicted: at once where that socket had worked for others, after a
few such ends where it had not (an exchange in trouble closes any socket).
"""

from collections.abc import Iterator, Sequence

from apps.feeds.drivers.base import Topic

ENDS = 3  # sockets without a working neighbour


class Suspects:
    def __init__(self) -> None:
        self._ends: dict[Topic, int] = {}  # sockets that ended on the topic alone

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._ends)

    def closed(self, unanswered: Sequence[Topic], *, worked: bool) -> Topic | None:
        """A socket ended while these were asked for; the one that is convicted of it, which is suspected no more."""
        for topic in unanswered:
            self._ends.setdefault(topic, 0)
        if len(unanswered) != 1:
            return None
        [topic] = unanswered
        self._ends[topic] += 1
        if not worked and self._ends[topic] < ENDS:
            return None
        self.clear(topic)
        return topic

    def clear(self, topic: Topic) -> None:
        """The exchange answered, or nobody wants it any more."""
        self._ends.pop(topic, None)
