"""What a driver is: a pure translator between one exchange's wire and our vocabulary.

No driver holds a socket, a clock or a book. URLs are the exchange's real ones; who opens them may rewrite them to
the simulator (`transport.addresses`).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from apps.feeds.book.continuity import Rule
from apps.feeds.market import DEPTHS, BookDelta, BookSnapshot, Instrument, MarketType, PublicTrade

Frame: TypeAlias = str | bytes
PUBLIC = "public"  # the category of topics where there is but one


class TopicKind(StrEnum):
    BOOK = "book"
    TRADES = "trades"


class Topic(Struct, frozen=True, kw_only=True):
    """One stream of one symbol; `depth` (20, 50, 0 = full) matters for books only."""

    kind: TopicKind
    symbol: str
    depth: int = 0


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request as a value; `weight` counts against the exchange's budget.

    Keys and signatures stand in url, headers and body: `repr` shows the method, host and path alone.
    """

    method: str
    url: str  # whole, with its query
    weight: int = 1
    headers: dict[str, str] = {}
    body: str = ""
    expires_ms: int | None = None  # by the exchange's clock: not accepted later, None where it knows no such limit
    budget: str = ""  # which limit of `TradeLimits.budgets` the weight counts against; "" is the exchange's general one

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url.partition('?')[0]})"

    __str__ = __repr__


class Command(Struct, frozen=True, kw_only=True):
    """One frame that subscribes or unsubscribes `topics`; the answer is matched by `request_id` or by topic."""

    frame: Frame
    request_id: str
    topics: tuple[Topic, ...]


class Ack(Struct, frozen=True, kw_only=True):
    """The exchange's answer to a command.

    `topics` names those that the answer itself names (empty: all topics of the command). A refusal with
    `whole_frame` also undid the command's other topics, which must be sent again without the named ones. One that is
    `already` subscribed is refused only in words: the stream runs. A `nameless` answer tells neither request nor topic:
    it belongs to the oldest command without one (where `Limits.commands_in_flight` is 1, to the only one).
    """

    ok: bool
    request_id: str | None = None
    topics: tuple[str, ...] = ()  # the exchange's own names, see Driver.stream
    code: str = ""
    text: str = ""
    whole_frame: bool = False
    already: bool = False
    nameless: bool = False


class Welcome(Struct, frozen=True):
    """The server is ready for commands, see `Limits.greeted`."""


class Ping(Struct, frozen=True):
    """The server asks whether we live; send `reply` back at once."""

    reply: Frame


class Pong(Struct, frozen=True):
    """The server answered our heartbeat."""


class Closing(Struct, frozen=True):
    """The server says that it will close this socket: open another first."""

    text: str


class Ignored(Struct, frozen=True):
    """A documented frame that carries nothing for us."""


Event: TypeAlias = BookSnapshot | BookDelta | PublicTrade | Ack | Welcome | Ping | Pong | Closing | Ignored


class Resync(StrEnum):
    REST = "rest"  # fetch Driver.snapshot_request
    RESUBSCRIBE = "resubscribe"  # the stream's own answer to a subscribe is the snapshot
    SOCKET = "socket"  # send Driver.snapshot_command on the stream's own socket


class Rate(Struct, frozen=True):
    """At most `count` in any `per_s` seconds."""

    count: int
    per_s: float


class Heartbeat(Struct, frozen=True, kw_only=True):
    """`send` goes out `every_s` (None: protocol pings do); no frame within `answer_s` after it: the socket is dead.

    Where every beat has a frame of its own, `send` makes it from the beat's number (1, 2, ...). With `listens` the
    server alone asks (`Ping`): nothing goes out, and a socket that brings no frame for `answer_s` is dead.
    """

    send: Frame | Callable[[int], Frame] | None
    every_s: float
    answer_s: float
    listens: bool = False


class Limits(Struct, frozen=True, kw_only=True):
    """What one exchange allows on one market's public side."""

    pairs_per_connection: int  # the exchange's own cap, CT_PAIRS_PER_CONNECTION may be lower
    topics_per_frame: int
    commands: Rate  # frames from us on one socket
    connects: Rate  # new sockets from one address
    rest_weight: Rate  # sum of Request.weight from one address
    connection_age_s: float | None = None  # rotate before the exchange does
    command_budget: Rate | None = None  # a second, slower limit on commands of one socket (OKX 480/h)
    commands_in_flight: int | None = None  # not yet answered: what a pause of the network holds up arrives all at once
    frame_bytes: int = 64_000  # largest command frame
    connections: int | None = None  # sockets of one address at one time, both markets together
    greeted: bool = False  # commands wait for the server's Welcome
    closes_within_s: float | None = None  # refuses a subscribe by closing the socket, without a word, within so long
    silence_s: float | None = None  # a book without an event for so long is STALE; None: learned from each pair


class Catalogue(Struct, frozen=True, kw_only=True):
    """One page of a market list; `next_request` asks for the next, None ends it."""

    instruments: list[Instrument]
    next_request: Request | None = None


class Driver(Protocol):
    """One exchange, both markets. Parsing raises MalformedFrame for anything the exchange does not document.

    A method with a body is what most exchanges have. A driver's folder writes the others as functions of the same
    signature where it can, and the driver lists them (`parse = staticmethod(public.parse)`).
    """

    exchange_id: str
    name: str

    def limits(self, market_type: MarketType) -> Limits: ...

    def heartbeat(self, market_type: MarketType) -> Heartbeat: ...

    def depths(self, market_type: MarketType) -> Sequence[int]:
        """Depths that can be asked for; a depth without a channel of its own is cut from a deeper one."""
        return DEPTHS

    def category(self, market_type: MarketType, topic: Topic) -> str:
        """Topics of different categories need different sockets."""
        return PUBLIC

    def token_request(self, market_type: MarketType, category: str) -> Request | None:
        """To be fetched before each socket is opened, its answer serves that one socket; None where nothing is."""
        return None

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        """The socket's address; `token` is the answer to `token_request`. Raises what `parse_snapshot` raises."""
        ...

    def stream(self, market_type: MarketType, topic: Topic) -> str:
        """The exchange's own name of the topic, as its acks spell it."""
        ...

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        """Commands within the frame limits; request ids count up from `first_id`."""
        ...

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]: ...

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        """Translate one frame; wire order is kept; amounts as the exchange counts them."""
        ...

    def rule(self, market_type: MarketType, depth: int) -> Rule:
        """How updates of a book of this depth continue each other."""
        ...

    def resync(self, market_type: MarketType, depth: int) -> Resync: ...

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request: ...

    def parse_snapshot(self, market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
        """Raise MalformedFrame, Refused or Retryable when the answer is not a book."""
        ...

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        """Asks the stream's own socket for a snapshot (`Resync.SOCKET`), None where that is not the way.

        `number` counts with the request ids of subscribe; the answer is a BookSnapshot with `from_rest`.
        """
        return None

    def instruments_request(self, market_type: MarketType) -> Request: ...

    def parse_instruments(self, market_type: MarketType, content: bytes) -> Catalogue: ...

    def volumes_request(self, market_type: MarketType) -> Request: ...

    def parse_volumes(self, market_type: MarketType, content: bytes) -> dict[str, float]:
        """24 h volume in quote currency by symbol."""
        ...

    def retry_after(self, status: int, headers: Mapping[str, str], content: bytes) -> float | None:
        """Seconds to stay away after this HTTP answer (rate limit, ban); None when it is not one."""
        ...
