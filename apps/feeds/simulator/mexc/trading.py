"""MEXC's private REST: which endpoints there are, what they cost, who may ask, and what is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.mexc.auth import Caller, futures_caller, spot_caller
from apps.feeds.simulator.mexc.futures_account import FuturesAccounts
from apps.feeds.simulator.mexc.futures_orders import FuturesOrders
from apps.feeds.simulator.mexc.refusals import DESK, RefusalError, refusal
from apps.feeds.simulator.mexc.rest import SPOT_WEIGHT, SPOT_WINDOW_S, Rest, firewall, refused
from apps.feeds.simulator.mexc.spot_account import ListenKeys, SpotAccounts
from apps.feeds.simulator.mexc.spot_orders import SpotOrders
from apps.feeds.simulator.trading.gateway import Kind
from apps.feeds.simulator.trading.tickets import Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.mexc.exchange import Mexc

SPOT_PREFIX, FUTURES_PREFIX = "api/v3/", "api/v1/private/"
ORDERS_PER_2_S = 4  # of contracts
HOLE = "{}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`limit`: weight of a request on spot; on contracts the requests of `window_s`. `per_s`: of spot, if it is."""

    act: Callable[[Caller], Any]
    limit: int = 1
    kind: Kind = "read"
    permission: str = "read"
    window_s: float = 2.0
    per_s: int = 0


class Trading:
    def __init__(self, exchange: "Mexc", rest: Rest, keys: ListenKeys) -> None:
        self._exchange = exchange
        self._rest = rest
        self._spot = spot_endpoints(SpotOrders(exchange.desk), SpotAccounts(exchange.desk))
        self._spot |= key_endpoints(exchange, keys)
        self._futures = futures_endpoints(FuturesOrders(exchange.desk), FuturesAccounts(exchange.desk))

    def serves(self, request: web.Request, path: str) -> bool:
        return self._found(request.method, path) is not None

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse:
        """Of a path that is served."""
        found = self._found(request.method, path)
        if found is None or self._rest.stopped():
            return firewall()
        market_type, name, endpoint, parts = found
        try:
            self._rest.check_faults(market_type)
            self._charge(market_type, f"{request.method} {name}", endpoint)
            caller = await self._caller(request, market_type, endpoint, parts)
        except RefusalError as error:
            return refused(error)
        except PermissionError:
            return firewall()

        def do() -> web.Response:
            try:
                return _answer(market_type, endpoint.act(caller))
            except RefusalError as error:
                return refused(error)
            except Refused as error:
                return refused(refusal(market_type, DESK[market_type][error.reason]))

        return await self._exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _found(self, method: str, path: str) -> tuple[str, str, Endpoint, list[str]] | None:
        """Market, name, endpoint, and what stands in the path for the holes of the name."""
        if path.startswith(SPOT_PREFIX):
            name = path.removeprefix(SPOT_PREFIX)
            endpoint = self._spot.get((method, name))
            return None if endpoint is None else ("spot", name, endpoint, [])
        if not path.startswith(FUTURES_PREFIX):
            return None
        given = path.removeprefix(FUTURES_PREFIX).split("/")
        for (wanted, name), endpoint in self._futures.items():
            parts = name.split("/")
            if method == wanted and len(parts) == len(given):
                pairs = list(zip(parts, given, strict=True))
                if all(part in (HOLE, text) for part, text in pairs):
                    return "futures", name, endpoint, [text for part, text in pairs if part == HOLE]
        return None

    async def _caller(self, request: web.Request, market_type: str, endpoint: Endpoint, parts: list[str]) -> Caller:
        if market_type == "spot":
            return await spot_caller(self._exchange.desk, request, endpoint.permission)
        return await futures_caller(self._exchange.desk, request, endpoint.permission, parts)

    def _charge(self, market_type: str, name: str, endpoint: Endpoint) -> None:
        if market_type == "spot":
            self._rest.charge("spot", name, SPOT_WEIGHT, SPOT_WINDOW_S, endpoint.limit)
            if endpoint.per_s:
                self._rest.charge("spot", f"{name} a second", endpoint.per_s, 1.0)
        else:
            self._rest.charge("futures", name, endpoint.limit, endpoint.window_s)


