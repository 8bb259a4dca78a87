"""MEXC's private spot channels: Protocol Buffers on a socket that was opened with a listen key."""

from dataclasses import dataclass, field

from apps.feeds.simulator.mexc import spot_rows as rows
from apps.feeds.simulator.mexc.protobuf import WRAPPER, encode
from apps.feeds.simulator.mexc.spot_account import ListenKey, ListenKeys
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Holding
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

ORDERS, DEALS, ACCOUNT = (rows.CHANNEL.format(name) for name in ("orders", "deals", "account"))
TOPICS = (ORDERS, DEALS, ACCOUNT)
MOST_SOCKETS = 5  # of one key


@dataclass(slots=True)
class Listener:
    """One socket. `told`: each asset as it was told of last."""

    key: ListenKey
    topics: set[str] = field(default_factory=set)
    told: dict[str, Holding] = field(default_factory=dict)

    def translate(self, event: Event) -> list[bytes]:
        bodies = self._order(event) if isinstance(event, OrderEvent) else self._money(event)
        return [encode(body, WRAPPER) for body in bodies if body["channel"] in self.topics]

    def _order(self, event: OrderEvent) -> list[dict[str, object]]:
        if event.order.listing.market_type != "spot":
            return []
        deals = [] if event.execution is None else [rows.deal_push(event, event.execution)]
        return [rows.order_push(event), *deals]

    def _money(self, event: AccountEvent) -> list[dict[str, object]]:
        if event.market_type != "spot":
            return []
        bodies = []
        for asset, row in event.holdings.items():
            bodies.append(rows.account_push(event, asset, row, self.told.get(asset, Holding())))
            self.told[asset] = row
        return bodies


class SpotPrivate:
    def __init__(self, desk: Desk, keys: ListenKeys) -> None:
        self._desk = desk
        self._keys = keys
        self._listeners: dict[Socket, Listener] = {}

    def opened(self, socket: Socket, text: str, now: float) -> bool:
        """Open a socket with a listen key; False when the key is none, or has sockets enough."""
        key = self._keys.find(text, now)
        if key is None or sum(one.key is key for one in self._listeners.values()) >= MOST_SOCKETS:
            return False
        self._listeners[socket] = Listener(key)
        return True

    def subscribe(self, socket: Socket, topic: str) -> bool:
        """False where there is no such channel, or no key."""
        listener = self._listeners.get(socket)
        if listener is None or topic not in TOPICS:
            return False
        if not listener.topics:
            held = listener.key.account.wallets.get("spot", {})
            listener.told = {asset: Holding(row.total, row.locked) for asset, row in held.items()}
            self._desk.listen(listener.key.account, socket, listener.translate)
        listener.topics.add(topic)
        return True

    def unsubscribe(self, socket: Socket, topic: str) -> None:
        listener = self._listeners.get(socket)
        if listener is not None:
            listener.topics.discard(topic)

    def expired(self, socket: Socket, now: float) -> bool:
        """Whether the socket's key has ended."""
        listener = self._listeners.get(socket)
        return listener is not None and listener.key.until <= now

    def closed(self, socket: Socket) -> None:
        self._listeners.pop(socket, None)
