"""Faults of one account: of its next requests and pushes, or for a while."""

from collections.abc import Callable
from dataclasses import dataclass

# Of the next `count` requests that are of the kind asked for (orders, unless said otherwise).
REQUESTS = (
    "accept_hang",  # accepted, and no answer for `seconds`, then the connection ends
    "accept_reset",  # accepted, and the connection is reset
    "late_accept",  # reaches the matcher `seconds` late
    "error_placed",  # accepted, and answered with 503
    "error_not_placed",  # 503, and nothing was done
    "early_fill",  # its pushes leave `seconds` (0.05) before the answer
    "reject",  # refused for want of money
    "not_found",  # accepted, and for `seconds` no query sees it
)
# Of the next `count` order events.
PUSHES = ("duplicate_push", "reorder_push")
# Of the next `count` private sockets, those that are open now first.
SOCKETS = ("drop_private",)
# For `seconds`, or until ended where they are 0; of `clock_drift` they are what the exchange's clock is ahead.
# `held`: the next `count` requests are past the gateway, and reach the matcher when it ends.
LASTING = ("mute_private", "clock_drift", "rate_limit", "ban", "held")
OPS = REQUESTS + PUSHES + SOCKETS + LASTING
KINDS = ("place", "cancel", "read", "any")


@dataclass(slots=True)
class AccountFault:
    op: str
    account: str | None  # None: every account
    kind: str  # of the requests that suffer
    seconds: float
    count: int
    until: float | None

    def left_s(self, now: float) -> float:
        return self.seconds if self.until is None else max(0.0, self.until - now)


class AccountFaults:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: list[AccountFault] = []

    def begin(self, op: str, account: str | None, *, kind: str = "place", seconds: float = 0.0, count: int = 1) -> None:
        """Begin a fault, in the place of one of the same name and account; a count of 0 only ends that one."""
        self._all = [fault for fault in self._all if (fault.op, fault.account) != (op, account)]
        ends = op in LASTING and op != "clock_drift" and seconds > 0
        until = self._clock() + seconds if ends else None
        if count:
            self._all.append(AccountFault(op, account, kind, seconds, count, until))

    def find(self, op: str, account: str | None, kind: str | None = None) -> AccountFault | None:
        """The fault that holds here and now; `account` None asks for one of every account."""
        if not self._all:
            return None
        now = self._clock()
        self._all = [fault for fault in self._all if fault.until is None or fault.until > now]
        for fault in self._all:
            reaches = fault.account in (None, account) and (kind is None or fault.kind in ("any", kind))
            if fault.op == op and reaches:
                return fault
        return None

    def take(self, op: str, account: str, kind: str | None = None) -> AccountFault | None:
        """The fault, if what is at hand suffers it; counts it down."""
        fault = self.find(op, account, kind)
        if fault is not None:
            fault.count -= 1
            if not fault.count:
                self._all.remove(fault)
        return fault
