"""What should be subscribed, what is, and the difference. Pure: rows and catalogue in, values out."""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from apps.feeds.market import DEPTHS, FULL_DEPTH, BookKey, Instrument, InstrumentStatus, MarketType


class Task(Struct, frozen=True, kw_only=True):
    """One row that asks for one pair, as a person or plain SQL wrote it: nothing in it is trusted yet."""

    source: str  # "monitoring", later "trade"
    row_id: int
    exchange: str
    market_type: str | None
    pair: str
    depth: int | None = None
    priority: int = 0


class Subscription(Struct, frozen=True, kw_only=True):
    """One pair to hold, at the deepest depth that any task asks for (0 is the full book)."""

    instrument: Instrument
    depth: int
    priority: int = 0

    @property
    def key(self) -> BookKey:
        return self.instrument.key


class RefusedTask(Struct, frozen=True, kw_only=True):
    """A row that cannot run, with the reason for the person who wrote it."""

    source: str
    row_id: int
    exchange: str
    market_type: str
    pair: str
    reason: str


class Offers(Struct, frozen=True):
    """What the drivers have to offer: the depths of each exchange and market (all of them, where none are named), and
    other names of exchanges."""

    depths: Mapping[tuple[str, MarketType], Collection[int]]
    aliases: Mapping[str, str]


class Wanted(Struct, frozen=True, kw_only=True):
    subscriptions: dict[BookKey, Subscription]
    refused: list[RefusedTask]


class Diff(Struct, frozen=True, kw_only=True):
    """`remove` goes first; a changed depth is one of each."""

    add: list[Subscription]
    remove: list[BookKey]


DEFAULT_DEPTH = 20
EVERYTHING = Offers({}, {})


def wanted(
    tasks: Iterable[Task],
    catalogue: Mapping[BookKey, Instrument],
    exchanges: Mapping[str, bool],
    *,
    offers: Offers = EVERYTHING,
    default_depth: int = DEFAULT_DEPTH,
) -> Wanted:
    """Merge rows into subscriptions; a row that cannot run is refused with its reason and stops nothing else.

    `exchanges` maps each known exchange id to whether it is enabled. A row without a depth takes the default one, or
    the deepest that its exchange offers.
    """
    subscriptions: dict[BookKey, Subscription] = {}
    refused: list[RefusedTask] = []
    for task in tasks:
        resolved = _resolve(task, catalogue, exchanges, offers, default_depth)
        if isinstance(resolved, RefusedTask):
            refused.append(resolved)
            continue
        have = subscriptions.get(resolved.key)
        subscriptions[resolved.key] = resolved if have is None else _merge(have, resolved)
    return Wanted(subscriptions=subscriptions, refused=refused)


def diff(current: Mapping[BookKey, int], target: Mapping[BookKey, Subscription]) -> Diff:
    """What must change so that `current` (key -> depth) becomes `target`; unchanged pairs are not touched."""
    remove = [key for key, depth in current.items() if key not in target or target[key].depth != depth]
    add = [sub for key, sub in target.items() if current.get(key) != sub.depth]
    return Diff(add=sorted(add, key=lambda sub: -sub.priority), remove=remove)


def deeper(left: int, right: int) -> int:
    """The deeper of two depths; 0 is the full book."""
    return FULL_DEPTH if FULL_DEPTH in (left, right) else max(left, right)


def _merge(have: Subscription, more: Subscription) -> Subscription:
    return Subscription(
        instrument=have.instrument,
        depth=deeper(have.depth, more.depth),
        priority=max(have.priority, more.priority),
    )


def deepest(depths: Collection[int]) -> int:
    return FULL_DEPTH if FULL_DEPTH in depths else max(depths)


def _resolve(
    task: Task,
    catalogue: Mapping[BookKey, Instrument],
    exchanges: Mapping[str, bool],
    offers: Offers,
    default_depth: int,
) -> Subscription | RefusedTask:
    market = (task.market_type or MarketType.SPOT).strip().lower()
    exchange = task.exchange.strip().lower()
    exchange = offers.aliases.get(exchange, exchange)
    pair = task.pair.strip().upper()

    def refuse(reason: str) -> RefusedTask:
        return RefusedTask(
            source=task.source,
            row_id=task.row_id,
            exchange=task.exchange,
            market_type=market,
            pair=task.pair,
            reason=reason,
        )

    if exchange not in exchanges:
        return refuse(f"unknown exchange {task.exchange!r}")
    if not exchanges[exchange]:
        return refuse(f"exchange {exchange} is switched off")
    if market not in set(MarketType):
        return refuse(f"unknown market type {task.market_type!r}: spot or futures")
    depth = default_depth if task.depth is None else task.depth
    if depth not in DEPTHS:
        return refuse(f"unknown depth {depth}: 20, 50 or 0 (full)")
    offered = offers.depths.get((exchange, MarketType(market)), DEPTHS)
    if task.depth is None and depth not in offered:
        depth = deepest(offered)
    if depth not in offered:
        return refuse(f"{exchange} offers {deepest(offered)} levels at most, not {depth or 'the full book'}")
    instrument = catalogue.get(BookKey(exchange, MarketType(market), pair))
    if instrument is None:
        return refuse(f"{task.pair!r} is not in the catalogue of {exchange} {market}")
    if instrument.status is not InstrumentStatus.TRADING:
        return refuse(f"{pair} is {instrument.status} at {exchange} {market}")
    return Subscription(instrument=instrument, depth=depth, priority=task.priority)
