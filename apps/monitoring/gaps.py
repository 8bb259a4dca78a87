"""Intervals that are missing from the history, each with its reason. Pure."""

from msgspec import Struct

from apps.feeds.market import Instrument


class Gap(Struct, frozen=True, kw_only=True):
    """All that is missing lies between its ends, which may be known themselves; `to_ns` None is not over yet.

    `from_seq..to_seq` are the exchange's own numbers, None where it gives none. A gap is named by pair, daemon and
    `from_ns`: reported again, it is the same gap, with the end it has now.
    """

    exchange: str
    market_type: str
    pair: str
    stream: str
    epoch: int
    from_ns: int
    to_ns: int | None
    reason: str
    daemon: str
    from_seq: int | None = None
    to_seq: int | None = None
    ended_by: str = ""


class _Run(Struct):
    """Consecutive events of one book and table that were not kept."""

    instrument: Instrument
    stream: str
    epoch: int
    table: str
    from_seq: int | None
    from_ns: int
    to_seq: int | None
    to_ns: int
    count: int


class Shed:
    """What is not kept while the writer is behind: one run per book and table, each becomes one exact gap."""

    def __init__(self, daemon: str) -> None:
        self._daemon = daemon
        self._runs: dict[tuple[str, str, str], _Run] = {}
        self.total = 0

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(
        self, table: str, instrument: Instrument, stream: str, epoch: int, seq: int | None, received_ns: int
    ) -> None:
        self.total += 1
        name = (table, stream, instrument.symbol)
        run = self._runs.get(name)
        if run is None:
            run = self._runs[name] = _Run(instrument, stream, epoch, table, seq, received_ns, seq, received_ns, 0)
        run.to_seq, run.to_ns, run.count = seq, received_ns, run.count + 1

    def instruments(self) -> list[Instrument]:
        return [run.instrument for run in self._runs.values()]

    def close(self) -> list[Gap]:
        """The runs as gaps; the next event starts a new one."""
        runs, self._runs = self._runs, {}
        return [
            Gap(
                exchange=run.instrument.exchange,
                market_type=run.instrument.market_type,
                pair=run.instrument.pair,
                stream=run.stream,
                epoch=run.epoch,
                from_seq=run.from_seq,
                to_seq=run.to_seq,
                from_ns=run.from_ns,
                to_ns=run.to_ns,
                reason=f"shed {run.count} rows of {run.table}: the disk was behind",
                daemon=self._daemon,
            )
            for run in runs.values()
        ]
