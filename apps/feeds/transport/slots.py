"""Where one stream of one symbol stands on a socket."""

from enum import Enum, auto

from msgspec import Struct

from apps.feeds.drivers.base import Topic


class Phase(Enum):
    IDLE = auto()  # not on the wire
    SUBSCRIBING = auto()  # asked, no answer yet
    SUBSCRIBED = auto()  # acknowledged, which proves nothing
    LIVE = auto()  # data came
    UNSUBSCRIBING = auto()


class Slot(Struct, kw_only=True):
    """One stream of one symbol on one socket. It carries at most one topic at a time.

    `wanted` and `on_wire` differ while a change is under way.
    """

    wanted: Topic | None
    on_wire: Topic | None = None
    phase: Phase = Phase.IDLE
    since: float = 0.0  # when the phase began
    renew: bool = False  # take off the wire and put back
    alone: bool = False  # ask for it when nothing else is asked for: it may be the one that spoils others
    unanswered: int = 0  # commands in a row that got no answer
    renewed: bool = False  # because it was acknowledged and brought nothing
    reported: bool = False  # because it brought nothing after that either
    passing: bool = False  # data belongs to what is wanted
    snapshot_due: float | None = None  # when a snapshot may be asked for on this socket
    snapshot_asked: float = 0.0  # when one was asked for last
    snapshot_id: str | None = None  # of that question, until it is answered

    def leaves(self) -> bool:
        """On the wire and should not be; while a subscribe is unanswered, its answer is awaited first."""
        settled = self.phase in (Phase.SUBSCRIBED, Phase.LIVE)
        return settled and (self.renew or self.wanted != self.on_wire)

    def joins(self) -> bool:
        return self.wanted is not None and self.on_wire is None
