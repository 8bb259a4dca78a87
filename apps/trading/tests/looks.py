"""Looks at open orders and lost ones, as a daemon takes them, one account after the other."""

from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.resolution import resolving
from apps.trading.execution.resolution.due import accounts_due


def resolve_due(executor: Executor, limit: int = 20) -> int:
    """How many were looked at; of each account at most `limit` that nobody has told of, and as many others."""
    return sum(resolving.resolve_account(executor, account_id, limit) for account_id in accounts_due())
