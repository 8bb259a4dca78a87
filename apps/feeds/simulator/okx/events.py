"""What an account's private channels say, row by row."""

from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.okx import rows
from apps.feeds.simulator.okx.account import UID, WALLET, Accounts
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

CHANNELS = ("orders", "account", "positions", "balance_and_position")
BY_KIND = ("orders", "positions")  # channels that are asked for with an instType
KINDS = ("ANY", "SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
REASONS = {"trade": "filled", "funding": "funding_fee", "transfer": "transferred"}


@dataclass(frozen=True, slots=True)
class Subscription:
    arg: dict[str, str]  # as it was asked for
    repeats: bool = False  # the whole is said again every few seconds

    @property
    def channel(self) -> str:
        return self.arg["channel"]

    def is_about(self, category: str, symbol: str) -> bool:
        return self.arg.get("instType", "ANY") in ("ANY", category) and self.arg.get("instId") in (None, "", symbol)

    def message(self, data: list[dict[str, Any]], event: str | None = None) -> dict[str, Any]:
        """`event`: where the channel says what it tells."""
        arg = {**self.arg, "uid": UID}
        arg.pop("extraParams", None)
        if event is None:
            return {"arg": arg, "data": data}
        pages = {"curPage": 1, "lastPage": True} if event == "snapshot" else {}
        return {"arg": arg, "eventType": event, **pages, "data": data}


class Teller:
    """Of one account."""

    def __init__(self, desk: Desk, account: Account) -> None:
        self._desk = desk
        self._account = account
        self._accounts = Accounts(desk)

    def snapshot(self, subscription: Subscription) -> list[dict[str, Any]]:
        """What a channel says first; that of orders says nothing."""
        held = self._account.wallets.get(WALLET, {})
        positions = [row for row in self._account.positions.values() if row.size]
        if subscription.channel == "account":
            wanted = subscription.arg.get("ccy")
            shown = {asset: row for asset, row in held.items() if wanted in (None, "", asset)}
            return [subscription.message([self._accounts.summary(self._account, shown)], "snapshot")]
        if subscription.channel == "positions":
            about = [row for row in positions if subscription.is_about(row.listing.category, row.listing.symbol)]
            data = [rows.position(self._desk, self._account, row) for row in about]
            return [subscription.message(data, "snapshot")]
        if subscription.channel == "balance_and_position":
            return [subscription.message([self._both("snapshot", held, positions)])]
        return []

    def tell(self, subscription: Subscription, event: Event) -> list[dict[str, Any]]:
        if isinstance(event, OrderEvent):
            return self._order(subscription, event) if subscription.channel == "orders" else []
        if subscription.channel == "account":
            return self._account_update(subscription, event)
        if subscription.channel == "positions":
            return self._positions(subscription, event)
        if subscription.channel == "balance_and_position" and event.reason != "order":
            return [subscription.message([self._both(REASONS[event.reason], event.holdings, event.positions)])]
        return []

    def _order(self, subscription: Subscription, event: OrderEvent) -> list[dict[str, Any]]:
        """One sized in money is never filled by its last fill: it is told once more, filled and without a fill."""
        order = event.order
        if not subscription.is_about(order.listing.category, order.listing.symbol):
            return []
        row = rows.pushed(order, event.execution)
        if order.ticket.quote_size is None or order.status != "filled":
            return [subscription.message([row])]
        part = {**row, "state": rows.STATE["partial"]}
        return [subscription.message([part]), subscription.message([rows.pushed(order, None)])]

    def _account_update(self, subscription: Subscription, event: AccountEvent) -> list[dict[str, Any]]:
        """What was touched, as it is now: orders and positions of both markets hold the same money."""
        wanted, held = subscription.arg.get("ccy"), self._account.wallets[WALLET]
        touched = {asset: held[asset] for asset in event.holdings if wanted in (None, "", asset)}
        if not touched:
            return []
        return [subscription.message([self._accounts.summary(self._account, touched)], "event_update")]

    def _positions(self, subscription: Subscription, event: AccountEvent) -> list[dict[str, Any]]:
        about = [row for row in event.positions if subscription.is_about(row.listing.category, row.listing.symbol)]
        data = [rows.position(self._desk, self._account, row) for row in about]
        return [subscription.message(data, "event_update")] if data else []

    def _both(self, reason: str, holdings: Any, positions: Any) -> dict[str, Any]:
        ms = str(self._desk.now_ms())
        return {
            "pTime": ms,
            "eventType": reason,
            "balData": [
                {"ccy": asset, "cashBal": rows.number(row.total), "uTime": ms} for asset, row in holdings.items()
            ],
            "posData": [self._position(row) for row in positions],
            "trades": [],
        }

    def _position(self, row: Any) -> dict[str, Any]:
        names = ("posId", "tradeId", "instId", "instType", "mgnMode", "posSide", "pos", "ccy", "posCcy", "avgPx")
        whole = rows.position(self._desk, self._account, row)
        return {name: whole[name] for name in (*names, "uTime")}
