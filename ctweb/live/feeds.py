"""The newest value of each watched Redis name, and its bytes for the browser: encoded once however many tabs watch.

Pure: raw JSON in, fragments of JSON out (a fragment is the inside of an object, without `id` and `age`, which differ
per socket and per moment). Prices and amounts leave as strings with exactly the instrument's decimals.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from apps.feeds.bus.codec import TAPE_TRADES
from apps.feeds.market import FULL_DEPTH, BookState, Instrument, Level, Levels
from ctweb.live.units import decimals, lot_decimals

ACCOUNT_EVENTS = 50
NO_PUBLISHER = "no daemon publishes this book"
_NS_PER_MS = 1_000_000


class Book(Struct, frozen=True, kw_only=True):
    """What a page needs of `book:` and `full:`; looser than what this version's daemons write, as is `status.py`."""

    state: BookState
    reason: str | None = None
    seq: int | None = None
    fence: int = 0
    version: int = 0
    exchange_ms: int | None = None
    received_ns: int | None = None
    checked_ns: int | None = None
    published_ns: int = 0
    limit_ms: int = 5000
    bids: Levels = []
    asks: Levels = []

    @property
    def confirmed_ns(self) -> int | None:
        """Our clock at the last proof that this book is right."""
        return max((at for at in (self.received_ns, self.checked_ns) if at), default=None)


class Trade(Struct, frozen=True, kw_only=True):
    id: str
    side: str
    price: float
    amount: float
    exchange_ms: int | None = None


class Trades(Struct, frozen=True):
    trades: list[Trade]


_book = msgspec.json.Decoder(Book)
_trades = msgspec.json.Decoder(Trades)


class Feed(ABC):
    """One Redis name. `version` grows when there is something new to draw."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        self.name = name
        self.instrument = instrument
        self.watchers = 0
        self.version = 0
        self.malformed = 0
        self.price_decimals = decimals(instrument.tick)
        self.amount_decimals = lot_decimals(instrument)

    def offer(self, raw: bytes | None) -> None:
        """Take a message of the channel or the content of the key; None: the key has expired."""
        try:
            self._take(raw)
        except msgspec.MsgspecError:
            self.malformed += 1  # somebody else's program wrote this name; the value before it stands

    @abstractmethod
    def _take(self, raw: bytes | None) -> None:
        """As `offer`; raises MsgspecError for what is not a message of this name, and then changes nothing."""

    def _level(self, level: Level) -> str:
        price, amount = level
        return f'["{price:.{self.price_decimals}f}","{amount:.{self.amount_decimals}f}"]'

    def _side(self, levels: Sequence[Level]) -> str:
        return "[" + ",".join(map(self._level, levels)) + "]"


class BookFeed(Feed):
    """`book:` or `full:` of one pair."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self.value: Book | None = None
        self.encodes = 0
        self.lower_fences = 0
        self._gone = False
        self._encoded: dict[int, bytes] = {}

    def _take(self, raw: bytes | None) -> None:
        if raw is None:
            if not self._gone:
                self._gone = True
                self._changed()
            return
        new = _book.decode(raw)
        old = self.value
        if old is not None:
            if new.fence < old.fence:
                self.lower_fences += 1
                return
            if new.fence == old.fence and new.published_ns < old.published_ns:
                return  # the key was read before the message that we have
        self.value = new
        if self._gone or old is None or (old.fence, old.version, old.state) != (new.fence, new.version, new.state):
            self._gone = False
            self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._encoded.clear()

    @property
    def state(self) -> str:
        return BookState.DOWN if self._gone or self.value is None else self.value.state

    def age_ms(self, now_ns: int) -> int | None:
        """Since the last proof of life by our clock; None: there was none."""
        confirmed_ns = None if self.value is None else self.value.confirmed_ns
        return None if confirmed_ns is None else max(0, now_ns - confirmed_ns) // _NS_PER_MS

    @property
    def lag_ms(self) -> int | None:
        """From the exchange's stamp to our receipt, by two clocks; None where the exchange sends no time."""
        value = self.value
        if value is None or value.exchange_ms is None or value.received_ns is None:
            return None
        return value.received_ns // _NS_PER_MS - value.exchange_ms

    def fragment(self, depth: int) -> bytes:
        """The book without id and age; a book that is gone has no levels, whatever it held before."""
        found = self._encoded.get(depth)
        if found is None:
            self.encodes += 1
            found = self._encoded[depth] = self._encode(depth)
        return found

    def _encode(self, depth: int) -> bytes:
        value = self.value
        if value is None or self._gone:
            return b'"s":"DOWN","why":%b,"b":[],"a":[]' % msgspec.json.encode(NO_PUBLISHER)
        cut = None if depth == FULL_DEPTH else depth
        head = msgspec.json.encode(
            {
                "s": value.state,
                "why": value.reason or None,
                "seq": None if value.seq is None else str(value.seq),
                "fence": value.fence,
                "lag": self.lag_ms,
                "limit": value.limit_ms,
            }
        )[1:-1]
        sides = f',"b":{self._side(value.bids[:cut])},"a":{self._side(value.asks[:cut])}'
        return head + sides.encode()


class TapeFeed(Feed):
    """`trades:` of one pair. `version` counts prints, so that a reader knows how many it missed."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self._tape: deque[tuple[int, bytes]] = deque(maxlen=TAPE_TRADES)
        self._ids: deque[str] = deque(maxlen=4 * TAPE_TRADES)

    def _take(self, raw: bytes | None) -> None:
        if raw is None:
            return
        for one in _trades.decode(raw).trades:
            if one.id in self._ids:
                continue  # the key and the channel overlap
            self._ids.append(one.id)
            self.version += 1
            self._tape.append((self.version, self._row(one)))

    def _row(self, one: Trade) -> bytes:
        price, amount = f"{one.price:.{self.price_decimals}f}", f"{one.amount:.{self.amount_decimals}f}"
        return msgspec.json.encode([one.id, one.side, price, amount, one.exchange_ms])

    def since(self, version: int) -> tuple[bytes, int]:
        """The prints after `version`, oldest first, as a JSON array, and how many more there were."""
        rows = [row for number, row in self._tape if number > version]
        return b"[" + b",".join(rows) + b"]", self.version - max(version, 0) - len(rows)


class AccountFeed:
    """`account:` of one account: what happened on it, in order. Nothing of it is kept in Redis."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.watchers = 0
        self.version = 0
        self.malformed = 0
        self._events: deque[tuple[int, bytes]] = deque(maxlen=ACCOUNT_EVENTS)

    def offer(self, raw: bytes | None) -> None:
        """Take a message of the channel; None: there is no key of that name, and never was."""
        if raw is None:
            return
        try:
            event = msgspec.json.encode(msgspec.json.decode(raw, type=dict))
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        self.version += 1
        self._events.append((self.version, event))

    def since(self, version: int) -> tuple[bytes, int]:
        """The events after `version`, oldest first, as a JSON array, and how many more there were."""
        rows = [row for number, row in self._events if number > version]
        return b"[" + b",".join(rows) + b"]", self.version - version - len(rows)
