"""CoinEx's private REST: which endpoints there are, how often they may be asked, and by whom."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.coinex.account import Accounts
from apps.feeds.simulator.coinex.auth import Caller, signed
from apps.feeds.simulator.coinex.orders import Orders, Page
from apps.feeds.simulator.coinex.refusals import DESK, TOO_MUCH, RefusalError, envelope
from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.trading.gateway import Kind
from apps.feeds.simulator.trading.tickets import Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.coinex.exchange import Coinex

# Requests of one account in one second, by group of paths.
LIMITS = {
    "spot place": 30,
    "spot cancel": 60,
    "spot cancel many": 40,
    "spot query": 50,
    "spot history": 10,
    "futures place": 20,
    "futures cancel": 40,
    "futures cancel many": 20,
    "futures query": 50,
    "futures history": 10,
    "account query": 10,
    "account change": 10,
    "futures account": 10,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    act: Callable[[Caller], Any]
    group: str
    kind: Kind = "read"

    @property
    def permission(self) -> str:
        return "read" if self.kind == "read" else "trade"


class Trading:
    def __init__(self, exchange: "Coinex") -> None:
        self._exchange = exchange
        self._limits: dict[tuple[str, str], Sliding] = {}
        orders, accounts = Orders(exchange.desk), Accounts(exchange.desk)
        self._endpoints = {
            **order_endpoints(orders, "spot"),
            **order_endpoints(orders, "futures"),
            **account_endpoints(orders, accounts),
        }

    def serves(self, request: web.Request, path: str) -> bool:
        return (request.method, path) in self._endpoints

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse:
        endpoint = self._endpoints[request.method, path]
        market_type = path.split("/")[1]
        turned_away = self._exchange.public.turned_away(market_type)
        if turned_away is not None:
            return turned_away
        try:
            caller = await signed(self._exchange.desk, request, path, market_type, endpoint.permission)
            self._count(caller, endpoint.group)
        except RefusalError as error:
            return refused(error)

        def do() -> web.Response:
            try:
                return _answer(endpoint.act(caller))
            except RefusalError as error:
                return refused(error)
            except Refused as reason:
                return refused(RefusalError(*DESK[reason.reason]))

        return await self._exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _count(self, caller: Caller, group: str) -> None:
        """Count a request of the account against the limit of its group of paths."""
        window = self._limits.setdefault((caller.account.name, group), Sliding(LIMITS[group], 1.0))
        if not window.add(self._exchange.now()) and self._exchange.world.breach(self._exchange.name, group):
            raise RefusalError(*TOO_MUCH)


def refused(error: RefusalError) -> web.Response:
    return json_answer(envelope(error.code, {}, str(error)))


def _answer(data: Any) -> web.Response:
    """What is empty is null."""
    if isinstance(data, Page):
        return json_answer({**envelope(0, data.rows or None, "OK"), "pagination": data.pagination})
    return json_answer(envelope(0, None if data == [] else data, "OK"))


def order_endpoints(orders: Orders, market_type: str) -> dict[tuple[str, str], Endpoint]:
    prefix, many = f"v2/{market_type}", f"{market_type} cancel many"
    query, history = f"{market_type} query", f"{market_type} history"
    return {
        ("POST", f"{prefix}/order"): Endpoint(orders.place, f"{market_type} place", "place"),
        ("POST", f"{prefix}/cancel-order"): Endpoint(orders.cancel, f"{market_type} cancel", "cancel"),
        ("POST", f"{prefix}/cancel-order-by-client-id"): Endpoint(orders.cancel_by_client_id, many, "cancel"),
        ("POST", f"{prefix}/cancel-all-order"): Endpoint(orders.cancel_all, many, "cancel"),
        ("GET", f"{prefix}/order-status"): Endpoint(orders.status, query),
        ("GET", f"{prefix}/pending-order"): Endpoint(orders.pending, query),
        ("GET", f"{prefix}/finished-order"): Endpoint(orders.finished, history),
        ("GET", f"{prefix}/order-deals"): Endpoint(orders.order_deals, history),
        ("GET", f"{prefix}/user-deals"): Endpoint(orders.user_deals, history),
    }


def account_endpoints(orders: Orders, accounts: Accounts) -> dict[tuple[str, str], Endpoint]:
    return {
        ("GET", "v2/assets/spot/balance"): Endpoint(accounts.spot_balance, "account query"),
        ("GET", "v2/assets/futures/balance"): Endpoint(accounts.futures_balance, "futures account"),
        ("GET", "v2/account/trade-fee-rate"): Endpoint(accounts.fee_rate, "account query"),
        ("GET", "v2/futures/pending-position"): Endpoint(accounts.positions, "futures account"),
        ("GET", "v2/futures/position-funding-history"): Endpoint(accounts.funding, "futures history"),
        ("POST", "v2/futures/close-position"): Endpoint(orders.close_position, "futures place", "place"),
        ("POST", "v2/futures/adjust-position-leverage"): Endpoint(accounts.set_leverage, "account change", "cancel"),
    }
