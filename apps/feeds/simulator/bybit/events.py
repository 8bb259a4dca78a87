"""What an account's private topics say."""

import uuid
from typing import Any

from apps.feeds.simulator.bybit import rows
from apps.feeds.simulator.bybit.account import Accounts
from apps.feeds.simulator.bybit.funding import paid
from apps.feeds.simulator.bybit.streams import trade_id
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Account, Execution
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

DIVIDED = ("order", "execution", "position", "execution.fast")  # may be asked for by category
CATEGORIES = ("spot", "linear", "inverse", "option")
TOPICS = {"wallet": ("wallet", ""), **{topic: (topic, "") for topic in DIVIDED}}
TOPICS |= {f"{topic}.{category}": (topic, category) for topic in DIVIDED for category in CATEGORIES}


class Teller:
    """Of one account."""

    def __init__(self, desk: Desk, account: Account) -> None:
        self._desk = desk
        self._account = account
        self._accounts = Accounts(desk)
        self._number = 0

    def tell(self, name: str, event: Event) -> list[dict[str, Any]]:
        """The messages of the topic of that name."""
        topic, category = TOPICS[name]
        data = self._order(topic, event) if isinstance(event, OrderEvent) else self._changed(topic, event)
        data = [row for row in data if category in ("", row.get("category", ""))]
        if not data:
            return []
        self._number += 1
        id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._account.name} {name} {self._number}"))
        return [{"topic": name, "id": id, "creationTime": self._desk.now_ms(), "data": data}]

    def _order(self, topic: str, event: OrderEvent) -> list[dict[str, Any]]:
        order, listing = event.order, event.order.listing
        if topic == "order":
            return [rows.pushed(order)]
        if topic == "position" and listing.market_type == "futures" and event.execution is None:
            return self._position(listing, order.ticket.position_side)
        if event.execution is not None and topic == "execution":
            return [{"category": listing.category, **rows.execution(event.execution, order.left)}]
        if event.execution is not None and topic == "execution.fast":
            return [fast(event.execution)]
        return []

    def _changed(self, topic: str, event: AccountEvent) -> list[dict[str, Any]]:
        if topic == "wallet":
            return [self._accounts.summary(self._account, event.holdings)]
        if topic == "position":
            return [row for held in event.positions for row in self._position(held.listing, held.side)]
        if topic == "execution" and event.reason == "funding":
            last = self._account.funding[-1]
            return [{"category": last.listing.category, **paid(self._desk, self._account, last)}]
        return []

    def _position(self, listing: Listing, side: Any) -> list[dict[str, Any]]:
        """As it is now: told for every order, even if nothing has moved."""
        row = rows.position(self._desk, self._account.position(listing, side), entry="entryPrice")
        return [{"category": listing.category, **row}]


def fast(row: Execution) -> dict[str, Any]:
    """Without a fee, and of a maker without its own id."""
    listing = row.order.listing
    return {
        "category": listing.category,
        "symbol": listing.symbol,
        "execId": trade_id(listing, row.number),
        "execPrice": listing.price.text(row.price),
        "execQty": listing.size.text(row.size),
        "orderId": row.order.id,
        "isMaker": row.is_maker,
        "orderLinkId": "" if row.is_maker else row.order.client_id,
        "side": row.order.side.capitalize(),
        "execTime": str(row.ms),
        "seq": row.number,
    }
