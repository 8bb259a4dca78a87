"""What `/info` tells of an account: anybody may ask, for every address."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.hyperliquid import rows
from apps.feeds.simulator.hyperliquid.listings import MAIN
from apps.feeds.simulator.hyperliquid.wallets import Wallets
from apps.feeds.simulator.trading.accounts import Account, Execution, Holding, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.rules import Rates
from apps.feeds.simulator.trading.tickets import Refused

Question = dict[str, Any]
MARKET_TYPES = ("spot", "futures")
MOST_ROWS = 2000
FREE_REQUESTS = 10_000
UNKNOWN_ORDER = {"status": "unknownOid"}


class Accounts:
    def __init__(self, desk: Desk, wallets: Wallets) -> None:
        self._desk = desk
        self._wallets = wallets
        self.used: dict[str, int] = {}  # requests of each account, by its name
        self.answers: dict[str, Callable[[Account, Question], Any]] = {
            "openOrders": lambda account, question: [rows.basic(row) for row in self._open(account, question)],
            "frontendOpenOrders": lambda account, question: [rows.whole(row) for row in self._open(account, question)],
            "orderStatus": self._order,
            "historicalOrders": self._history,
            "userFills": lambda account, question: self.fills(account)[::-1],
            "userFillsByTime": self._fills_by_time,
            "userFunding": self._funding,
            "userFees": self._fees,
            "userRole": lambda account, question: {"role": "user"},
            "userRateLimit": lambda account, question: self.limit(account),
            "userAbstraction": lambda account, question: "disabled",
            "extraAgents": self._agents,
            "spotClearinghouseState": lambda account, question: self.spot(account),
            "clearinghouseState": lambda account, question: self.perpetuals(account, question.get("dex") or MAIN),
        }

    def nobody(self, kind: str, address: str) -> Any:
        """What is told of an address without an account; agents have none."""
        if kind == "userRole":
            account = self._wallets.acting(address.lower())
            return {"role": "missing"} if account is None else self._agent_role(account)
        empty = {
            "orderStatus": UNKNOWN_ORDER,
            "userRateLimit": {"cumVlm": "0.0", "nRequestsUsed": 0, "nRequestsCap": FREE_REQUESTS},
            "userAbstraction": "disabled",
            "spotClearinghouseState": {"balances": []},
            "clearinghouseState": rows.clearinghouse(Holding(), [], self._desk.now_ms()),
            "userFees": _fees(self._desk.rules.rates["futures"], self._desk.rules.rates["spot"]),
        }
        return empty.get(kind, [])

    def spot(self, account: Account) -> dict[str, Any]:
        return {"balances": rows.spot_balances(account, self._desk.listed("spot"))}

    def perpetuals(self, account: Account, dex: str = MAIN) -> dict[str, Any]:
        held = [row for row in account.positions.values() if row.size and row.listing.category == dex]
        marked = [(row, self._desk.mark(row.listing)) for row in held]
        return rows.clearinghouse(account.holding("futures", "USDC"), marked, self._desk.now_ms())

    def fills(self, account: Account) -> list[dict[str, Any]]:
        """The last ones, oldest first."""
        return [rows.fill(row) for row in self._executions(account)[-MOST_ROWS:]]

    def volume(self, account: Account) -> Decimal:
        return sum((row.value for row in account.executions), Decimal(0))

    def limit(self, account: Account) -> dict[str, Any]:
        volume = self.volume(account)
        return {
            "cumVlm": rows.number(volume),
            "nRequestsUsed": self.used.get(account.name, 0),
            "nRequestsCap": FREE_REQUESTS + int(volume),
        }

    def _executions(self, account: Account) -> list[Execution]:
        found = [row for kind in MARKET_TYPES for row in self._desk.executions(account, kind)]
        return sorted(found, key=lambda row: row.ms)

    def _open(self, account: Account, question: Question) -> list[Order]:
        """The latest first: spot and the main perpetuals together, a builder's by themselves."""
        dex = question.get("dex") or MAIN
        found = [row for kind in MARKET_TYPES for row in self._desk.open_orders(account, kind)]
        found = [
            row for row in found if row.listing.category == dex or (dex == MAIN and row.listing.category == "spot")
        ]
        return sorted(found, key=lambda row: -row.number)

    def _order(self, account: Account, question: Question) -> Any:
        named = question.get("oid")
        id, client_id = (str(named), None) if isinstance(named, int) else (None, str(named).lower())
        for kind in MARKET_TYPES:
            try:
                order = self._desk.find(account, kind, id=id, client_id=client_id)
            except Refused:
                continue
            return {"status": "order", "order": rows.update(order, rows.whole(order))}
        return UNKNOWN_ORDER

    def _history(self, account: Account, question: Question) -> list[dict[str, Any]]:
        """The latest first."""
        found = [row for kind in MARKET_TYPES for row in self._desk.orders(account, kind)]
        found.sort(key=lambda row: -row.number)
        return [rows.update(row, rows.whole(row)) for row in found[:MOST_ROWS]]

    def _fills_by_time(self, account: Account, question: Question) -> list[dict[str, Any]]:
        """From the first on."""
        first, last = question["startTime"], question.get("endTime") or 2**63
        found = [row for row in self._executions(account) if first <= row.ms <= last]
        return [rows.fill(row) for row in found[:MOST_ROWS]]

    def _funding(self, account: Account, question: Question) -> list[dict[str, Any]]:
        first, last = question["startTime"], question.get("endTime") or 2**63
        return [
            rows.funding(row, account.position(row.listing, "net").size)
            for row in account.funding
            if first <= row.ms <= last
        ]

    def _fees(self, account: Account, question: Question) -> dict[str, Any]:
        return _fees(account.rate("futures"), account.rate("spot"))

    def _agents(self, account: Account, question: Question) -> list[dict[str, Any]]:
        agents = self._wallets.agents(account)
        return [{"name": row.name, "address": row.address, "validUntil": row.until_ms} for row in agents]

    def _agent_role(self, account: Account) -> dict[str, Any]:
        return {"role": "agent", "data": {"user": self._wallets.address(account)}}


def _fees(perpetual: Rates, spot: Rates) -> dict[str, Any]:
    return {
        "dailyUserVlm": [],
        "userCrossRate": rows.number(perpetual.taker),
        "userAddRate": rows.number(perpetual.maker),
        "userSpotCrossRate": rows.number(spot.taker),
        "userSpotAddRate": rows.number(spot.maker),
        "activeReferralDiscount": "0.0",
    }
