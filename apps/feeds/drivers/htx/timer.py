"""HTX's own timers, one of each market: all its orders are cancelled when nobody has asked again in time."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from apps.feeds.drivers import timers, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.htx import answers, signing
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import Answer, DeadManTerms
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials

When: TypeAlias = wire.Word | wire.Millis


class SpotTimer(Struct, rename="camel"):
    trigger_time: When


class SwapTimer(Struct):
    trigger_time: When | None = None  # none is told of one that was stopped


_spot = wire.decoder(
    answers.Data[SpotTimer | Annotated[list[SpotTimer], Meta(max_length=wire.MAX_PRINTS)]]
)  # the documents show a list of one
_swap = wire.decoder(answers.Data[SwapTimer])


def terms(keys: Credentials, market_type: MarketType) -> DeadManTerms:
    return facts.DEAD_MAN


def press(
    keys: Credentials, market_type: MarketType, timer_ms: int | None, now_ms: int, instrument: Instrument | None = None
) -> Request:
    shortest, longest = facts.DEAD_MAN_S
    seconds = 0 if timer_ms is None else timers.seconds(timer_ms, shortest, longest)
    if market_type is SPOT:
        content: dict[str, object] = {"timeout": seconds}
        return signing.post(keys, SPOT, facts.CANCEL_ALL, "/v2/algo-orders/cancel-all-after", content, now_ms)
    content = {"on_off": "1", "time_out": str(seconds * 1000)} if seconds else {"on_off": "0"}
    return signing.post(keys, FUTURES, facts.TRADE, "/v5/trade/cancel-after", content, now_ms)


def parse(market_type: MarketType, timer_ms: int | None, now_ms: int, answer: Answer) -> int | None:
    when_ms = _spot_ms(answer) if market_type is SPOT else _swap_ms(answer)
    if (when_ms is None) is not (timer_ms is None):
        raise MalformedFrame("not the timer that was asked for")
    return when_ms


def _spot_ms(answer: Answer) -> int | None:
    told = answers.read(_spot, SPOT, answer).data
    rows = told if isinstance(told, list) else [told]
    if len(rows) != 1 or rows[0] is None:
        raise MalformedFrame("not one timer")
    return timers.due_ms(rows[0].trigger_time)


def _swap_ms(answer: Answer) -> int | None:
    told = answers.read(_swap, FUTURES, answer).data
    if told is None:
        raise MalformedFrame("not one timer")
    return timers.due_ms(told.trigger_time or 0)
