"""What can go wrong between us and an exchange; an error's class tells the caller what to do."""

from enum import StrEnum


class Flaw(StrEnum):
    """Why a frame could not be read: refusals are counted under these names."""

    SIZE = "size"  # larger than anything documented
    PACKING = "packing"  # does not unpack, or to too much
    ENCODING = "encoding"  # not the text that it should be
    SHAPE = "shape"  # not the documented fields and types, or values out of their bounds
    CONTENT = "content"  # readable, but nothing that is documented: unknown, contradicting or somebody else's


class FeedError(Exception):
    """Root of the tree."""


class MalformedFrame(FeedError):
    """Not what the exchange documents: record the frame whole, keep the connection.

    `symbol` is the exchange's own, where the frame could be read that far.
    """

    def __init__(self, message: str, *, symbol: str | None = None, flaw: Flaw = Flaw.CONTENT) -> None:
        super().__init__(message)
        self.symbol = symbol
        self.flaw = flaw


class ConnectionLost(FeedError):
    """Reconnect after a growing delay, then rebuild the books."""


class Retryable(FeedError):
    """Nothing happened on the exchange: send again after `after_s` seconds."""

    def __init__(self, message: str, *, after_s: float = 1.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class Refused(FeedError):
    """The exchange said no, with its own code and text: do not send the same again."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class UnknownExchange(FeedError):
    """No driver of that name: the input is wrong, nothing was sent."""
