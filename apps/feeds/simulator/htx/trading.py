"""HTX's private REST: which endpoints there are, how often they may be asked, and by whom."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.htx.auth import Caller, signed
from apps.feeds.simulator.htx.dead_man import DeadMan
from apps.feeds.simulator.htx.refusals import CONTRACT_DESK, CONTRACTS, SPOT, SPOT_DESK, SPOT_V2, RefusalError, Words
from apps.feeds.simulator.htx.spot_account import SpotAccounts
from apps.feeds.simulator.htx.spot_orders import SpotOrders
from apps.feeds.simulator.htx.swap_account import SwapAccounts
from apps.feeds.simulator.htx.swap_orders import SwapOrders
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.trading.gateway import Kind
from apps.feeds.simulator.trading.tickets import Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.htx.exchange import Htx

NUMBER = re.compile(r"/(\d{1,19})(?=/|$)")
# (requests, seconds) of one account, by group of endpoints
LIMITS = {
    "spot trade": (100, 2.0),
    "spot cancel all": (50, 2.0),
    "spot query": (50, 2.0),
    "spot balance": (100, 2.0),
    "spot other": (10, 1.0),
}
SWAP_LIMIT = (72, 3.0)  # of each endpoint


@dataclass(frozen=True, slots=True)
class Endpoint:
    act: Callable[[Caller], dict[str, Any]]
    group: str
    kind: Kind = "read"
    words: Words = CONTRACTS
    coded: bool = True  # errors are told by `code` and `message`

    @property
    def permission(self) -> str:
        return "read" if self.kind == "read" else "trade"


class Trading:
    def __init__(self, exchange: "Htx") -> None:
        self._exchange = exchange
        self._limits: dict[tuple[str, str], Sliding] = {}
        orders = SwapOrders(exchange.desk)
        dead_man = DeadMan(exchange.desk)
        self._endpoints = {
            "spot": spot_endpoints(SpotOrders(exchange.desk), SpotAccounts(exchange.desk), dead_man),
            "futures": swap_endpoints(orders, SwapAccounts(exchange.desk, orders), dead_man),
        }

    def serves(self, request: web.Request, market_type: str, path: str) -> bool:
        return self._found(request, market_type, path) is not None

    async def answer(self, request: web.Request, market_type: str, host: str, path: str) -> web.StreamResponse:
        found = self._found(request, market_type, path)
        if found is None:
            return web.Response(status=404)
        endpoint, id = found
        try:
            turned_away = self._exchange.public.turned_away(market_type)
            if turned_away is not None:
                return turned_away
            caller = await signed(self._exchange.desk, request, host, path, id, endpoint.permission, endpoint.words)
            headers = self._count(caller, endpoint, market_type)
        except RefusalError as error:
            return refused(error, coded=endpoint.coded)

        def do() -> web.Response:
            try:
                return json_answer(endpoint.act(caller), headers=headers)
            except RefusalError as error:
                return refused(error, coded=endpoint.coded)
            except Refused as reason:
                table: Any = SPOT_DESK if market_type == "spot" else CONTRACT_DESK
                return refused(RefusalError(*table[reason.reason]), coded=endpoint.coded)

        return await self._exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _found(self, request: web.Request, market_type: str, path: str) -> tuple[Endpoint, str] | None:
        """The endpoint of a path, and the number in it."""
        number = NUMBER.search(path)
        shape = path if number is None else NUMBER.sub("/{id}", path, count=1)
        endpoint = self._endpoints[market_type].get((request.method, shape))
        return None if endpoint is None else (endpoint, "" if number is None else number[1])

    def _count(self, caller: Caller, endpoint: Endpoint, market_type: str) -> dict[str, str]:
        """Count a request of the account; returns the headers that tell what is left."""
        most, seconds = LIMITS.get(endpoint.group, SWAP_LIMIT)
        window = self._limits.setdefault((caller.account.name, endpoint.group), Sliding(most, seconds))
        now = self._exchange.now()
        if not window.add(now) and self._exchange.world.breach(self._exchange.name, endpoint.group):
            raise endpoint.words.too_much()
        reset_ms = self._exchange.desk.now_ms() + round(window.reset_s(now) * 1000)
        if market_type == "spot":
            return {
                "X-HB-RateLimit-Requests-Remain": str(window.left),
                "X-HB-RateLimit-Requests-Expire": str(reset_ms),
            }
        return {
            "ratelimit-limit": str(most),
            "ratelimit-interval": str(round(seconds * 1000)),
            "ratelimit-remaining": str(window.left),
            "ratelimit-reset": str(reset_ms),
        }


def refused(error: RefusalError, *, coded: bool) -> web.Response:
    return json_answer(error.coded if coded else error.body, status=error.status)


def spot_endpoints(orders: SpotOrders, accounts: SpotAccounts, dead_man: DeadMan) -> dict[tuple[str, str], Endpoint]:
    def v1(act: Callable[[Caller], dict[str, Any]], group: str, kind: Kind = "read") -> Endpoint:
        return Endpoint(act, f"spot {group}", kind, SPOT, coded=False)

    def v2(act: Callable[[Caller], dict[str, Any]]) -> Endpoint:
        return Endpoint(act, "spot other", words=SPOT_V2)

    order = "v1/order/orders"
    return {
        ("POST", f"{order}/place"): v1(orders.place, "trade", "place"),
        ("POST", f"{order}/{{id}}/submitcancel"): v1(orders.cancel, "trade", "cancel"),
        ("POST", f"{order}/submitCancelClientOrder"): v1(orders.cancel_by_client_id, "trade", "cancel"),
        ("POST", f"{order}/batchCancelOpenOrders"): v1(orders.cancel_all, "cancel all", "cancel"),
        ("GET", f"{order}/{{id}}"): v1(orders.query, "query"),
        ("GET", order): v1(orders.orders, "query"),
        ("GET", f"{order}/getClientOrder"): v1(orders.query_by_client_id, "query"),
        ("GET", "v1/order/openOrders"): v1(orders.open_orders, "query"),
        ("GET", f"{order}/{{id}}/matchresults"): v1(orders.matches_of_order, "query"),
        ("GET", "v1/order/matchresults"): v1(orders.matches, "query"),
        ("GET", "v1/account/accounts"): v1(accounts.accounts, "balance"),
        ("GET", "v1/account/accounts/{id}/balance"): v1(accounts.balance, "balance"),
        ("POST", "v2/algo-orders/cancel-all-after"): Endpoint(
            dead_man.press_spot, "spot cancel all", "cancel", SPOT_V2
        ),
        ("GET", "v2/user/uid"): v2(accounts.uid),
        ("GET", "v2/user/api-key"): v2(accounts.api_key),
        ("GET", "v2/reference/transact-fee-rate"): v2(accounts.fees),
    }


def swap_endpoints(orders: SwapOrders, accounts: SwapAccounts, dead_man: DeadMan) -> dict[tuple[str, str], Endpoint]:
    table: dict[tuple[str, str], tuple[Callable[[Caller], dict[str, Any]], Kind]] = {
        ("POST", "v5/trade/order"): (orders.place, "place"),
        ("POST", "v5/trade/cancel_order"): (orders.cancel, "cancel"),
        ("POST", "v5/trade/cancel_all_orders"): (orders.cancel_all, "cancel"),
        ("POST", "v5/trade/cancel-after"): (dead_man.press_swap, "cancel"),
        ("GET", "v5/trade/order"): (orders.query, "read"),
        ("GET", "v5/trade/order/opens"): (orders.opens, "read"),
        ("GET", "v5/trade/order/history"): (orders.history, "read"),
        ("GET", "v5/trade/order/details"): (orders.details, "read"),
        ("GET", "v5/account/balance"): (accounts.balance, "read"),
        ("GET", "v5/account/bills"): (accounts.bills, "read"),
        ("GET", "v5/account/asset_mode"): (accounts.asset_mode, "read"),
        ("GET", "v5/trade/position/opens"): (accounts.positions, "read"),
        ("POST", "v5/position/lever"): (accounts.set_leverage, "cancel"),
        ("POST", "v5/position/mode"): (accounts.set_position_mode, "cancel"),
        ("GET", "v5/position/mode"): (accounts.position_mode, "read"),
    }
    endpoints = {key: Endpoint(act, " ".join(key), kind) for key, (act, kind) in table.items()}
    fees = ("POST", "linear-swap-api/v1/swap_fee")
    return {**endpoints, fees: Endpoint(accounts.fees, " ".join(fees), coded=False)}
