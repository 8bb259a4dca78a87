"""A channel of one symbol: what it says, how often, and who listens."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from apps.feeds.simulator.journal import Entry
from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.sockets import Socket, encode, text_frame
from apps.feeds.simulator.window import Changes

Kind = Literal["book", "trades"]
MOVE_S = 0.25  # pace of a market that is kept moving for its orders


@dataclass(slots=True)
class Message:
    """One data frame before encoding. `bids` and `asks` are the very lists inside `payload`."""

    payload: dict[str, Any]
    seq: int
    bids: list[Row] = field(default_factory=list)
    asks: list[Row] = field(default_factory=list)
    prints: int = 0  # trades in it
    told: bool = True  # False: a frame without market data, which the journal does not count


class Stream(ABC):
    """One message of it is made and encoded once for all its sockets."""

    kind: ClassVar[Kind]
    clocked: ClassVar[bool] = False  # speaks at the same moments as all channels of its pace
    changes: Changes | None = None  # what its messages are made of, if it tells changes
    over = False  # it shall not speak again

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        """`period_s`: the shortest time between two messages of the channel."""
        self.name = name
        self.market = market
        self.pace = market.listing.activity / period_s  # messages a second when nothing else decides
        self.sockets: dict[Socket, Entry] = {}
        self.waiting: dict[Socket, Entry] = {}  # subscribed, but not yet given what a new socket gets
        self.held: Message | None = None  # by the fault `reorder`
        self.spoke = 0.0  # when it last had something to say

    def body(self, message: Message) -> bytes:
        """The message as the exchange writes it."""
        return encode(message.payload)

    def broken(self, message: Message, *, cut: bool) -> bytes:
        """A copy that cannot be read: cut off, or with a number where a list belongs."""
        body = encode(message.payload if cut else spoiled(message.payload))
        return body[: len(body) // 2] if cut else body

    def frame(self, body: bytes) -> bytes:
        return text_frame(body)

    def welcome(self, ms: int) -> Message | None:
        """What only a new socket gets, if the channel starts with a snapshot or with the last trade."""
        return None

    def open(self) -> None:
        """The first socket has come."""
        if self.changes is not None:
            self.changes.attach()

    def shut(self) -> None:
        """The last socket has left."""
        self.held = None
        if self.changes is not None:
            self.changes.detach()


class BookStream(Stream):
    kind = "book"
    leads = False  # speaks before the other books of its market, so that it is never behind them

    @abstractmethod
    def next(self, ms: int) -> Message | None:
        """The next update for all sockets; None when there is nothing to say."""

    def idle(self, ms: int, quiet_s: float) -> Message | None:
        """What the channel repeats after `quiet_s` seconds without a change, if it does."""
        return None

    def again(self, ms: int) -> Message | None:
        """The whole book for everybody in the place of an update, if the exchange does that."""
        return None

    def reset(self, ms: int) -> Message | None:
        """The exchange's own way to start the channel's numbers anew, if it has one."""
        return None

    def more(self, ms: int) -> Message | None:
        """What is still to be said after `next`, where a channel needs several messages for one turn."""
        return None

    def cross(self, message: Message) -> None:
        """Let the message claim a bid above the best ask; the market itself stays as it is."""
        bid = self.crossing()  # in the place of that level's own news, such as that it is gone
        message.bids[:] = [bid, *(row for row in message.bids if row[0] != bid[0])]

    def crossing(self) -> Row:
        """A bid one tick above the best ask."""
        market = self.market
        return market.bids.write(market.asks.sign * market.asks.keys[0] + 1, 1)

    def spoil_checksum(self, message: Message) -> None:
        """Let the message claim a wrong checksum, if the channel has one."""

    @property
    @abstractmethod
    def seq(self) -> int:
        """Number of the last message, as a client's book holds it."""


class NumberedStream(BookStream):
    """Each message has the number that its market had then."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self.last = market.seq

    @property
    def seq(self) -> int:
        return self.last


class FollowingStream(NumberedStream):
    """Its messages join from when the first socket came."""

    def open(self) -> None:
        super().open()
        self.last = self.market.seq


class TradeStream(Stream):
    kind = "trades"
    moves = False  # its market even where books do: for those whose books are told rarely

    @abstractmethod
    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        """The messages for these trades, oldest first."""


class Mover(TradeStream):
    """Says nothing to nobody: it keeps a market moving while accounts have orders in it."""

    def __init__(self, market: Market) -> None:
        super().__init__("", market, MOVE_S)
        self.pace = 1 / MOVE_S

    @property
    def over(self) -> bool:  # type: ignore[override]
        return not self.market.queues

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return []


def spoiled(value: Any) -> Any:
    """The payload with a number in the place of each list."""
    if isinstance(value, dict):
        return {key: spoiled(item) for key, item in value.items()}
    return 7 if isinstance(value, list) else value
