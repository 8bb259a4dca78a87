"""What Binance's answers say: values where the status is 200, else errors by code and words."""

from typing import NoReturn, TypeVar

from msgspec import Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.binance import facts
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import FeedError, Retryable
from apps.feeds.market import MarketType

T = TypeVar("T")
OK, UNAVAILABLE = 200, 503


class Refusal(Struct):
    code: wire.Code
    msg: wire.Words = ""


_refusal = wire.decoder(Refusal)


def result(shape: wire.Decoder[T], market_type: MarketType, answer: Answer, *, order: bool = False) -> T:
    """What was asked for. `order`: an order's fate hangs on it."""
    if answer.status != OK:
        refuse(market_type, answer, order=order)
    return replies.read(shape, answer, order=order)


def done(market_type: MarketType, answer: Answer, *, order: bool = False) -> None:
    """Raise unless it was done, or was so already."""
    if answer.status == OK:
        return
    refusal = replies.told(_refusal, answer)
    if refusal is None or refusal.code not in trading.UNCHANGED:
        refuse(market_type, answer, order=order)


def refuse(market_type: MarketType, answer: Answer, *, order: bool) -> NoReturn:
    refusal = replies.told(_refusal, answer)
    if market_type is MarketType.FUTURES and answer.status == UNAVAILABLE and _not_run(answer.body):
        raise Retryable("HTTP 503: it was not carried out")
    code, text = (refusal.code, refusal.msg) if refusal is not None else (None, "")
    table = trading.ERRORS[market_type]
    if code is not None:
        table = table | _by_words(code, text)
    replies.refuse(answer, code, text, table, order=order, stay_away=facts.STAY_AWAY_S)


def _not_run(body: bytes) -> bool:
    text = body[: replies.MAX_TEXT].decode(errors="replace").lower()
    return any(words in text for words in trading.NOT_RUN)


def _by_words(code: int, text: str) -> dict[int, type[FeedError]]:
    """What the words say of a code that stands for a family; the first that are found count."""
    lower = text.lower()
    for (family, words), kind in trading.FAMILIES.items():
        if family == code and words in lower:
            return {code: kind}
    return {}
