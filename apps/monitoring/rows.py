"""Rows of our two tables in ClickHouse's RowBinary: events in, bytes out, and the few facts recovery reads back. Pure.

Columns that one book's rows share stand first, so that a row is a prepared prefix and one packed rest.
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from apps.feeds.market import BookDelta, BookSnapshot, Instrument, PublicTrade

UPDATES = "orderbook_updates"
TRADES = "trades"
SHARED = (
    "batch_id",
    "exchange",
    "market_type",
    "pair",
    "symbol",
    "stream",
    "epoch",
    "event_no",
    "ts_recv",
    "ts_exchange",
)
LEVELS = ("bid_prices", "bid_amounts", "ask_prices", "ask_amounts")
COLUMNS = {
    UPDATES: (*SHARED, "is_snapshot", "from_rest", "first_seq", "seq", "prev_seq", *LEVELS),
    TRADES: (*SHARED, "price", "amount", "trade_id", "side"),
}
NO_SEQ = -1  # the exchange gave no such number
NO_TIME = 0  # the exchange gave no time

_EPOCH = Struct("<Q")
_TRADE = Struct("<Qqqdd")  # event_no, ts_recv, ts_exchange, price, amount
_UPDATE = Struct("<QqqBBqqq")  # event_no, ts_recv, ts_exchange, is_snapshot, from_rest, first_seq, seq, prev_seq
_PACKED = 128  # counts below need one byte; such shapes repeat, so their layouts are kept
_layouts: dict[tuple[int, int], Struct] = {}


def text(value: str) -> bytes:
    """A String: its length in bytes as a varint, then the bytes."""
    data = value.encode()
    return varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def prefix(instrument: Instrument, stream: str, epoch: int) -> bytes:
    """The columns after batch_id that all rows of one book share while its shard has one owner."""
    names = (instrument.exchange, instrument.market_type, instrument.pair, instrument.symbol, stream)
    return b"".join(text(name) for name in names) + _EPOCH.pack(epoch)


def update_row(event: BookSnapshot | BookDelta, event_no: int) -> bytes:
    """What follows the prefix in a row of `orderbook_updates`; levels keep their order."""
    bids, asks = event.bids, event.asks
    if isinstance(event, BookSnapshot):
        is_snapshot, from_rest, first_seq = True, event.from_rest, None
    else:
        is_snapshot, from_rest, first_seq = False, False, event.first_seq
    fixed = (
        event_no,
        event.received_ns // 1000,
        NO_TIME if event.exchange_ms is None else event.exchange_ms,
        is_snapshot,
        from_rest,
        NO_SEQ if first_seq is None else first_seq,
        NO_SEQ if event.seq is None else event.seq,
        NO_SEQ if event.prev_seq is None else event.prev_seq,
    )
    bid_prices, bid_amounts = zip(*bids, strict=True) if bids else ((), ())
    ask_prices, ask_amounts = zip(*asks, strict=True) if asks else ((), ())
    n, m = len(bids), len(asks)
    if n < _PACKED and m < _PACKED:
        layout = _layouts.get((n, m)) or _layout(n, m)
        return layout.pack(*fixed, n, *bid_prices, n, *bid_amounts, m, *ask_prices, m, *ask_amounts)
    return _UPDATE.pack(*fixed) + b"".join(map(_floats, (bid_prices, bid_amounts, ask_prices, ask_amounts)))


def trade_row(trade: PublicTrade, event_no: int) -> bytes:
    """What follows the prefix in a row of `trades`."""
    fixed = _TRADE.pack(event_no, trade.received_ns // 1000, trade.exchange_ms, trade.price, trade.amount)
    return fixed + text(trade.trade_id) + text(trade.side)


def _layout(n: int, m: int) -> Struct:
    layout = _layouts[n, m] = Struct(f"{_UPDATE.format}B{n}dB{n}dB{m}dB{m}d")
    return layout


def _floats(values: Sequence[float]) -> bytes:
    return varint(len(values)) + Struct(f"<{len(values)}d").pack(*values)


class RowFacts(NamedTuple):
    """What recovery needs of a row; `seq` is NO_SEQ in a trade."""

    batch_id: str
    exchange: str
    market_type: str
    pair: str
    stream: str
    epoch: int
    event_no: int
    received_us: int
    seq: int


def facts(table: str, data: bytes) -> Iterator[RowFacts]:
    """Read rows back. Raise IndexError or struct.error when `data` ends inside a row."""
    at = 0
    while at < len(data):
        names = []
        for _ in range(6):
            value, at = _read_text(data, at)
            names.append(value)
        batch_id, exchange, market_type, pair, _symbol, stream = names
        (epoch,) = _EPOCH.unpack_from(data, at)
        at += _EPOCH.size
        if table == UPDATES:
            event_no, received_us, _, _, _, _, seq, _ = _UPDATE.unpack_from(data, at)
            at = _skip_arrays(data, at + _UPDATE.size, count=4)
        else:
            event_no, received_us, _, _, _ = _TRADE.unpack_from(data, at)
            seq = NO_SEQ
            at = _skip_texts(data, at + _TRADE.size, count=2)
        yield RowFacts(batch_id, exchange, market_type, pair, stream, epoch, event_no, received_us, seq)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    size, at = _read_varint(data, at)
    if at + size > len(data):
        raise IndexError("a row is cut")
    return data[at : at + size].decode(), at + size


def _skip_texts(data: bytes, at: int, count: int) -> int:
    for _ in range(count):
        _, at = _read_text(data, at)
    return at


def _skip_arrays(data: bytes, at: int, count: int) -> int:
    for _ in range(count):
        size, at = _read_varint(data, at)
        at += 8 * size
    if at > len(data):
        raise IndexError("a row is cut")
    return at
