"""Binance's own timers, one of each futures symbol: its orders are cancelled when the countdown has reached zero."""

from typing import Annotated

from msgspec import Meta, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.binance import answers, facts
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.signing import signed
from apps.feeds.drivers.trading import Answer, DeadManTerms
from apps.feeds.errors import InvalidOrder, MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Credentials


class Countdown(Struct, rename="camel"):
    """Milliseconds from when the request came; 0: never."""

    countdown_time: Annotated[str, Meta(pattern=r"^[0-9]+$", max_length=12)] | Annotated[int, Meta(ge=0, le=10**12 - 1)]


_countdown = wire.decoder(Countdown)


def terms(keys: Credentials, market_type: MarketType) -> DeadManTerms | None:
    return trading.DEAD_MAN.get(market_type)


def press(
    keys: Credentials, market_type: MarketType, timer_ms: int | None, now_ms: int, instrument: Instrument | None = None
) -> Request | None:
    if market_type not in trading.DEAD_MAN:
        return None
    if instrument is None:
        raise InvalidOrder("each symbol has a timer of its own")
    path, weight = trading.COUNTDOWN
    params: dict[str, str | int] = {"symbol": instrument.symbol, "countdownTime": timer_ms or 0}
    return signed(keys, "POST", f"{facts.REST[market_type]}/{path}", params, now_ms, weight=weight)


def parse(market_type: MarketType, timer_ms: int | None, now_ms: int, answer: Answer) -> int | None:
    """Its countdown begins a little later than our request was made: it is due after what this tells."""
    left_ms = int(answers.result(_countdown, market_type, answer).countdown_time)
    if bool(left_ms) is not bool(timer_ms):
        raise MalformedFrame(f"a countdown of {left_ms} ms, where {timer_ms} were asked for")
    return now_ms + left_ms if left_ms else None
