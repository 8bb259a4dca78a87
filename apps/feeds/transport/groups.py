"""Which topics can share a socket, and how many pairs one holds. Pure."""

from msgspec import Struct

from apps.feeds.drivers.base import Driver, Topic, TopicKind
from apps.feeds.market import Instrument, MarketType
from apps.feeds.subscriptions import Subscription


class Group(Struct, frozen=True):
    """Topics that can share a socket."""

    exchange: str
    market_type: MarketType
    category: str


def topics_of(subscription: Subscription) -> list[Topic]:
    """A pair runs with its book and its trades."""
    symbol = subscription.instrument.symbol
    return [
        Topic(kind=TopicKind.BOOK, symbol=symbol, depth=subscription.depth),
        Topic(kind=TopicKind.TRADES, symbol=symbol),
    ]


def group_of(driver: Driver, instrument: Instrument, topic: Topic) -> Group:
    return Group(instrument.exchange, instrument.market_type, driver.category(instrument.market_type, topic))


def pairs_of_a_socket(driver: Driver, group: Group, setting: int) -> int:
    """The exchange's own cap, and the setting's where books are carried, whatever their depth."""
    most = driver.limits(group.market_type).pairs_per_connection
    books = [Topic(kind=TopicKind.BOOK, symbol="", depth=depth) for depth in driver.depths(group.market_type)]
    carries_books = group.category in {driver.category(group.market_type, book) for book in books}
    return min(most, setting) if carries_books else most