def _answer(market_type: str, body: Any) -> web.Response:
    """Contracts answer in an envelope; what has no data has no `data`."""
    if market_type == "futures":
        body = {"success": True, "code": 0} | ({} if body is None else {"data": body})
    return json_answer(body)


Endpoints = dict[tuple[str, str], Endpoint]


def spot_endpoints(orders: SpotOrders, accounts: SpotAccounts) -> Endpoints:
    def changing(act: Callable[[Caller], Any], kind: Kind) -> Endpoint:
        return Endpoint(act, kind=kind, permission="trade")

    return {
        ("POST", "order"): changing(orders.place, "place"),
        ("POST", "order/test"): changing(orders.test, "read"),
        ("DELETE", "order"): changing(orders.cancel, "cancel"),
        ("DELETE", "openOrders"): changing(orders.cancel_all, "cancel"),
        ("GET", "order"): Endpoint(orders.query, 2),
        ("GET", "openOrders"): Endpoint(orders.open_orders, 3),
        ("GET", "allOrders"): Endpoint(orders.all_orders, 10),
        ("GET", "myTrades"): Endpoint(orders.trades, 10),
        ("GET", "account"): Endpoint(accounts.account, 10, per_s=2),
        ("GET", "tradeFee"): Endpoint(accounts.trade_fee, 20),
        ("GET", "capital/config/getall"): Endpoint(accounts.coins, 10),
        ("GET", "selfSymbols"): Endpoint(accounts.symbols),
    }


def key_endpoints(exchange: "Mexc", keys: ListenKeys) -> Endpoints:
    """Listen keys of spot's private channels."""
    life_s = exchange.world.patience.mexc_listen_key_s
    return {
        ("POST", "userDataStream"): Endpoint(lambda caller: keys.make(caller.account, exchange.now(), life_s)),
        ("PUT", "userDataStream"): Endpoint(lambda caller: keys.renew(caller, exchange.now(), life_s)),
        ("GET", "userDataStream"): Endpoint(lambda caller: keys.all(caller.account, exchange.now())),
        ("DELETE", "userDataStream"): Endpoint(lambda caller: keys.end(caller, exchange.now())),
    }


def futures_endpoints(orders: FuturesOrders, accounts: FuturesAccounts) -> Endpoints:
    def placing(act: Callable[[Caller], Any]) -> Endpoint:
        return Endpoint(act, ORDERS_PER_2_S, "place", "trade")

    def cancelling(act: Callable[[Caller], Any]) -> Endpoint:
        return Endpoint(act, 20, "cancel", "trade")

    def reading(act: Callable[[Caller], Any]) -> Endpoint:
        return Endpoint(act, 20)

    return {
        ("POST", "order/create"): placing(orders.create),
        ("POST", "order/submit"): placing(orders.submit),
        ("POST", "order/cancel"): cancelling(orders.cancel),
        ("POST", "order/cancel_with_external"): cancelling(orders.cancel_by_client),
        ("POST", "order/cancel_all"): cancelling(orders.cancel_all),
        ("GET", "order/get/{}"): reading(orders.query),
        ("GET", "order/external/{}/{}"): reading(orders.query_by_client),
        ("GET", "order/list/open_orders"): reading(orders.open_orders),
        ("GET", "order/list/open_orders/{}"): reading(orders.open_orders),
        ("GET", "order/list/history_orders"): reading(orders.history),
        ("GET", "order/deal_details/{}"): reading(orders.deals_of_order),
        ("GET", "order/list/order_deals"): reading(orders.deals),
        ("GET", "order/list/order_deals/v3"): reading(orders.deals),
        ("GET", "account/assets"): reading(accounts.assets),
        ("GET", "account/asset/{}"): reading(accounts.asset),
        ("GET", "account/tiered_fee_rate"): reading(accounts.fees),
        ("GET", "position/open_positions"): reading(accounts.positions),
        ("GET", "position/position_mode"): reading(accounts.mode),
        ("POST", "position/change_position_mode"): Endpoint(accounts.set_mode, 10, "cancel", "trade", 10.0),
        ("GET", "position/leverage"): reading(accounts.leverage),
        ("POST", "position/change_leverage"): Endpoint(accounts.set_leverage, 10, "cancel", "trade", 10.0),
        ("GET", "position/funding_records"): reading(accounts.funding),
    }
