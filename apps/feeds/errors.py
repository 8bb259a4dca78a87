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


class RateLimited(Retryable):
    """One request too many: nothing is sent before `after_s` seconds have passed."""


class Banned(Retryable):
    """The exchange shuts us out for `after_s` seconds; what is sent meanwhile makes it longer."""


class OutcomeUnknown(FeedError):
    """Sent, and no answer that proves anything: ask by client_order_id before anything else."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BadCredentials(Refused):
    """The key, its signature, its passphrase or our address is not accepted: stop, tell a person."""


class NotPermitted(Refused):
    """The key is right, but may not do this."""


class ClockSkew(Refused):
    """Our time is too far from the exchange's: measure the offset anew."""


class RequestExpired(Refused):
    """It came later than its own expiry allows: it was not carried out."""


class UnknownSymbol(Refused):
    """Not listed there, or not to be traded now."""


class InvalidOrder(Refused):
    """Amount or price off the grid, too small, too large or outside the band."""


class InsufficientFunds(Refused):
    """The balance or margin does not cover it."""


class WouldTake(Refused):
    """Post-only, and it would have traded at once."""


class DuplicateOrder(Refused):
    """The client_order_id is taken: something of that id was placed before, ask for it."""


class UnknownOrder(Refused):
    """The exchange does not know the order (yet: it may lag behind), or no longer."""


class OrderIsFinal(Refused):
    """Too late to cancel: it is filled or cancelled already."""


class UnknownExchange(FeedError):
    """No driver of that name: the input is wrong, nothing was sent."""
