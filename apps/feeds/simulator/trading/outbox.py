"""One account's private pushes: who hears them, and when they leave."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from apps.feeds.simulator.sockets import Socket, binary_frame
from apps.feeds.simulator.trading.events import Event, OrderEvent
from apps.feeds.simulator.trading.faults import AccountFaults

# An event as the exchange's messages: objects and text go out as the socket frames them, bytes as a binary frame.
Translate: TypeAlias = Callable[[Event], Iterable[Any]]
LATE_S = 0.3  # a push that was held back to come out of order comes at the latest now


class Outbox:
    def __init__(self, account: str, faults: AccountFaults, before: Callable[[], object]) -> None:
        """`before`: called before anything is told."""
        self._account = account
        self._faults = faults
        self._before = before
        self._told: dict[Socket, Translate] = {}
        self._holds = 0
        self._held: list[Event] = []
        self._late: Event | None = None

    @property
    def heard(self) -> bool:
        return bool(self._told)

    @property
    def listeners(self) -> int:
        """Sockets that are told."""
        return len(self._told)

    def listen(self, socket: Socket, translate: Translate) -> None:
        self._told[socket] = translate
        if self._faults.take("drop_private", self._account) is not None:
            asyncio.get_running_loop().call_soon(socket.hang_up)

    def leave(self, socket: Socket) -> None:
        self._told.pop(socket, None)

    def drop(self) -> None:
        """Hang up on every socket that listens, if the account's fault says so."""
        for socket in list(self._told):
            if self._faults.take("drop_private", self._account) is not None:
                socket.hang_up()

    def hold(self) -> None:
        """Keep what comes until `release`: it shall not be ahead of a REST answer."""
        self._holds += 1

    def release(self) -> None:
        self._holds -= 1
        if not self._holds:
            self.flush()

    def flush(self) -> None:
        """Let what was kept leave now."""
        held, self._held = self._held, []
        for event in held:
            self._leave(event)

    def add(self, event: Event) -> None:
        if self._holds:
            self._held.append(event)
        elif self._told:
            self._leave(event)

    def _leave(self, event: Event) -> None:
        if self._late is None and isinstance(event, OrderEvent) and self._suffers("reorder_push"):
            self._late = event
            asyncio.get_running_loop().call_later(LATE_S, self._catch_up)
            return
        self._send(event)
        if isinstance(event, OrderEvent):
            if self._suffers("duplicate_push"):
                self._send(event)
            self._catch_up()

    def _catch_up(self) -> None:
        if self._late is not None:
            late, self._late = self._late, None
            self._send(late)

    def _suffers(self, op: str) -> bool:
        return self._faults.take(op, self._account) is not None

    def _send(self, event: Event) -> None:
        if self._faults.find("mute_private", self._account) is not None:
            return
        self._before()
        for socket, translate in list(self._told.items()):
            for message in translate(event):
                if isinstance(message, bytes):
                    socket.send(binary_frame(message))
                else:
                    socket.answer(message)
