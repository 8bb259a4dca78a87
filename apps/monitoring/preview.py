"""What a change of the watched pairs will cost, as numbers, before it is made. Pure."""

from collections.abc import Collection, Mapping

from msgspec import Struct

from apps.feeds.market import BookKey, MarketType
from apps.feeds.subscriptions import Subscription, diff

TOPICS = 2  # a pair is its book and its trades


class Market(Struct, frozen=True, kw_only=True):
    """What one market of an exchange allows."""

    pairs_per_connection: int
    topics_per_frame: int


class Cost(Struct, frozen=True, kw_only=True):
    """Before and after; `interrupted` counts books that are held now and will be rebuilt. Rates are estimates."""

    books: tuple[int, int]
    sockets: tuple[int, int]
    socket_slots: int
    pair_slots: int
    subscribe_frames: int
    interrupted: int
    messages_s: tuple[float, float]
    fits: bool


def cost(
    *,
    now: Mapping[BookKey, Subscription],
    then: Mapping[BookKey, Subscription],
    markets: Mapping[tuple[str, MarketType], Market],
    pair_slots: int,
    socket_slots: int,
    rates: Mapping[BookKey, float],
) -> Cost:
    """`rates` are messages per second of books that are live; a new book is taken for an average one."""
    change = diff({key: one.depth for key, one in now.items()}, then)
    sockets = _sockets(then, markets)
    return Cost(
        books=(len(now), len(then)),
        sockets=(_sockets(now, markets), sockets),
        socket_slots=socket_slots,
        pair_slots=pair_slots,
        subscribe_frames=_frames([one.key for one in change.add], markets),
        interrupted=sum(key in then for key in change.remove),
        messages_s=(_rate(now, rates), _rate(then, rates)),
        fits=len(then) <= pair_slots and sockets <= socket_slots,
    )


def _per_market(keys: Collection[BookKey]) -> dict[tuple[str, MarketType], int]:
    counts: dict[tuple[str, MarketType], int] = {}
    for key in keys:
        counts[key.exchange, key.market_type] = counts.get((key.exchange, key.market_type), 0) + 1
    return counts


def _sockets(keys: Collection[BookKey], markets: Mapping[tuple[str, MarketType], Market]) -> int:
    return sum(-(-count // markets[market].pairs_per_connection) for market, count in _per_market(keys).items())


def _frames(keys: Collection[BookKey], markets: Mapping[tuple[str, MarketType], Market]) -> int:
    counts = _per_market(keys).items()
    return sum(-(-count * TOPICS // markets[market].topics_per_frame) for market, count in counts)


def _rate(keys: Collection[BookKey], rates: Mapping[BookKey, float]) -> float:
    known = [rates[key] for key in keys if key in rates]
    mean = sum(rates.values()) / len(rates) if rates else 0.0
    return round(sum(known) + mean * (len(keys) - len(known)), 1)
