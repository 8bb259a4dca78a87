"""The kinds of sockets that HTX has: where they are, what they carry, how patient they are."""

from dataclasses import dataclass

from apps.feeds.simulator.htx import streams
from apps.feeds.simulator.htx.rest import CONTRACT_HOSTS, SPOT_HOSTS


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of socket."""

    market_type: str
    category: str
    channels: dict[str, streams.Maker]
    most_unanswered: int  # pings in a row; then it is cut
    patience: int = 1  # its pings come so many times less often than those of the others
    private: bool = False


DOORS = {
    "ws": Door("spot", "spot", streams.SPOT, 2),
    "feed": Door("spot", "spot", streams.FEED, 2),
    "linear-swap-ws": Door("futures", "linear", streams.CONTRACTS, 5),
    "swap-ws": Door("futures", "inverse", streams.CONTRACTS, 5),
    "ws/v2": Door("spot", "spot", {}, 2, patience=4, private=True),
    "ws/v5/notification": Door("futures", "linear", {}, 5, private=True),
}
HOSTS = {"spot": SPOT_HOSTS, "futures": CONTRACT_HOSTS}
