"""How patient the transport is."""

from msgspec import Struct


class Timing(Struct, frozen=True, kw_only=True):
    """Seconds, unless the name says otherwise. What an exchange itself prescribes is in its facts, not here."""

    open_s: float = 10.0  # TCP, TLS and the WebSocket handshake together
    close_s: float = 1.0  # for the other side's half of the closing handshake
    check_s: float = 0.5  # how often overdue answers are looked for
    ack_s: float = 10.0
    ack_tries: int = 3
    first_data_s: float = 30.0  # an ack proves nothing, a book is subscribed when its first data came
    quiet_s: float = 10.0  # without any frame: ask at once whether the other side lives
    idle_s: float = 60.0  # heartbeats answered but no market data at all: the socket is of no use
    malformed_frames: int = 20
    malformed_s: float = 10.0
    backoff_first_s: float = 0.25
    backoff_most_s: float = 30.0
    handover_s: float = 10.0  # for a new socket to catch up with the one it replaces
    refused_s: float = 60.0  # before what the exchange refused may be asked for again
    costly_s: float = 3600.0  # the same, where asking costs all others of the socket their stream
    snapshot_s: float = 1.0  # between two questions for a snapshot of one stream on its socket
