"""OKX's own timer, cancel-all-after: one for the orders of each market, which their tag tells."""

from typing import Annotated

from msgspec import Meta, Struct

from apps.feeds.drivers import timers, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.okx import answers, signing
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.drivers.trading import Answer, DeadManTerms
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials


class Armed(Struct, rename="camel"):
    """0: never. The text says milliseconds, its example tells seconds."""

    trigger_time: wire.Word
    tag: Annotated[str, Meta(max_length=32)] = ""


_armed = wire.decoder(answers.Rows[Armed])


def terms(keys: Credentials, market_type: MarketType) -> DeadManTerms:
    return facts.DEAD_MAN


def press(
    keys: Credentials, market_type: MarketType, timer_ms: int | None, now_ms: int, instrument: Instrument | None = None
) -> Request:
    shortest, longest = facts.DEAD_MAN_S
    seconds = facts.DEAD_MAN_OFF if timer_ms is None else timers.seconds(timer_ms, shortest, longest)
    fields = {"timeOut": str(seconds), "tag": facts.TAGS[market_type]}
    return signing.post(keys, "/trade/cancel-all-after", fields, now_ms, budget=facts.TIMERS)


def parse(market_type: MarketType, timer_ms: int | None, now_ms: int, answer: Answer) -> int | None:
    told = answers.one(_armed, answer)
    if told.tag not in ("", facts.TAGS[market_type]):
        raise MalformedFrame(f"a timer of {told.tag!r}")
    return timers.due_ms(told.trigger_time)
