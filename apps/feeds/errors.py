"""What can go wrong between us and an exchange; an error's class tells the caller what to do."""


class FeedError(Exception):
    """Root of the tree."""


class MalformedFrame(FeedError):
    """Not what the exchange documents: record the frame whole, keep the connection.

    `symbol` is the exchange's own, where the frame could be read that far.
    """

    def __init__(self, message: str, *, symbol: str | None = None) -> None:
        super().__init__(message)
        self.symbol = symbol


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
