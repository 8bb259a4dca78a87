"""HTX's public REST: requests as values, answers to values. Errors come with HTTP 200: `status` says."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct, field

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Catalogue, Request
from apps.feeds.drivers.htx import facts
from apps.feeds.drivers.htx.symbols import ContractListing, SpotListing, contract_instrument, spot_instrument
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import BookSnapshot, MarketType

T = TypeVar("T")


class Step(Struct):
    """`version` counts on spot and is a time on contracts, whose pushes `mrid` orders."""

    bids: wire.Pairs = []
    asks: wire.Pairs = []
    version: wire.Id | None = None
    mrid: wire.Id | None = None


class Book(Struct):
    tick: Step
    ts: wire.Millis | None = None


class Rows(Struct, Generic[T]):
    data: list[T]


class SpotVolume(Struct):
    symbol: str
    vol: wire.Amount | None = None  # in quote currency


class ContractVolume(Struct):
    contract_code: str
    trade_turnover: wire.Amount | None = None


class ContractVolumes(Struct):
    ticks: list[ContractVolume]


class Head(Struct):
    """Spot hyphenates the names of its errors, contracts number them and join the words with underscores."""

    status: str
    spot_code: str | int | None = field(default=None, name="err-code")
    spot_text: str | None = field(default=None, name="err-msg")
    contract_code: str | int | None = field(default=None, name="err_code")
    contract_text: str | None = field(default=None, name="err_msg")

    @property
    def code(self) -> str:
        told = self.spot_code if self.spot_code is not None else self.contract_code
        return "" if told is None else str(told)

    @property
    def text(self) -> str:
        return self.spot_text or self.contract_text or self.status

    @property
    def too_often(self) -> bool:
        return self.code in facts.TOO_OFTEN or (self.code, self.text) == facts.TOO_OFTEN_TEXT


_head = wire.decoder(Head)
_book = wire.decoder(Book)
_spot_rows = wire.decoder(Rows[SpotListing])
_contract_rows = wire.decoder(Rows[ContractListing])
_spot_volumes = wire.decoder(Rows[SpotVolume])
_contract_volumes = wire.decoder(ContractVolumes)


def snapshot_request(market_type: MarketType, symbol: str, depth: int) -> Request:
    """A whole book by itself: its id continues no channel of differences."""
    return _get(market_type, facts.SNAPSHOT[market_type].format(symbol))


def parse_snapshot(market_type: MarketType, symbol: str, content: bytes, received_ns: int) -> BookSnapshot:
    book = _result(_book, content)
    seq = book.tick.version if market_type is MarketType.SPOT else book.tick.mrid
    if seq is None:
        raise MalformedFrame("a book without its number", symbol=symbol)
    return BookSnapshot(
        symbol=symbol,
        seq=seq,
        bids=book.tick.bids,
        asks=book.tick.asks,
        exchange_ms=book.ts,
        received_ns=received_ns,
        from_rest=True,
    )


def instruments_request(market_type: MarketType) -> Request:
    return _get(market_type, facts.INSTRUMENTS[market_type])


def parse_instruments(market_type: MarketType, content: bytes) -> Catalogue:
    if market_type is MarketType.SPOT:
        return Catalogue(instruments=[spot_instrument(row) for row in _result(_spot_rows, content).data])
    rows = (contract_instrument(row) for row in _result(_contract_rows, content).data)
    return Catalogue(instruments=[row for row in rows if row is not None])


def volumes_request(market_type: MarketType) -> Request:
    return _get(market_type, facts.VOLUMES[market_type])


def parse_volumes(market_type: MarketType, content: bytes) -> dict[str, float]:
    if market_type is MarketType.SPOT:
        return {row.symbol: row.vol for row in _result(_spot_volumes, content).data if row.vol is not None}
    rows = _result(_contract_volumes, content).ticks
    return {row.contract_code: row.trade_turnover for row in rows if row.trade_turnover is not None}


def retry_after(status: int, headers: Mapping[str, str], content: bytes) -> float | None:
    head = wire.told(_head, content)
    too_often = status == facts.TOO_MANY_REQUESTS or (head is not None and head.too_often)
    return wire.retry_header(headers, _reset_s(headers)) if too_often else None


def _reset_s(headers: Mapping[str, str]) -> float:
    """What contracts tell in milliseconds; a time of day is of no use without a clock."""
    for name, value in headers.items():
        if name.lower() == facts.RESET_HEADER and value.isascii() and value.isdigit():
            told_s = int(value[:18]) / 1000
            if facts.TOO_MANY_S <= told_s <= facts.RESET_MOST_S:
                return told_s
    return facts.TOO_MANY_S


def _get(market_type: MarketType, path: str) -> Request:
    return Request(method="GET", url=f"{facts.REST[market_type]}/{path}")


def _result(shape: wire.Decoder[T], content: bytes) -> T:
    head = wire.body(_head, content)
    if head.status == facts.OK:
        return wire.body(shape, content)
    if head.status == facts.MAINTAIN:
        raise Retryable("maintenance", after_s=facts.MAINTAIN_S)
    if head.code in facts.BUSY:
        raise Retryable(head.text)
    raise Refused(head.text, code=head.code)
