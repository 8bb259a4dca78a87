"""Hyperliquid's own timer: all orders of the address, of both markets, are cancelled at a time that is put off."""

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.hyperliquid import answers, calls
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.trading import Answer, DeadManTerms
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials


def terms(keys: Credentials, market_type: MarketType) -> DeadManTerms:
    return facts.DEAD_MAN


def press(
    keys: Credentials, market_type: MarketType, timer_ms: int | None, now_ms: int, instrument: Instrument | None = None
) -> Request:
    """Without a time it is off."""
    due_ms = _due_ms(timer_ms, now_ms)
    action: dict[str, object] = (
        {"type": "scheduleCancel"} if due_ms is None else {"type": "scheduleCancel", "time": due_ms}
    )
    return calls.action(keys, action, now_ms)


def parse(market_type: MarketType, timer_ms: int | None, now_ms: int, answer: Answer) -> int | None:
    """Nothing is told but that it was done. Raise NotPermitted for an address that has traded too little."""
    answers.done(answer, order=False)
    return _due_ms(timer_ms, now_ms)


def _due_ms(timer_ms: int | None, now_ms: int) -> int | None:
    return None if timer_ms is None else now_ms + max(timer_ms, facts.DEAD_MAN_SHORTEST_MS)
