"""The settings of a daemon, as its parts take them."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from apps.users.pagers import Line


class Options(Struct, frozen=True, kw_only=True):
    daemon: str
    redis_url: str
    simulator_url: str | None
    data_dir: Path
    pairs_per_connection: int
    max_connections: int
    depth: int
    publish_hz: float
    batch_size: int
    batch_interval_s: float
    build: str
    role: str = "monitor"


class TradeOptions(Struct, frozen=True, kw_only=True):
    """Of the trading half. `stop_s`: so long its orderly stop may take."""

    halt_file: Path
    cancels_on_stop: bool
    stop_s: float
    pagers: Sequence[Line] = ()
