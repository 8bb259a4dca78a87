"""One browser socket's state: subscriptions, frames sent and not yet acknowledged, pause. Pure, time passed in.

The browser acknowledges each frame after drawing it. With two unacknowledged nothing is sent; what changes meanwhile
is not queued, the next frame has the newest state only.
"""

from collections import OrderedDict

from ctweb.live import protocol
from ctweb.live.protocol import Close
from ctweb.live.subs import BookSubscription, Subscription

_HEARTBEAT_S = 1.0
_NS_PER_MS = 1_000_000


class Session:
    def __init__(self, now_s: float) -> None:
        self.subscriptions: dict[int, Subscription] = {}
        self.paused = False
        self.conflated = 0
        self._n = 0
        self._unacked: OrderedDict[int, tuple[float, int]] = OrderedDict()  # n -> (sent at, bytes)
        self._framed_s = now_s
        self._acked_s = now_s
        self._told_conflated = 0

    def room_for(self, book: bool) -> str | None:
        """None, or why one more subscription is refused."""
        if len(self.subscriptions) >= protocol.MAX_SUBSCRIPTIONS:
            return f"at most {protocol.MAX_SUBSCRIPTIONS} subscriptions"
        books = sum(isinstance(one, BookSubscription) for one in self.subscriptions.values())
        return f"at most {protocol.MAX_BOOKS} books" if book and books >= protocol.MAX_BOOKS else None

    def add(self, subscription: Subscription) -> None:
        self.subscriptions[subscription.id] = subscription
        subscription.feed.watchers += 1

    def remove(self, id: int) -> None:
        subscription = self.subscriptions.pop(id, None)
        if subscription is not None:
            subscription.feed.watchers -= 1

    def close(self) -> None:
        for id in list(self.subscriptions):
            self.remove(id)

    def resume(self) -> None:
        self.paused = False
        for subscription in self.subscriptions.values():
            subscription.forget()

    def ack(self, n: int, now_s: float) -> None:
        """Acknowledge frame `n` and all before it. Raise ProtocolError for a frame that was never sent."""
        if n > self._n:
            raise protocol.ProtocolError(f"ack of frame {n}, sent {self._n}")
        self._acked_s = now_s
        while self._unacked and next(iter(self._unacked)) <= n:
            self._unacked.popitem(last=False)

    def verdict(self, now_s: float) -> Close | None:
        """Why this socket must be closed, if it must."""
        if self._unacked and now_s - next(iter(self._unacked.values()))[0] > protocol.SLOW_AFTER_S:
            return Close.SLOW
        if sum(size for _, size in self._unacked.values()) > protocol.MAX_UNACKED_BYTES:
            return Close.SLOW
        return Close.SLOW if now_s - self._acked_s > protocol.SILENT_AFTER_S else None

    def frame(self, now_ns: int, now_s: float) -> bytes | None:
        """The next frame, or None when nothing is due or the browser is behind."""
        if len(self._unacked) >= protocol.MAX_UNACKED:
            return None
        messages = [] if self.paused else self._due(now_ns)
        if not messages and now_s - self._framed_s < _HEARTBEAT_S:
            return None
        self._n += 1
        self._framed_s = now_s
        frame = b'{"op":"f","n":%d,"now":%d%b,"m":[%b]}' % (
            self._n,
            now_ns // _NS_PER_MS,
            self._conflation(),
            b",".join(messages),
        )
        self._unacked[self._n] = (now_s, len(frame))
        return frame

    def _due(self, now_ns: int) -> list[bytes]:
        messages = []
        for subscription in self.subscriptions.values():
            message = subscription.due(now_ns)
            if message is not None:
                messages.append(message)
        return messages

    def _conflation(self) -> bytes:
        self.conflated = sum(one.conflated for one in self.subscriptions.values())
        if self.conflated == self._told_conflated:
            return b""
        self._told_conflated = self.conflated
        return b',"conflated":%d' % self.conflated
