"""What all rows together want held: the watched pairs, and the pairs that are traded."""

from apps.feeds.subscriptions import Wanted
from apps.monitoring import selectors as monitoring
from apps.trading import runnable as trading


def loaded() -> Wanted:
    """As the daemons compute it from the same rows."""
    return monitoring.against_catalogue([*monitoring.tasks(), *trading.tasks()])
