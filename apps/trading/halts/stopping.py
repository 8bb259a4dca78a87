"""What evidence that something is wrong does at once: the account stops in the transaction that keeps the evidence."""

from collections.abc import Collection

from apps.trading.halts import halting
from apps.trading.order_state import Alarm
from apps.trading.risk.view import Scope

REASONS = {
    Alarm.PROOF_BROKEN: "was taken for dead or never placed, and is there",
    Alarm.OVERFILLED: "was filled beyond its amount",
    Alarm.TWO_ORDERS: "has two orders at the exchange",
    Alarm.FILLS_DIFFER: "has a trade that was told with two contents",
}


def stop(*, account_id: int, order: str, alarms: Collection[Alarm]) -> None:
    """Halt the account of an order that carries new alarms; a person is called."""
    for alarm in sorted(alarms):
        halt_account(account_id=account_id, by="recording", reason=f"{alarm}: order {order} {REASONS[alarm]}")


def halt_account(*, account_id: int, by: str, reason: str) -> None:
    """`by` names what of us has found it."""
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(account_id), reason=reason, actor=halting.control(by))
